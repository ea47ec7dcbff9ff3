"""How far backfills are."""

from collections.abc import Callable
from datetime import datetime
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.backfills.kinds import WORK, Kind
from orchestrator.backfills.service import unknown
from orchestrator.imports.folders import shown
from orchestrator.models import Backfill
from orchestrator.pipeline import Pipeline, stages
from orchestrator.stages.queries import waiting_stages

_MOST = 20


class BackfillView(BaseModel):
    """`total` photos of which `done` and `failed` were worked on, `skipped` were under way already or on a drive that
    is away, and `in_work` wait for a worker or have one. `why`: what keeps it from going on."""

    id: int
    kind: str
    stage: str
    source: str | None
    where: list[str]
    state: str
    total: int
    done: int
    failed: int
    skipped: int
    in_work: int
    why: str | None
    seconds_left: float | None
    created_at: datetime
    finished_at: datetime | None


class BackfillList(BaseModel):
    items: list[BackfillView]
    next: None = None


class Sight:
    """What is known outside the database: why a stage stands still, and how fast it is."""

    def __init__(
        self, pipeline: Pipeline, trouble_of: Callable[[str], str | None], rate_of: Callable[[str], float | None]
    ) -> None:
        self.stages, self.trouble_of, self.rate_of = stages(pipeline), trouble_of, rate_of


async def newest(session: AsyncSession, sight: Sight) -> BackfillList:
    known = select(Backfill).where(col(Backfill.kind).in_(list(WORK)))  # a newer version may have begun others
    open_first = known.order_by(col(Backfill.finished_at).is_(None).desc(), col(Backfill.id).desc())
    rows = await session.scalars(open_first.limit(_MOST))
    return BackfillList(items=[await _view(session, sight, one) for one in rows.all()])


async def one(session: AsyncSession, sight: Sight, backfill_id: int) -> BackfillView:
    """Refused when there is no such backfill."""
    found = await session.get(Backfill, backfill_id, populate_existing=True)
    if found is None or found.kind not in WORK:
        raise unknown()
    return await _view(session, sight, found)


async def _view(session: AsyncSession, sight: Sight, backfill: Backfill) -> BackfillView:
    kind: Kind = backfill.kind  # type: ignore[assignment]  # a column is a str
    stage = WORK[kind].stage
    counted = text("SELECT count(*) FROM backfill_items WHERE backfill_id = :id")
    in_work = int(await session.scalar(counted, {"id": backfill.id}) or 0)
    settled = backfill.done + backfill.failed + backfill.skipped
    total = max(backfill.total, settled + in_work)
    is_running = backfill.state == "running"
    why = await _why(session, sight, stage) if is_running else None
    rate = sight.rate_of(stage) if is_running and not why else None
    source = backfill.wish.get("source")
    return BackfillView(
        id=backfill.id,
        kind=kind,
        stage=stage,
        source=shown(unquote_to_bytes(source)) if source else None,
        where=backfill.wish["where"],
        state=backfill.state,
        total=total,
        done=backfill.done,
        failed=backfill.failed,
        skipped=backfill.skipped,
        in_work=in_work,
        why=why,
        seconds_left=round((total - settled) / rate, 1) if rate else None,
        created_at=backfill.created_at,
        finished_at=backfill.finished_at,
    )


async def _why(session: AsyncSession, sight: Sight, stage: str) -> str | None:
    waiting = await waiting_stages(session, [name for name in sight.stages if name == stage], sight.trouble_of)
    first = next((one for one in waiting if one.stage == stage), None)
    if first is not None and first.is_paused:
        return f"The stage {stage} is paused. Resume it in the pipeline."
    return first.cause if first else None
