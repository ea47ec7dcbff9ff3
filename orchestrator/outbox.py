"""The relay: publishes queued runs in priority order, no more at once than the workers have use for, and of heavy
stages less while somebody looks through photos.

A run is marked published after its confirm: killed in between, it is published again, and only the first success
applies. What is not in the window can still be paused, cancelled, overtaken or held.

Only the orchestrator that leads publishes, so that the window is one. The others look, to say on their pages how it
goes.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import attention, breakers, runs, tallies
from orchestrator.broker import Broker, Outgoing
from orchestrator.db import Sessions
from orchestrator.metrics.instruments import OUTBOX_WAIT_SECONDS
from orchestrator.models import Breaker
from orchestrator.pipeline import Pipeline, Step, stages
from orchestrator.throughput import Throughput

log = structlog.get_logger()

IDLE_SECONDS = 0.5
CONSUMERS_SECONDS = 2.0  # how long a consumer count is believed
WINDOW_SECONDS = 2.0  # of measured throughput may be in the broker at once
MAX_PUBLISH = 500
ANY_PRIORITY = 32_767  # the largest there is
PATIENCE_SECONDS = 15.0  # a start of workers, or a slow disk of the broker, is no trouble yet


class Relay:
    """Runs for the life of one broker connection. `wake` it after a commit that queued something."""

    def __init__(self, sessions: Sessions, pipeline: Pipeline, throughput: Throughput) -> None:
        self._sessions = sessions
        self._pipeline = pipeline
        self._throughput = throughput
        self._woken = asyncio.Event()
        self._consumers: dict[str, int] = {}
        self._counted_at: dict[str, float] = {}
        self._alone_since: dict[str, float] = {}
        self._publishing_since: float | None = None

    @property
    def is_refused(self) -> bool:
        """Whether the broker has not confirmed a message for so long that it must be taking none."""
        since = self._publishing_since
        return since is not None and time.monotonic() - since > PATIENCE_SECONDS

    def stages_without_workers(self) -> frozenset[str]:
        """Stages that have messages to be worked and for some time nobody who takes them."""
        now = time.monotonic()
        return frozenset(stage for stage, since in self._alone_since.items() if now - since > PATIENCE_SECONDS)

    def wake(self) -> None:
        self._woken.set()

    async def run(self, broker: Broker) -> None:
        """Raises what the broker or the database raises; the caller reconnects."""
        self._counted_at.clear()
        while True:
            self._woken.clear()
            published = await self._turn(broker)
            if not published:
                try:
                    await asyncio.wait_for(self._woken.wait(), IDLE_SECONDS)
                except TimeoutError:
                    continue

    async def look_on(self, broker: Broker) -> None:
        """Publish nothing; know whether workers are there, and how fast stages answer. Raises as `run` does."""
        self._counted_at.clear()
        answered: dict[str, int] = {}
        while True:
            async with self._sessions() as session:
                counts = await tallies.of_stages(session)
                paused_stages = await _paused_stages(session)
            for step in self._pipeline:
                now = sum(counts[step.stage].get(state, 0) for state in ("done", "failed"))
                if new := max(0, now - answered.get(step.stage, now)):
                    self._throughput.add(step.stage, new)
                answered[step.stage] = now
                if not self._rests(step.stage, counts[step.stage], paused_stages):
                    await self._window(broker, step)
            await asyncio.sleep(CONSUMERS_SECONDS)

    def _rests(self, stage: str, counts: tallies.Counts, paused_stages: frozenset[str]) -> bool:
        """Whether nothing of the stage is to be done now: it needs no workers, and what follows is measured anew."""
        if counts.get("published", 0) or (counts.get("queued", 0) and stage not in paused_stages):
            return False
        self._alone_since.pop(stage, None)
        self._throughput.rest(stage)
        return True

    async def _turn(self, broker: Broker) -> int:
        async with self._sessions() as session:
            open_breakers = (await session.execute(select(Breaker))).scalars().all()
            paused = await _paused_imports(session)
            paused_stages = await _paused_stages(session)
            if open_breakers:
                await breakers.hold_what_waits(session, open_breakers)
                await session.commit()
            running = [stage for stage in stages(self._pipeline) if stage not in paused_stages]
            published = await self._probe(session, broker, open_breakers, running, paused)
            counts = await tallies.of_stages(session)
            is_somebody_there = await attention.is_there(session)
            await session.commit()
            for step in self._pipeline:
                if self._rests(step.stage, counts[step.stage], paused_stages):
                    continue
                queued, published_before = (counts[step.stage].get(state, 0) for state in ("queued", "published"))
                room = await self._window(broker, step) - published_before
                if queued and step.stage not in paused_stages:
                    # What was queued since `hold_what_waits` is not published either: it may wait for the person's yes.
                    shut = breakers.shut_for(step.stage, open_breakers)
                    below, room = _yielding(step, published_before, room, is_somebody_there=is_somebody_there)
                    rows = await _next(session, step.stage, paused, shut, below, min(room, MAX_PUBLISH))
                    await session.commit()
                    published += await self._publish(session, broker, rows)
        return published

    async def _window(self, broker: Broker, step: Step) -> int:
        now = time.monotonic()
        if now - self._counted_at.get(step.stage, -CONSUMERS_SECONDS) >= CONSUMERS_SECONDS:
            _, self._consumers[step.stage] = await broker.queue_state(broker.names.stage_queue(step.stage))
            self._counted_at[step.stage] = now
            if self._consumers[step.stage]:
                self._alone_since.pop(step.stage, None)
            else:
                self._alone_since.setdefault(step.stage, now)
        if step.concurrency is not None:
            return step.concurrency
        measured = self._throughput.per_second(step.stage) * WINDOW_SECONDS
        return max(self._consumers[step.stage] * step.batch, int(measured), step.batch)

    async def _probe(
        self,
        session: AsyncSession,
        broker: Broker,
        open_breakers: Sequence[Breaker],
        running: Sequence[str],
        paused: Sequence[int],
    ) -> int:
        published = 0
        for breaker in open_breakers:
            run = await breakers.begin_probe(session, breaker.key, datetime.now(UTC), running, paused)
            rows = await _runs(session, "id = :id", {"id": run}) if run is not None else []
            await session.commit()
            published += await self._publish(session, broker, rows)
        return published

    async def _publish(self, session: AsyncSession, broker: Broker, rows: Sequence[Row[tuple[object, ...]]]) -> int:
        if not rows:
            return 0
        kinds = {step.stage: step.request.kind for step in self._pipeline}
        self._publishing_since = time.monotonic()
        try:
            await broker.publish([_outgoing(row, kinds[row.stage]) for row in rows])
        finally:
            self._publishing_since = None
        await session.execute(
            text(
                # Who holds a row here has its answer already, or cancels it: waiting for that could end in a circle.
                # One that was held meanwhile is answered too: it waits again, since a later moment.
                "UPDATE stage_runs SET state = 'published', published_at = now(), hold_key = NULL WHERE id IN ("
                "SELECT stage_runs.id FROM stage_runs JOIN unnest(CAST(:ids AS bigint[]), CAST(:runs AS uuid[]),"
                " CAST(:queued AS timestamptz[])) AS out (id, run, queued_at) ON stage_runs.id = out.id"
                " AND run_id = out.run AND stage_runs.queued_at = out.queued_at AND state IN ('queued', 'held')"
                " FOR UPDATE OF stage_runs SKIP LOCKED)"
            ),
            {
                "ids": [row.id for row in rows],
                "runs": [row.run_id for row in rows],
                "queued": [row.queued_at for row in rows],
            },
        )
        await session.commit()
        now = datetime.now(UTC)
        for row in rows:
            OUTBOX_WAIT_SECONDS.labels(row.stage).observe(max(0, (now - row.queued_at).total_seconds()))
        return len(rows)


def _yielding(step: Step, published: int, room: int, *, is_somebody_there: bool) -> tuple[int, int]:
    """Below which priority runs may go out, and how many."""
    if not (step.is_heavy and is_somebody_there):
        return ANY_PRIORITY, room
    return (0, room) if published else (ANY_PRIORITY, min(room, 1))


async def _paused_imports(session: AsyncSession) -> list[int]:
    rows = await session.execute(text("SELECT id FROM imports WHERE state = 'paused'"))
    return list(rows.scalars())


async def _paused_stages(session: AsyncSession) -> frozenset[str]:
    rows = await session.execute(text("SELECT stage FROM stage_pauses"))
    return frozenset(rows.scalars())


async def _next(
    session: AsyncSession, stage: str, paused: Sequence[int], shut: breakers.Shut, below: int, limit: int
) -> Sequence[Row[tuple[object, ...]]]:
    """Not those that somebody is changing, cancelling many perhaps: they could not be marked published, and would be
    published again and again until that is over."""
    if limit <= 0 or shut.is_all:
        return []
    return await _runs(
        session,
        "stage = :stage AND state = 'queued' AND priority < :below AND coalesce(import_id, 0) <> ALL(:paused)"
        " AND coalesce(gate, '') <> ALL(:gates) ORDER BY priority, id LIMIT :limit FOR UPDATE SKIP LOCKED",
        {"stage": stage, "below": below, "paused": list(paused), "gates": list(shut.gates), "limit": limit},
    )


async def _runs(session: AsyncSession, where: str, parameters: dict[str, object]) -> Sequence[Row[tuple[object, ...]]]:
    columns = "id, stage, subject, photo_id, run_id, trace_id, attempt, request, import_id, priority, queued_at"
    return (await session.execute(text(f"SELECT {columns} FROM stage_runs WHERE {where}"), parameters)).all()


def _outgoing(row: Row[tuple[object, ...]], kind: str) -> Outgoing:
    return Outgoing(
        stage=row.stage,
        run_id=row.run_id,
        attempt=row.attempt,
        kind=kind,
        body=json.dumps(row.request).encode(),
        correlation_id=_correlation_id(row),
        trace_id=row.trace_id,
        is_urgent=row.priority < 0,
    )


def _correlation_id(row: Row[tuple[object, ...]]) -> str:
    """What it is part of: an import, else a job, else what is done about this photo alone."""
    if row.import_id:
        return runs.correlation_id(row.import_id)
    return f"photo-{row.photo_id}" if row.photo_id else str(row.subject)
