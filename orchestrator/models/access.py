"""Who may open the pages."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import moment, row_id


class Access(SQLModel, table=True):
    """One row, written by the migration: all orchestrators on a database sign logins with one key."""

    __tablename__ = "access"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    signing_key: str = Field(sa_type=Text)
    password_hash: str | None = Field(default=None, sa_type=Text)  # None: no password was set


class LoginAttempt(SQLModel, table=True):
    """A password that somebody tried lately and that was not known to be right."""

    __tablename__ = "login_attempts"
    __table_args__ = (Index("login_attempts_client", "client", "tried_at"),)
    id: int | None = row_id()
    client: str = Field(sa_type=Text)
    tried_at: datetime = moment(now=True)
