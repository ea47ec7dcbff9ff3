"""When the taste model is trained, and which version is in force."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events
from orchestrator.models import TasteModel, TasteState

MATCH_SCORE = 70  # from this preference score on a photo is a match
LEAST_RATINGS = 20  # fewer say nothing

# Versions: a result that has come is `trained` until its artifact has been looked at.
TRAINING, TRAINED, READY, VERSION_FAILED, BROKEN = "training", "trained", "ready", "failed", "broken"
MOST_FAILURES = 3  # of trainings on the same ratings, then the next change is waited for


async def request_training(session: AsyncSession, *, at_once: bool = False) -> None:
    """A rating changed: train, in its own time or `at_once`. Part of the transaction of the change, so that the last
    one is never lost. Lock photos before: nobody who holds this row asks for one."""
    await session.execute(
        text(
            "UPDATE taste_state SET requested_seq = requested_seq + 1, due_at = coalesce(due_at, now()),"
            " is_urgent = is_urgent OR :at_once"
        ),
        {"at_once": at_once},
    )


async def train_now(session: AsyncSession) -> None:
    """Start without waiting for the window. Asking twice is asking once: a training under way that has read every
    rating will do."""
    await session.execute(
        text(
            "UPDATE taste_state SET due_at = coalesce(due_at, now()), is_urgent = true WHERE NOT EXISTS ("
            " SELECT 1 FROM taste_models WHERE state IN ('training', 'trained') AND read_seq = requested_seq)"
        )
    )
    await events.record(session, events.TASTE, [])


def starts_at(state: TasteState, window_seconds: float) -> datetime | None:
    """When a training that is due may start: one window after the last one, whatever was rated since."""
    if state.due_at is None or state.is_urgent or state.last_started_at is None:
        return state.due_at
    return max(state.due_at, state.last_started_at + timedelta(seconds=window_seconds))


async def put_in_force(session: AsyncSession, model: TasteModel) -> None:
    """Activate a version whose artifact is known to be good. Scores given under another activation are stale from
    now on; they stay until they are replaced."""
    await session.execute(
        text("UPDATE taste_models SET state = 'ready', error = NULL WHERE version = :version"),
        {"version": model.version},
    )
    await session.execute(
        text(
            "UPDATE taste_state SET activation = activation + 1, version = :version, is_trusted = :is_trusted,"
            " trained_seq = greatest(trained_seq, :read_seq)"
        ),
        {"version": model.version, "is_trusted": beats_guessing(model), "read_seq": model.read_seq},
    )
    await events.record(session, events.TASTE, [model.version])


def beats_guessing(model: TasteModel) -> bool:
    """By its 95 % interval, on ratings that it had not seen."""
    accuracy = model.metrics.get("accuracy")
    return accuracy is not None and float(accuracy["interval"][0]) > 0.5


async def mark_broken(session: AsyncSession, version: int, why: str) -> None:
    await session.execute(
        text("UPDATE taste_models SET state = 'broken', error = :why WHERE version = :version"),
        {"version": version, "why": why},
    )
    await events.record(session, events.TASTE, [version])


async def try_again(session: AsyncSession, now: datetime) -> None:
    """A training came to nothing: once more after the window, but not for ever on the same ratings."""
    await session.execute(
        text(
            "UPDATE taste_state SET due_at = coalesce(due_at, :now) WHERE (SELECT count(*) FROM taste_models"
            " WHERE state IN ('failed', 'broken') AND read_seq = requested_seq) < :most"
        ),
        {"now": now, "most": MOST_FAILURES},
    )
