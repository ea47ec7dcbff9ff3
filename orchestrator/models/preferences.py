"""How the person wants Keepers to behave."""

from typing import Any

from sqlalchemy import Column, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel


class Preference(SQLModel, table=True):
    """One choice that differs from the usual."""

    __tablename__ = "preferences"
    name: str = Field(sa_type=Text, primary_key=True)
    value: Any = Field(sa_column=Column(JSONB, nullable=False))  # Any: JSON
