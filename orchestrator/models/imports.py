"""Imports and what they found."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, SmallInteger, Text, text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import Json, json, moment, reference, row_id
from orchestrator.models.states import PENDING
from shared import trace


class Import(SQLModel, table=True):
    __tablename__ = "imports"
    id: int = row_id()
    root_id: int = reference("roots.id")
    folder: bytes = Field(sa_type=LargeBinary)  # relative to the root, b"" for all of it
    label: str = Field(sa_type=Text)
    sample: int | None = None
    project_id: int | None = reference("projects.id", nullable=True, ondelete="SET NULL")
    state: str = Field(default="scanning", sa_type=Text)  # scanning, running, paused, done, cancelled, failed
    cursor: bytes | None = Field(default=None, sa_type=LargeBinary)  # the last folder whose files are all in items
    scanned: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    left_alone: Json = json()  # extension -> count
    with_rating: int = Field(default=0, sa_column_kwargs={"server_default": "0"})  # items that carry a rating
    error: str | None = Field(default=None, sa_type=Text)
    is_watched: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})  # fed by a watch
    trace_id: UUID | None = Field(default_factory=trace.current)  # of all that it leads to
    created_at: datetime = moment(now=True)
    finished_at: datetime | None = moment()


class Watch(SQLModel, table=True):
    """A folder of a root whose new files are imported as they come."""

    __tablename__ = "watches"
    __table_args__ = (Index("watches_folder", "root_id", "folder", unique=True),)
    id: int = row_id()
    root_id: int = reference("roots.id")
    folder: bytes = Field(sa_type=LargeBinary)  # relative to the root, b"" for all of it
    is_polled: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})  # the person wishes it
    state: str = Field(default="starting", sa_type=Text, sa_column_kwargs={"server_default": "starting"})
    problem: str | None = Field(default=None, sa_type=Text)
    import_id: int | None = reference("imports.id", nullable=True, ondelete="SET NULL")  # that new files join
    last_new_at: datetime | None = moment()
    created_at: datetime = moment(now=True)


class ImportItem(SQLModel, table=True):
    """One file, or one RAW+JPEG pair, that an import found."""

    __tablename__ = "import_items"
    __table_args__ = (
        Index("import_items_photo", "photo_id"),
        Index("import_items_state", "import_id", "state"),
        Index("import_items_photos", "import_id", text("photo_id DESC")),
        Index(
            "import_items_landed",
            "import_id",
            text("changed_at DESC"),
            postgresql_where=text("state IN ('done', 'damaged')"),
        ),
        Index("import_items_removed", "import_id", "photo_id", postgresql_where=text("reason = 'removed before'")),
    )
    import_id: int = Field(sa_column=Column(BigInteger, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True))
    path: bytes = Field(sa_type=LargeBinary, primary_key=True)
    state: str = Field(default=PENDING, sa_type=Text)  # pending, done, damaged, failed, skipped
    reason: str | None = Field(default=None, sa_type=Text)
    photo_id: int | None = reference("photos.id", nullable=True, ondelete="SET NULL")
    carries_rating: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})  # in a file of its photo
    changed_at: datetime = moment(now=True)


class Sidecar(SQLModel, table=True):
    """An XMP file beside an original, as it was last read."""

    __tablename__ = "sidecars"
    __table_args__ = (
        Index("sidecars_path", "root_id", "path", unique=True),
        Index("sidecars_photo", "photo_id"),
        Index("sidecars_broken", "photo_id", postgresql_where=text("problem IS NOT NULL")),
    )
    id: int = row_id()
    root_id: int = reference("roots.id")
    path: bytes = Field(sa_type=LargeBinary)
    size: int = Field(sa_type=BigInteger)
    mtime_ns: int = Field(sa_type=BigInteger)
    photo_id: int = reference("photos.id")
    rating: int | None = Field(default=None, sa_type=SmallInteger)  # 1-5, -1 = rejected, NULL = says nothing
    problem: str | None = Field(default=None, sa_type=Text)


class DueSidecar(SQLModel, table=True):
    """What the person decided about this photo is not in its sidecar yet. `problem` says why it was not written;
    without another try to come `due_at` is infinity."""

    __tablename__ = "due_sidecars"
    __table_args__ = (Index("due_sidecars_due", "root_id", "due_at"),)
    root_id: int = Field(sa_column=Column(BigInteger, ForeignKey("roots.id", ondelete="CASCADE"), primary_key=True))
    photo_id: int = Field(sa_column=Column(BigInteger, ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True))
    due_at: datetime = moment(now=True)
    problem: str | None = Field(default=None, sa_type=Text)


class RatingConflict(SQLModel, table=True):
    """A file says another rating than the person said here."""

    __tablename__ = "rating_conflicts"
    __table_args__ = (Index("rating_conflicts_photo", "photo_id", unique=True),)
    id: int = row_id()
    photo_id: int = reference("photos.id")
    file_path: str = Field(sa_type=Text)  # to read
    file_rating: int = Field(sa_type=SmallInteger)
    state: str = Field(default="open", sa_type=Text)  # open, kept_ours, took_theirs
    created_at: datetime = moment(now=True)
