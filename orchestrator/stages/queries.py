"""How the pipeline is doing: what waits, works, failed, and what holds it up."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import tallies

Health = Literal["idle", "working", "held", "failing"]


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


class StageList(BaseModel):
    items: list[StageItem]
    problems: int  # failed runs, and messages that belong to none
    next: None = None


_HOLDS = "SELECT stage, key, cause, opened_at AS since, probe_at AS next_try FROM breakers ORDER BY opened_at DESC"
# A stage is failing while its last attempts, within a minute, ended for good.
_FAILING = """
SELECT s.stage FROM unnest(CAST(:stages AS text[])) AS s(stage) WHERE (
  SELECT count(*) FILTER (WHERE final AND created_at > now() - interval '1 minute') >= 3
  FROM (SELECT final, created_at FROM error_logs WHERE stage = s.stage ORDER BY id DESC LIMIT 5) AS last
)"""
_STRAYS = "SELECT count(*) FROM dead_letters WHERE state = 'open' AND run_id IS NULL"


async def stage_list(
    session: AsyncSession, stages: tuple[str, ...], trouble_of: Callable[[str], str | None]
) -> StageList:
    counts = await tallies.of_stages(session)
    holds = {
        row.stage: HoldOfStage.model_validate(row, from_attributes=True) for row in await session.execute(text(_HOLDS))
    }
    holds |= {stage: HoldOfStage(key="broker", cause=cause) for stage in stages if (cause := trouble_of(stage))}
    failing = set(await session.scalars(text(_FAILING), {"stages": list(stages)}))
    items = [_item(stage, counts.get(stage, {}), holds.get(stage), stage in failing) for stage in stages]
    strays = (await session.execute(text(_STRAYS))).scalar_one()
    return StageList(items=items, problems=sum(item.failed for item in items) + strays)


def _item(stage: str, counts: tallies.Counts, hold: HoldOfStage | None, is_failing: bool) -> StageItem:
    return StageItem(stage=stage, health=_health(counts, hold, is_failing), hold=hold, **_states(counts))


def _states(counts: tallies.Counts) -> dict[str, int]:
    return {state: max(0, n) for state, n in counts.items() if state in StageItem.model_fields}


def _health(counts: tallies.Counts, hold: HoldOfStage | None, is_failing: bool) -> Health:
    if hold:
        return "held"
    if is_failing:
        return "failing"
    is_working = any(counts.get(state) for state in ("queued", "published", "retrying"))
    return "working" if is_working else "idle"
