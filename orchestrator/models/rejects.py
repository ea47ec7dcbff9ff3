"""Originals of rejected photos that were set aside, and the work that set them aside or brought them back."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Text, Uuid, text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import Json, json, moment, reference, row_id

MOVING, ASIDE, RETURNING, RETURNED = "moving", "aside", "returning", "returned"

_OPEN = f"state <> '{RETURNED}'"
_UNDER_WAY = f"state IN ('{MOVING}', '{RETURNING}')"


class SetAside(SQLModel, table=True):
    """The journal: a file that lies in `_keepers_rejected`, or is on its way there or back. Both paths are relative to
    the root. Written and committed before the file is renamed, so that whatever happens both places are known."""

    __tablename__ = "set_aside"
    __table_args__ = (
        Index("set_aside_path", "root_id", "aside_path", unique=True, postgresql_where=text(_OPEN)),
        Index("set_aside_came_from", "root_id", "path", postgresql_where=text(_OPEN)),
        Index("set_aside_photo", "photo_id", postgresql_where=text(_OPEN)),
        Index("set_aside_under_way", "root_id", postgresql_where=text(_UNDER_WAY)),
        Index("set_aside_batch", "batch"),
    )
    id: int = row_id()
    batch: UUID
    root_id: int = reference("roots.id")
    photo_id: int | None = reference("photos.id", nullable=True, ondelete="SET NULL")
    role: str = Field(sa_type=Text)  # original, companion, sidecar
    path: bytes = Field(sa_type=LargeBinary)  # where it belongs
    aside_path: bytes = Field(sa_type=LargeBinary)
    size: int = Field(sa_type=BigInteger)
    mtime_ns: int = Field(sa_type=BigInteger)
    state: str = Field(sa_type=Text)  # moving, aside, returning, returned
    created_at: datetime = moment(now=True)
    changed_at: datetime = moment(now=True)


class RejectsBatch(SQLModel, table=True):
    """Setting aside, or bringing back, as it was asked for once, and how far it came."""

    __tablename__ = "rejects_batches"
    id: UUID = Field(sa_column=Column(Uuid, primary_key=True))
    root_id: int = reference("roots.id")
    seen: Json = json()  # a views.Batch
    started_at: datetime = moment(now=True)
