"""Photos, their files, their vectors and their projects."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import ARRAY, BigInteger, Column, DateTime, ForeignKey, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import last, moment, reference, row_id, texts
from shared.contracts.embed import DIMENSIONS

_VISIBLE = "preview IS NOT NULL AND deleted_at IS NULL"
_REJECTED = "rejected_at IS NOT NULL AND deleted_at IS NULL"
_SHOWN = f"{_VISIBLE} AND rejected_at IS NULL"

# Carried along by indexes, so that lists are counted and walked in an index alone: a photo is wide, and an archive of
# them is read slowly. What a filter asks of a photo, and what narrows and sorts it beside.
_FILTERED_BY = ["user_rating", "manual_match", "preference_score"]
_NARROWED_BY = [
    *_FILTERED_BY,
    *("captured_at", "sharpness_score", "exposure_score", "technical_score"),
    *("camera_model", "content_type", "project_id", "burst_id", "burst_dissolved_at"),
]


def _sorted(name: str, by: str) -> Index:
    """Walked from its other end for the lowest first; photos without the value at the end."""
    include = ["rejected_at", *(column for column in _FILTERED_BY if column != by)]
    return Index(name, last(by), text("id DESC"), postgresql_where=text(_VISIBLE), postgresql_include=include)


class Root(SQLModel, table=True):
    """A folder of originals, usually a drive. Files are stored relative to it, so that it may come back elsewhere."""

    __tablename__ = "roots"
    __table_args__ = (Index("roots_path", "path", unique=True, postgresql_where=text("state = 'online'")),)
    id: int = row_id()
    path: bytes = Field(sa_type=LargeBinary)
    label: str = Field(sa_type=Text)
    identity: str | None = Field(default=None, sa_type=Text)
    state: str = Field(default="online", sa_type=Text)  # online, offline
    problem: str | None = Field(default=None, sa_type=Text)
    writes_sidecars: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})  # the person allowed it
    sidecar_problem: str | None = Field(default=None, sa_type=Text)  # why none can be written now
    created_at: datetime = moment(now=True)


class Project(SQLModel, table=True):
    __tablename__ = "projects"
    __table_args__ = (Index("projects_lower_name", text("lower(name)"), unique=True),)
    id: int = row_id()
    name: str = Field(sa_type=Text, unique=True)
    cover_id: int | None = Field(default=None, sa_type=BigInteger)  # the photo that was chosen, if it is still there
    created_at: datetime = moment(now=True)


class ProjectPosition(SQLModel, table=True):
    """The place of a photo in the order of a project. Kept when the photo leaves the project, or the project ends:
    what is undone is where it was."""

    __tablename__ = "project_positions"
    __table_args__ = (Index("project_positions_order", "project_id", "position", "photo_id"),)
    project_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    photo_id: int = Field(sa_column=Column(BigInteger, ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True))
    position: int


class EndedProject(SQLModel, table=True):
    """A project that was deleted or merged into another, as it was; `batch` is the decision about its photos."""

    __tablename__ = "ended_projects"
    project_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    name: str = Field(sa_type=Text)
    cover_id: int | None = Field(default=None, sa_type=BigInteger)
    batch: UUID
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class Photo(SQLModel, table=True):
    """The aggregate: what the image says, what the models say, and what the person decided."""

    __tablename__ = "photos"
    __table_args__ = (
        # Not DESC: it grows at its right end, which keeps its pages full, and is walked from there.
        Index("photos_newest", "id", postgresql_where=text(_SHOWN), postgresql_include=_NARROWED_BY),
        Index(
            "photos_unrated",
            text("id DESC"),
            postgresql_where=text(f"{_SHOWN} AND user_rating IS NULL"),
        ),
        _sorted("photos_captured", "captured_at"),
        _sorted("photos_sharpness", "sharpness_score"),
        _sorted("photos_exposure", "exposure_score"),
        _sorted("photos_taste", "preference_score"),
        Index(
            "photos_rejected",
            text("id DESC"),
            postgresql_where=text(_REJECTED),
            postgresql_include=["preview", *_NARROWED_BY],
        ),
        Index("photos_project", "project_id", text("id DESC")),
        Index(
            "photos_project_visible",
            "project_id",
            "id",
            postgresql_where=text(f"{_SHOWN} AND project_id IS NOT NULL"),
        ),
        Index("photos_content_hash", "content_hash"),
        Index(
            "photos_rated",
            last("user_rating"),
            text("id DESC"),
            postgresql_where=text("user_rating IS NOT NULL AND deleted_at IS NULL"),
        ),
        # 70 is taste.service.MATCH_SCORE; a number that changes needs another index.
        Index(
            "photos_match",
            text("id DESC"),
            postgresql_where=text(f"{_SHOWN} AND (manual_match OR preference_score >= 70)"),
        ),
        Index("photos_kept", text("kept_at DESC"), postgresql_where=text(f"{_SHOWN} AND kept_at IS NOT NULL")),
        Index("photos_picked", text("id DESC"), postgresql_where=text(f"{_SHOWN} AND manual_match")),
        Index(
            "photos_for_projects",
            text("id DESC"),
            postgresql_where=text(f"{_SHOWN} AND user_rating >= 4 AND project_id IS NULL"),
        ),
        Index(
            "photos_content_type",
            "content_type",
            text("id DESC"),
            postgresql_where=text("deleted_at IS NULL AND content_type IS NOT NULL"),  # counted with those that failed
        ),
        Index(
            "photos_camera",
            "camera_model",
            text("id DESC"),
            postgresql_where=text("deleted_at IS NULL AND camera_model IS NOT NULL"),  # counted with those that failed
        ),
        Index("photos_score_activation", "score_activation", "id", postgresql_where=text(_VISIBLE)),
        Index(
            "photos_described",
            "described_by",
            "prompt_version",
            "id",
            postgresql_where=text("described_by IS NOT NULL AND deleted_at IS NULL"),
        ),
        Index("photos_burst", "burst_id", postgresql_where=text("burst_id IS NOT NULL")),
        Index("photos_removal", "removal", postgresql_where=text("removal IS NOT NULL")),
    )
    id: int = row_id()
    root_id: int = reference("roots.id")
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
    focus_distance_m: float | None = None
    has_gps: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    embedded_rating: int | None = Field(default=None, sa_type=SmallInteger)  # in the file itself; -1 = rejected

    subject: str | None = Field(default=None, sa_type=Text)
    content_type: str | None = Field(default=None, sa_type=Text)
    lighting_critique: str | None = Field(default=None, sa_type=Text)
    artistic_mood: str | None = Field(default=None, sa_type=Text)
    suggested_tags: list[str] | None = texts()
    described_by: str | None = Field(default=None, sa_type=Text)  # the vision model, or `built-in`
    prompt_version: int | None = None
    tags: list[str] | None = texts()  # as the person edited them; NULL: never

    user_rating: int | None = Field(default=None, sa_type=SmallInteger)
    manual_match: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
    kept_at: datetime | None = moment()
    rejected_at: datetime | None = moment()
    deleted_at: datetime | None = moment()  # a tombstone from then on
    removal: UUID | None = None  # in which it was removed, with others
    project_id: int | None = reference("projects.id", nullable=True, ondelete="SET NULL")
    preference_score: int | None = Field(default=None, sa_type=SmallInteger)  # of a rated photo: out of fold
    score_activation: int | None = None  # of the taste model, under which the score was given
    burst_id: int | None = reference("bursts.id", nullable=True, ondelete="SET NULL")
    burst_best_at: datetime | None = moment()  # when the person chose it as the best of its burst
    burst_dissolved_at: datetime | None = moment()  # when the person kept all of its burst

    created_at: datetime = moment(now=True)
    updated_at: datetime = moment(now=True)


class PhotoWords(SQLModel, table=True):
    """What a search looks into; a trigger on photos keeps it. Apart from photos, as vectors are: a new score would
    have every word of the photo indexed again."""

    __tablename__ = "photo_words"
    __table_args__ = (
        Index("photo_words_words", "words", postgresql_using="gin"),
        Index("photo_words_tags", "tags", postgresql_using="gin"),
    )
    photo_id: int = Field(sa_column=Column(BigInteger, ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True))
    words: str = Field(sa_column=Column(TSVECTOR, nullable=False))
    tags: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))  # in small letters


class MergedPhoto(SQLModel, table=True):
    """A photo that turned out to be another one. What is decided under its old number is about that one."""

    __tablename__ = "merged_photos"
    __table_args__ = (Index("merged_photos_into", "into_id"),)
    photo_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    into_id: int = reference("photos.id")


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
    id: int = row_id()
    root_id: int = reference("roots.id")
    path: bytes = Field(sa_type=LargeBinary)
    size: int = Field(sa_type=BigInteger)
    mtime_ns: int = Field(sa_type=BigInteger)
    quick_hash: str | None = Field(default=None, sa_type=Text)
    content_hash: str | None = Field(default=None, sa_type=Text)
    photo_id: int = reference("photos.id")
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
    since: datetime = moment(now=True)


class OrphanCandidate(SQLModel, table=True):
    """A derived file that no photo may need any more; the sweeper decides once it is a day old."""

    __tablename__ = "orphan_candidates"
    claim: str = Field(sa_type=Text, primary_key=True)
    since: datetime = moment(now=True)
