"""What the person decided, and what was learned from it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, Index, Text, text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import Json, json, moment, reference, row_id


class RatingEvent(SQLModel, table=True):
    """One decision about one photo, with what was true before it. Events of one `batch` are undone together."""

    __tablename__ = "rating_events"
    __table_args__ = (
        Index("rating_events_photo", "photo_id", text("id DESC")),
        Index("rating_events_batch", "batch", "photo_id"),
        Index("rating_events_undoes", "undoes", postgresql_where=text("undoes IS NOT NULL")),
    )
    id: int = row_id()
    batch: UUID
    undoes: UUID | None = None  # the batch that this one took back
    photo_id: int = reference("photos.id")
    source: str = Field(sa_type=Text)  # person, file, undo
    before: Json = json()  # the fields that changed
    after: Json = json()
    created_at: datetime = moment(now=True)


class TasteModel(SQLModel, table=True):
    """One trained version. Its artifact is never changed; versions rise even if artifacts are lost."""

    __tablename__ = "taste_models"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: str = Field(sa_type=Text)  # training, ready, failed, broken
    embedding_model: str = Field(sa_type=Text)
    read_seq: int = Field(sa_type=BigInteger)  # of TasteState.requested_seq: which decisions it has seen
    artifact: str | None = Field(default=None, sa_type=Text)  # claim
    n: int | None = None
    metrics: Json = json()
    error: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = moment(now=True)
    finished_at: datetime | None = moment()


class TasteState(SQLModel, table=True):
    """One row. Changed in the transaction of the rating that asks for a training."""

    __tablename__ = "taste_state"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    requested_seq: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    trained_seq: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    due_at: datetime | None = moment()
    is_urgent: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})  # not after the window
    last_started_at: datetime | None = moment()
    activation: int = Field(default=0, sa_column_kwargs={"server_default": "0"})  # rises with each activation
    version: int | None = None  # the model in force
    is_trusted: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})  # it beats guessing


class Burst(SQLModel, table=True):
    """Frames of one moment; photos name theirs by `burst_id`, rejected ones too: what is taken back is in its burst
    again at once. One with fewer than two frames that take part is not shown."""

    __tablename__ = "bursts"
    __table_args__ = (
        Index("bursts_started", text("started_at DESC"), text("id DESC"), postgresql_where=text("size > 1")),
    )
    id: int = row_id()
    kind: str = Field(sa_type=Text)  # burst, bracket
    best_id: int | None = Field(default=None, sa_type=BigInteger)  # the photo that is proposed, or was chosen
    size: int  # frames that take part: not rejected, removed or kept apart
    started_at: datetime = Field(sa_type=DateTime(timezone=False))  # camera time
    created_at: datetime = moment(now=True)


class BurstState(SQLModel, table=True):
    """One row: whether the bursts are to be found again, and how alike frames must be."""

    __tablename__ = "burst_state"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    requested_seq: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    found_seq: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    gap_seconds: float = Field(default=5, sa_column_kwargs={"server_default": "5"})
    least_cosine: float | None = None  # NULL: the embedder's own
    cosine_model: str | None = Field(default=None, sa_type=Text)  # the embedder that `least_cosine` was chosen for
    is_urgent: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})  # whatever else is under way
    whole_seq: int = Field(
        default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"}
    )  # last for all frames
    model: str | None = Field(default=None, sa_type=Text)  # the embedder that all frames were last compared by
    found_claim: str | None = Field(default=None, sa_type=Text)  # what was found and is not applied yet


class NewFrame(SQLModel, table=True):
    """A photo whose bursts are to be found: it got its vector in the wish `seq`."""

    __tablename__ = "new_frames"
    photo_id: int = Field(sa_column=Column(BigInteger, ForeignKey("photos.id", ondelete="CASCADE"), primary_key=True))
    seq: int = Field(sa_type=BigInteger)
