"""Who describes photos now, and whether a model was ever reached."""

from datetime import datetime

from sqlalchemy import BigInteger, Text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import moment


class CurationState(SQLModel, table=True):
    """One row: what requests of the curate stage say at present."""

    __tablename__ = "curation_state"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    host: str = Field(default="", sa_type=Text, sa_column_kwargs={"server_default": ""})
    may_fall_back: bool = Field(default=True, sa_column_kwargs={"server_default": "true"})
    reached_at: datetime | None = moment()  # when a model first answered at the default address
    again_after: int | None = Field(default=None, sa_type=BigInteger)  # photos up to this id are queued once more
    again_by: str | None = Field(default=None, sa_type=Text)  # only those that this one described
