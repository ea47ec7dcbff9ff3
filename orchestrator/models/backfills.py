"""Work that is done again, or for the first time, for photos that are in the archive already."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import Json, json, moment, row_id


class Backfill(SQLModel, table=True):
    """One wish and how far it is. Photos up to `cursor` were looked at; those in work are its items."""

    __tablename__ = "backfills"
    id: int = row_id()
    kind: str = Field(sa_type=Text)  # embed, quality, exif, hash, curate
    wish: Json = json()  # which photos: see orchestrator.backfills.wishes
    state: str = Field(default="running", sa_type=Text)  # running, paused, done, cancelled
    cursor: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    last_id: int = Field(sa_type=BigInteger)  # of the photos that were there when it began
    total: int  # counted when it began
    done: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    failed: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    skipped: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = moment(now=True)
    finished_at: datetime | None = moment()


class BackfillItem(SQLModel, table=True):
    """A photo that a backfill has put into the outbox and that is not answered yet: some hundreds at a time."""

    __tablename__ = "backfill_items"
    __table_args__ = (Index("backfill_items_photo", "photo_id"),)
    backfill_id: int = Field(
        sa_column=Column(BigInteger, ForeignKey("backfills.id", ondelete="CASCADE"), primary_key=True)
    )
    photo_id: int = Field(sa_column=Column(BigInteger, ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True))
    run_id: UUID
    before: Json = json()  # the run as it was, which comes back if this one is cancelled; {}: there was none
