"""The tables. Only services and results write them; migrations/ creates them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    column,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from shared.contracts.embed import DIMENSIONS

QUEUED, PUBLISHED, RETRYING = "queued", "published", "retrying"
DONE, FAILED, HELD, CANCELLED = "done", "failed", "held", "cancelled"
PENDING, DAMAGED, SKIPPED = "pending", "damaged", "skipped"
ORIGINAL, COMPANION, COPY = "original", "companion", "copy"


def _last(name: str) -> Any:  # Any: an SQL expression
    """Descending, photos without the value at the end."""
    return column(name).desc().nulls_last()


_VISIBLE = "preview IS NOT NULL AND deleted_at IS NULL"
_REJECTED = "rejected_at IS NOT NULL AND deleted_at IS NULL"

Json = dict[str, Any]  # Any: a JSON column


def _id() -> Any:  # Any: SQLModel's Field
    return Field(default=None, sa_column=Column(BigInteger, primary_key=True, autoincrement=True))


def _fk(target: str, *, nullable: bool = False, ondelete: str = "CASCADE") -> Any:  # Any: SQLModel's Field
    return Field(default=None, sa_column=Column(BigInteger, ForeignKey(target, ondelete=ondelete), nullable=nullable))


def _moment(*, now: bool = False) -> Any:  # Any: SQLModel's Field
    default = func.now() if now else None
    return Field(default=None, sa_column=Column(DateTime(timezone=True), nullable=not now, server_default=default))


def _json() -> Any:  # Any: SQLModel's Field
    return Field(default_factory=dict, sa_column=Column(JSONB, nullable=False, server_default="{}"))


def _number(default: int) -> Any:  # Any: SQLModel's Field
    return Field(default=default, sa_column=Column(SmallInteger, nullable=False, server_default=str(default)))


class Root(SQLModel, table=True):
    """A folder of originals, usually a drive. Files are stored relative to it, so that it may come back elsewhere."""

    __tablename__ = "roots"
    __table_args__ = (Index("roots_path", "path", unique=True, postgresql_where=text("state = 'online'")),)
    id: int = _id()
    path: bytes = Field(sa_type=LargeBinary)
    label: str = Field(sa_type=Text)
    identity: str | None = Field(default=None, sa_type=Text)
    state: str = Field(default="online", sa_type=Text)  # online, offline
    problem: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = _moment(now=True)


class Project(SQLModel, table=True):
    __tablename__ = "projects"
    id: int = _id()
    name: str = Field(sa_type=Text, unique=True)
    created_at: datetime = _moment(now=True)


class Photo(SQLModel, table=True):
    """The aggregate: what the image says, what the models say, and what the person decided."""

    __tablename__ = "photos"
    __table_args__ = (
        Index("photos_newest", text("id DESC"), postgresql_where=text(f"{_VISIBLE} AND rejected_at IS NULL")),
        Index(
            "photos_unrated",
            text("id DESC"),
            postgresql_where=text(f"{_VISIBLE} AND rejected_at IS NULL AND user_rating IS NULL"),
        ),
        Index("photos_captured", _last("captured_at"), text("id DESC"), postgresql_where=text(_VISIBLE)),
        Index("photos_sharpness", _last("sharpness_score"), text("id DESC"), postgresql_where=text(_VISIBLE)),
        Index("photos_exposure", _last("exposure_score"), text("id DESC"), postgresql_where=text(_VISIBLE)),
        Index("photos_rejected", text("id DESC"), postgresql_where=text(_REJECTED)),
        Index("photos_project", "project_id", text("id DESC")),
        Index("photos_content_hash", "content_hash"),
    )
    id: int = _id()
    root_id: int = _fk("roots.id")
    file_name: str = Field(sa_type=Text)
    file_path: str = Field(sa_type=Text)  # to read, not to open: photo_files has the bytes
    content_hash: str | None = Field(default=None, sa_type=Text)

    format: str | None = Field(default=None, sa_type=Text)
    source: str | None = Field(default=None, sa_type=Text)
    damage: str | None = Field(default=None, sa_type=Text)
    width: int | None = None
    height: int | None = None
    preview: str | None = Field(default=None, sa_type=Text)
    preview_width: int | None = None
    preview_height: int | None = None
    thumbnail: str | None = Field(default=None, sa_type=Text)
    placeholder: str | None = Field(default=None, sa_type=Text)
    perceptual_hash: str | None = Field(default=None, sa_type=Text)

    laplacian_variance: float | None = None
    tile_variance_p95: float | None = None
    noise_sigma: float | None = None
    clipped_share: float | None = None
    sharpness_score: float | None = None
    exposure_score: float | None = None
    technical_score: float | None = None

    captured_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=False))
    utc_offset_minutes: int | None = None
    camera_make: str | None = Field(default=None, sa_type=Text)
    camera_model: str | None = Field(default=None, sa_type=Text)
    lens: str | None = Field(default=None, sa_type=Text)
    focal_length_mm: float | None = None
    aperture: float | None = None
    shutter_seconds: float | None = None
    iso: int | None = None
    exposure_bias_ev: float | None = None
    has_gps: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})

    user_rating: int | None = Field(default=None, sa_type=SmallInteger)
    manual_match: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    kept_at: datetime | None = _moment()
    rejected_at: datetime | None = _moment()
    deleted_at: datetime | None = _moment()
    project_id: int | None = _fk("projects.id", nullable=True, ondelete="SET NULL")
    preference_score: int | None = Field(default=None, sa_type=SmallInteger)

    created_at: datetime = _moment(now=True)
    updated_at: datetime = _moment(now=True)


class PhotoFile(SQLModel, table=True):
    """A file of a photo. Its path is bytes, relative to the root: file names need not be text."""

    __tablename__ = "photo_files"
    __table_args__ = (
        Index("photo_files_path", "root_id", "path", unique=True),
        Index("photo_files_size", "size"),
        Index("photo_files_quick_hash", "quick_hash"),
        Index("photo_files_content_hash", "content_hash"),
        Index("photo_files_photo", "photo_id"),
    )
    id: int = _id()
    root_id: int = _fk("roots.id")
    path: bytes = Field(sa_type=LargeBinary)
    size: int = Field(sa_type=BigInteger)
    mtime_ns: int = Field(sa_type=BigInteger)
    quick_hash: str | None = Field(default=None, sa_type=Text)
    content_hash: str | None = Field(default=None, sa_type=Text)
    photo_id: int = _fk("photos.id")
    role: str = Field(sa_type=Text)  # original, companion, copy


class PhotoVector(SQLModel, table=True):
    """Apart from photos: updating a score on a table with a vector index costs forty times more."""

    __tablename__ = "photo_vectors"
    photo_id: int = Field(sa_column=Column(BigInteger, ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True))
    model: str = Field(sa_type=Text, primary_key=True)
    vector: Any = Field(sa_column=Column(HALFVEC(DIMENSIONS), nullable=False))  # Any: a numpy array


class EmbeddingModel(SQLModel, table=True):
    """`current` is the model in force; `building` becomes it once every photo has its vector."""

    __tablename__ = "embedding_models"
    name: str = Field(sa_type=Text, primary_key=True)
    state: str = Field(sa_type=Text)  # building, current, retired
    since: datetime = _moment(now=True)


class StageRun(SQLModel, table=True):
    """The attempts of one stage on one subject. A queued run is the outbox row of its message."""

    __tablename__ = "stage_runs"
    __table_args__ = (
        Index("stage_runs_subject", "stage", "subject", unique=True),
        Index("stage_runs_outbox", "stage", "priority", "id", postgresql_where=text("state = 'queued'")),
        Index("stage_runs_held", "hold_key", "priority", "id", postgresql_where=text("state = 'held'")),
        Index("stage_runs_out", "stage", "published_at", postgresql_where=text("state IN ('published', 'retrying')")),
        Index("stage_runs_failed", "photo_id", postgresql_where=text("state = 'failed'")),
        Index("stage_runs_photo", "photo_id"),
        Index("stage_runs_import", "import_id", "id"),
    )
    id: int = _id()
    stage: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    photo_id: int | None = _fk("photos.id", nullable=True)
    import_id: int | None = _fk("imports.id", nullable=True, ondelete="SET NULL")
    run_id: UUID = Field(unique=True)
    request: Json = _json()
    state: str = Field(default=QUEUED, sa_type=Text)
    attempt: int = _number(1)
    priority: int = _number(0)
    gate: str | None = Field(default=None, sa_type=Text)  # the breaker key of what it reads, `root:3`
    hold_key: str | None = Field(default=None, sa_type=Text)
    error_type: str | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)
    queued_at: datetime = _moment(now=True)
    published_at: datetime | None = _moment()
    finished_at: datetime | None = _moment()


class Import(SQLModel, table=True):
    __tablename__ = "imports"
    id: int = _id()
    root_id: int = _fk("roots.id")
    folder: bytes = Field(sa_type=LargeBinary)  # relative to the root, b"" for all of it
    label: str = Field(sa_type=Text)
    sample: int | None = None
    project_id: int | None = _fk("projects.id", nullable=True, ondelete="SET NULL")
    state: str = Field(default="scanning", sa_type=Text)  # scanning, running, paused, done, cancelled, failed
    cursor: bytes | None = Field(default=None, sa_type=LargeBinary)  # the last folder whose files are all in items
    scanned: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    left_alone: Json = _json()  # extension -> count
    error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = _moment(now=True)
    finished_at: datetime | None = _moment()


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
    )
    import_id: int = Field(sa_column=Column(BigInteger, ForeignKey("imports.id", ondelete="CASCADE"), primary_key=True))
    path: bytes = Field(sa_type=LargeBinary, primary_key=True)
    state: str = Field(default=PENDING, sa_type=Text)  # pending, done, damaged, failed, skipped
    reason: str | None = Field(default=None, sa_type=Text)
    photo_id: int | None = _fk("photos.id", nullable=True, ondelete="SET NULL")
    changed_at: datetime = _moment(now=True)


class Tally(SQLModel, table=True):
    """Counts as a log of differences, written by triggers: exact, and no two transactions wait for each other.

    `kind` is a stage's name for its runs, `items` for import items. The sum over all rows of a key is the count.
    """

    __tablename__ = "tallies"
    __table_args__ = (Index("tallies_key", "kind", "import_id"),)
    id: int = _id()
    kind: str = Field(sa_type=Text)
    import_id: int | None = Field(default=None, sa_type=BigInteger)
    state: str = Field(sa_type=Text)
    n: int = Field(sa_type=BigInteger)


class Breaker(SQLModel, table=True):
    """An open breaker: something outside is down, and what needs it waits. One run at a time probes."""

    __tablename__ = "breakers"
    key: str = Field(sa_type=Text, primary_key=True)
    stage: str = Field(sa_type=Text)
    cause: str = Field(sa_type=Text)
    opened_at: datetime = _moment(now=True)
    probe_at: datetime = _moment(now=True)
    probes: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    probe_run: UUID | None = None


class ErrorLog(SQLModel, table=True):
    __tablename__ = "error_logs"
    __table_args__ = (
        Index("error_logs_once", "run_id", "attempt", "source", unique=True),
        Index("error_logs_photo", "photo_id"),
        Index("error_logs_stage", "stage", text("id DESC")),
        Index("error_logs_type", "error_type", text("id DESC")),
    )
    id: int = _id()
    run_id: UUID
    stage: str = Field(sa_type=Text)
    photo_id: int | None = _fk("photos.id", nullable=True)
    import_id: int | None = Field(default=None, sa_type=BigInteger)
    attempt: int
    max_attempts: int | None = None
    source: str = Field(sa_type=Text)  # worker, broker, orchestrator
    final: bool
    error_type: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    detail: Json = _json()
    created_at: datetime = _moment(now=True)


class DeadLetter(SQLModel, table=True):
    __tablename__ = "dead_letters"
    __table_args__ = (
        Index("dead_letters_run", "run_id", unique=True, postgresql_where=text("run_id IS NOT NULL")),
        Index("dead_letters_state", "state", text("id DESC")),
        Index("dead_letters_photo", "photo_id", "stage"),
    )
    id: int = _id()
    run_id: UUID | None = None
    stage: str = Field(sa_type=Text)
    photo_id: int | None = _fk("photos.id", nullable=True)
    reason: str = Field(sa_type=Text)  # rejected, delivery_limit, undecodable, unapplied
    error_type: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    body: bytes = Field(sa_type=LargeBinary)
    headers: Json = _json()
    state: str = Field(default="open", sa_type=Text)  # open, requeued, discarded, resolved
    times: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    created_at: datetime = _moment(now=True)
    last_at: datetime = _moment(now=True)


class Event(SQLModel, table=True):
    """What pages are told, kept ten minutes."""

    __tablename__ = "events"
    id: int = _id()
    kind: str = Field(sa_type=Text)  # photos, imports, failures, stages
    data: Json = _json()
    created_at: datetime = _moment(now=True)


class OrphanCandidate(SQLModel, table=True):
    """A derived file that no photo may need any more; the sweeper decides once it is a day old."""

    __tablename__ = "orphan_candidates"
    claim: str = Field(sa_type=Text, primary_key=True)
    since: datetime = _moment(now=True)


class BrokerEpoch(SQLModel, table=True):
    """The identity of this database, under which it marks the broker it has published to."""

    __tablename__ = "broker_epoch"
    id: UUID = Field(primary_key=True)
