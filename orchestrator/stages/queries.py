"""How the pipeline is doing: what waits, works, failed, how long it will take, and what holds it up."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import tallies

Health = Literal["idle", "working", "paused", "held", "failing"]


class HoldOfStage(BaseModel):
    """What a stage waits for. Of trouble with the broker or the workers neither time is known."""

    key: str
    cause: str
    since: datetime | None = None
    next_try: datetime | None = None


class StageItem(BaseModel):
    stage: str
    health: Health
    queued: int = 0
    published: int = 0
    retrying: int = 0
    held: int = 0
    failed: int = 0
    done: int = 0
    hold: HoldOfStage | None = None
    paused: bool = False
    paused_since: datetime | None = None
    yields: bool = False  # it goes easy, because somebody looks through photos
    seconds_left: float | None = None  # for what waits and is in work; null while nobody can tell


class StageList(BaseModel):
    items: list[StageItem]
    problems: int  # open dead letters
    next: None = None


_LEFT = ("queued", "published", "retrying")
_STATES = (*_LEFT, "held", "failed", "done")
# One that waits for the person has no next try.
_HOLDS = """SELECT stage, key, cause, opened_at AS since, nullif(probe_at, 'infinity') AS next_try FROM breakers
ORDER BY opened_at DESC"""
# A stage is failing while its last attempts, within a minute, ended for good.
_FAILING = """
SELECT s.stage FROM unnest(CAST(:stages AS text[])) AS s(stage) WHERE (
  SELECT count(*) FILTER (WHERE final AND created_at > now() - interval '1 minute') >= 3
  FROM (SELECT final, created_at FROM error_logs WHERE stage = s.stage ORDER BY id DESC LIMIT 5) AS last
)"""


async def stage_list(
    session: AsyncSession,
    stages: Sequence[str],
    trouble_of: Callable[[str], str | None],
    rate_of: Callable[[str], float | None],
    yielding: Collection[str],
) -> list[StageItem]:
    counts = await tallies.of_stages(session)
    holds = {
        row.stage: HoldOfStage.model_validate(row, from_attributes=True) for row in await session.execute(text(_HOLDS))
    }
    holds |= {stage: HoldOfStage(key="broker", cause=cause) for stage in stages if (cause := trouble_of(stage))}
    failing = set(await session.scalars(text(_FAILING), {"stages": list(stages)}))
    pauses = await paused_since(session)
    items = []
    for stage in stages:
        states, hold = _states(counts.get(stage, {})), holds.get(stage)
        left = sum(states.get(state, 0) for state in _LEFT)
        health = _health(stage in pauses, hold, stage in failing, left)
        rate = rate_of(stage) if health in ("working", "failing") else None
        item = StageItem(
            stage=stage,
            health=health,
            hold=hold,
            paused=stage in pauses,
            paused_since=pauses.get(stage),
            yields=stage in yielding and health == "working",
            seconds_left=round(left / rate, 1) if left and rate else None,
            **states,
        )
        items.append(item)
    return items


class Waiting(BaseModel):
    """A stage of which nothing goes on, and why. `since` is not known of trouble with the broker or the workers."""

    stage: str
    cause: str
    since: datetime | None
    is_paused: bool


async def waiting_stages(
    session: AsyncSession, stages: Sequence[str], trouble_of: Callable[[str], str | None]
) -> list[Waiting]:
    """One for each cause: the person's own pauses, what is down, and stages that nobody works on."""
    pauses = await paused_since(session)
    paused = [
        Waiting(stage=stage, cause="Paused. What waits goes on when you resume it.", since=since, is_paused=True)
        for stage, since in pauses.items()
    ]
    held = [
        Waiting(stage=row.stage, cause=row.cause, since=row.since, is_paused=False)
        for row in await session.execute(text(_HOLDS))
    ]
    troubled = {cause: stage for stage in reversed(stages) if (cause := trouble_of(stage))}
    return [
        *paused,
        *held,
        *(Waiting(stage=stage, cause=cause, since=None, is_paused=False) for cause, stage in troubled.items()),
    ]


async def paused_since(session: AsyncSession) -> Mapping[str, datetime]:
    """The paused stages, and since when they are."""
    rows = await session.execute(text("SELECT stage, since FROM stage_pauses ORDER BY since"))
    return {row.stage: row.since for row in rows}


def _states(counts: tallies.Counts) -> dict[str, int]:
    return {state: max(0, n) for state, n in counts.items() if state in _STATES}


def _health(is_paused: bool, hold: HoldOfStage | None, is_failing: bool, left: int) -> Health:
    if is_paused:
        return "paused"
    if hold:
        return "held"
    if is_failing:
        return "failing"
    return "working" if left else "idle"
