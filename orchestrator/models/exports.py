"""Exports that were started, whichever orchestrator makes them."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import Json, json, moment


class ExportRecord(SQLModel, table=True):
    """How far an export was when the orchestrator that makes it last said so."""

    __tablename__ = "exports"
    id: str = Field(sa_type=Text, primary_key=True)
    seen: Json = json()  # an ExportView
    started_at: datetime = moment(now=True)
    said_at: datetime = moment(now=True)
