"""How backups went, and what the log of decisions has been told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Text, text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import Json, json, moment


class BackupState(SQLModel, table=True):
    """One row: what is wrong with the last backup, if anything is; and the id of the archive in the names of its
    backups, which it keeps when it is restored."""

    __tablename__ = "backup_state"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    problem: str | None = Field(default=None, sa_type=Text)
    failed_at: datetime | None = moment()
    archive: str = Field(
        sa_type=Text, sa_column_kwargs={"server_default": text("left(replace(gen_random_uuid()::text, '-', ''), 12)")}
    )


class DecisionLog(SQLModel, table=True):
    """One row: the name under which this database writes its decisions into the log. A restored database has another:
    up to the rating event `begins_after` it is the same as the one named `parent`."""

    __tablename__ = "decision_log"
    id: UUID = Field(primary_key=True)
    parent: UUID | None = None
    begins_after: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    projects: Json = json()  # id -> name, as the log was last told
    problem: str | None = Field(default=None, sa_type=Text)
