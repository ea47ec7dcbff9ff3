"""Runs, what holds them up, what went wrong, and what pages are told."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Column, Index, LargeBinary, Text, Uuid, text
from sqlmodel import Field, SQLModel

from orchestrator.models.columns import Json, json, moment, number, reference, row_id
from orchestrator.models.states import QUEUED


class StageRun(SQLModel, table=True):
    """The attempts of one stage on one subject. A queued run is the outbox row of its message."""

    __tablename__ = "stage_runs"
    __table_args__ = (
        Index("stage_runs_subject", "stage", "subject", unique=True),
        Index("stage_runs_outbox", "stage", "priority", "id", postgresql_where=text("state = 'queued'")),
        Index("stage_runs_held", "hold_key", "priority", "queued_at", "id", postgresql_where=text("state = 'held'")),
        Index("stage_runs_out", "stage", "published_at", postgresql_where=text("state IN ('published', 'retrying')")),
        Index("stage_runs_failed", "photo_id", postgresql_where=text("state = 'failed'")),
        Index("stage_runs_photo", "photo_id"),
        Index("stage_runs_import", "import_id", "id"),
    )
    id: int = row_id()
    stage: str = Field(sa_type=Text)
    subject: str = Field(sa_type=Text)
    photo_id: int | None = reference("photos.id", nullable=True)
    import_id: int | None = reference("imports.id", nullable=True, ondelete="SET NULL")
    run_id: UUID = Field(unique=True)
    trace_id: UUID | None = None  # of the request of a person that it goes back to
    request: Json = json()
    state: str = Field(default=QUEUED, sa_type=Text)
    attempt: int = number(1)
    priority: int = number(0)
    gate: str | None = Field(default=None, sa_type=Text)  # the breaker key of what it reads, `root:3`
    hold_key: str | None = Field(default=None, sa_type=Text)
    error_type: str | None = Field(default=None, sa_type=Text)
    error: str | None = Field(default=None, sa_type=Text)
    queued_at: datetime = moment(now=True)
    published_at: datetime | None = moment()
    finished_at: datetime | None = moment()


class Tally(SQLModel, table=True):
    """Counts as a log of differences, written by triggers: exact, and no two transactions wait for each other.

    `kind` is a stage's name for its runs, `items` for import items. The sum over all rows of a key is the count.
    """

    __tablename__ = "tallies"
    __table_args__ = (Index("tallies_key", "kind", "import_id"),)
    id: int = row_id()
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
    opened_at: datetime = moment(now=True)
    probe_at: datetime = moment(now=True)
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
    id: int = row_id()
    run_id: UUID
    stage: str = Field(sa_type=Text)
    photo_id: int | None = reference("photos.id", nullable=True)
    import_id: int | None = Field(default=None, sa_type=BigInteger)
    attempt: int
    max_attempts: int | None = None
    source: str = Field(sa_type=Text)  # worker, broker, orchestrator
    final: bool
    error_type: str = Field(sa_type=Text)
    message: str = Field(sa_type=Text)
    detail: Json = json()
    created_at: datetime = moment(now=True)


class DeadLetter(SQLModel, table=True):
    __tablename__ = "dead_letters"
    __table_args__ = (
        Index("dead_letters_run", "run_id", unique=True, postgresql_where=text("run_id IS NOT NULL")),
        Index("dead_letters_state", "state", text("id DESC")),
        Index("dead_letters_photo", "photo_id", "stage"),
        Index("dead_letters_job", "stage", "subject", postgresql_where=text("subject IS NOT NULL")),
        Index(
            "dead_letters_cause",
            "state",
            "stage",
            "error_type",
            "status",
            text("id DESC"),
            postgresql_include=["last_at"],
        ),
    )
    id: int = row_id()
    run_id: UUID | None = None  # of the run that it is about now: putting it back gives both a new one
    earlier_runs: list[UUID] = Field(
        default_factory=list, sa_column=Column(ARRAY(Uuid), nullable=False, server_default="{}")
    )
    stage: str = Field(sa_type=Text)
    photo_id: int | None = reference("photos.id", nullable=True)
    subject: str | None = Field(default=None, sa_type=Text)  # of a run that is about many photos
    reason: str = Field(sa_type=Text)  # rejected, delivery_limit, undecodable, unapplied
    error_type: str = Field(sa_type=Text)
    status: int = number(0)  # what a service that was called answered; 0: none was, or it said nothing
    message: str = Field(sa_type=Text)
    body: bytes = Field(sa_type=LargeBinary)
    headers: Json = json()
    state: str = Field(default="open", sa_type=Text)  # open, requeued, discarded, resolved
    times: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    discarded_in: UUID | None = None  # what was discarded together is reopened together
    created_at: datetime = moment(now=True)
    last_at: datetime = moment(now=True)


class Event(SQLModel, table=True):
    """What pages are told, kept ten minutes."""

    __tablename__ = "events"
    id: int = row_id()
    kind: str = Field(sa_type=Text)  # see orchestrator.events
    data: Json = json()
    created_at: datetime = moment(now=True)


class BrokerEpoch(SQLModel, table=True):
    """The identity of this database, under which it marks the broker it has published to."""

    __tablename__ = "broker_epoch"
    id: UUID = Field(primary_key=True)


class StagePause(SQLModel, table=True):
    """A stage that the person has paused: nothing of it is published."""

    __tablename__ = "stage_pauses"
    stage: str = Field(sa_type=Text, primary_key=True)
    since: datetime = moment(now=True)


class Consent(SQLModel, table=True):
    """The person's yes to sending photos to this host."""

    __tablename__ = "consents"
    host: str = Field(sa_type=Text, primary_key=True)
    since: datetime = moment(now=True)
