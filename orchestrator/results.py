"""Applying answers: a batch in one transaction, acked after its commit. What cannot be applied is a dead letter."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import structlog
from pydantic import ValidationError
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import breakers, events, identity_lock, runs
from orchestrator.broker import Incoming
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.failures import filing
from orchestrator.failures import results as failures
from orchestrator.imports import items
from orchestrator.metrics.answers import Settled, report, report_unapplied, settled, trace_of
from orchestrator.models import CANCELLED, DONE, FAILED, HELD, RETRYING, StageRun
from orchestrator.photos import sweeper
from orchestrator.pipeline import Pipeline
from orchestrator.renditions import results as renditions
from orchestrator.stage_results import Applied
from orchestrator.throughput import Throughput
from shared import trace
from shared.contracts import Message
from shared.contracts.answers import Done, Failed, Held, answer_adapter

log = structlog.get_logger()

DATABASE_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class Answer:
    """An answer with the bytes it came in, should they have to be kept."""

    answer: Done | Failed | Held
    raw: Incoming


class ResultApplier:
    """Called with batches from the `results` queue; returns when they are committed."""

    def __init__(
        self,
        sessions: Sessions,
        pipeline: Pipeline,
        throughput: Throughput,
        probe_seconds: float,
        on_commit: Callable[[], None],
    ) -> None:
        self._sessions = sessions
        self._steps = {step.stage: step for step in pipeline}
        self._throughput = throughput
        self._probe_seconds = probe_seconds
        self._on_commit = on_commit

    async def apply(self, messages: list[Incoming]) -> None:
        """Waits while the database is away, and raises nothing that a message can cause."""
        answers, unreadable = _decoded(messages)
        while True:
            try:
                await self._apply_batch(answers)
                await self._keep_all(unreadable)
                break
            except Exception as exc:
                if not is_passing_trouble(exc):
                    raise
                log.warning("results.database_away", error=str(exc).partition("\n")[0])
                await asyncio.sleep(DATABASE_RETRY_SECONDS)
        for stage, count in Counter(answer.answer.stage for answer in answers).items():
            self._throughput.add(stage, count)
        self._on_commit()

    async def _apply_batch(self, answers: Sequence[Answer]) -> None:
        try:
            await self._commit(answers)
        except Exception as exc:
            if is_passing_trouble(exc):
                raise
            log.exception("results.batch_failed", answers=len(answers))
            for answer in answers:
                await self._apply_alone(answer)

    async def _apply_alone(self, answer: Answer) -> None:
        with trace.bound(trace_of(answer.raw), correlation_id=answer.raw.correlation_id):
            try:
                await self._commit([answer])
            except Exception as exc:
                if is_passing_trouble(exc):
                    raise
                log.exception("results.answer_failed", run_id=str(answer.answer.run_id))
                await self._keep_all([(answer.raw, exc)])
                if isinstance(answer.answer, Done):
                    async with self._sessions.begin() as session:
                        await sweeper.consider_result(session, answer.answer.result)

    async def _keep_all(self, broken: Sequence[tuple[Incoming, Exception]]) -> None:
        for raw, error in broken:
            async with self._sessions.begin() as session:
                await identity_lock.take(session)
                await filing.keep_unapplied(session, raw, error)
            report_unapplied(raw, error)

    async def _commit(self, answers: Sequence[Answer]) -> None:
        if not answers:
            return
        started, taken_in = time.perf_counter(), list[Settled]()
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            found = await _lock_runs(session, [answer.answer.run_id for answer in answers])
            done: dict[str, list[Applied]] = defaultdict(list)
            failed: list[tuple[Failed, StageRun]] = []
            for answer, raw in ((a.answer, a.raw) for a in answers):
                run = found.get(answer.run_id)
                is_stale = run is None or run.state in (DONE, CANCELLED)
                taken_in.append(settled(answer, raw, run, is_stale=is_stale))
                if run is None or is_stale:
                    if isinstance(answer, Done):
                        await sweeper.consider_result(session, answer.result)
                elif isinstance(answer, Done):
                    if all(applied.run is not run for applied in done[answer.stage]):
                        result = self._steps[answer.stage].result.model_validate(answer.result)
                        done[answer.stage].append(Applied(run, result))
                elif isinstance(answer, Failed):
                    failed.append((answer, run))
                else:
                    await self._hold(session, answer, run)
            await self._fail(session, failed)
            await self._finish(session, done)
            answered = [a.answer.run_id for a in answers if not isinstance(a.answer, Held)]
            await breakers.close_after_probe(session, answered)
        report(taken_in, time.perf_counter() - started)

    async def _hold(self, session: AsyncSession, held: Held, run: StageRun) -> None:
        run.state, run.hold_key, run.queued_at = HELD, held.key, datetime.now(UTC)
        run.attempt = max(run.attempt, held.attempt)
        await renditions.tell_trouble(session, [run])
        await breakers.open_for(session, held, self._probe_seconds)
        await events.record(session, events.STAGES, [])

    async def _fail(self, session: AsyncSession, failed: Sequence[tuple[Failed, StageRun]]) -> None:
        if not failed:
            return
        logged = await failures.log_failures(session, failed)
        for answer, run in failed:
            if run.state != FAILED:  # a late notice of an earlier attempt says nothing new
                run.state = FAILED if answer.final else RETRYING
            run.attempt = max(run.attempt, answer.attempt)
            run.error_type, run.error = answer.failure.error_type, answer.failure.message
        await session.flush()
        await items.settle_failed(session, [run for answer, run in failed if answer.final])
        await failures.name_dead_letters(session, [answer for answer, _ in failed if answer.final])
        await renditions.tell_trouble(session, [run for answer, run in failed if answer.final])
        await events.record(session, events.FAILURES, logged)
        await events.record(session, events.PHOTOS, [run.photo_id for _, run in failed if run.photo_id])

    async def _finish(self, session: AsyncSession, done: dict[str, list[Applied]]) -> None:
        # Later stages first: what follows an earlier one supersedes their runs.
        for stage in [stage for stage in reversed(self._steps) if stage in done]:
            applied = done[stage]
            applied.sort(key=lambda one: one.run.photo_id or 0)
            for one in applied:
                one.run.state, one.run.error, one.run.error_type = DONE, None, None
            await session.flush()
            await session.execute(
                text("UPDATE stage_runs SET finished_at = now() WHERE id = ANY(:ids)"),
                {"ids": [one.run.id for one in applied]},
            )
            photo_ids = await self._steps[stage].apply(session, applied)
            await session.flush()
            await failures.resolve(session, [one.run.run_id for one in applied])
            before = {one.run.photo_id: one.run for one in applied if one.run.photo_id}
            for step in self._steps.values():
                if step.after == stage and step.follow is not None:
                    requests = await step.follow(session, photo_ids)
                    await runs.queue(session, [_following(step.stage, p, r, before.get(p)) for p, r in requests])
            await events.record(session, events.PHOTOS, list(photo_ids))


def _following(stage: str, photo_id: int, request: Message, before: StageRun | None) -> runs.NewRun:
    """Part of the same import and the same trace as the run that it follows."""
    if before is None:
        return runs.NewRun(stage, photo_id, request)
    return runs.NewRun(stage, photo_id, request, before.import_id, trace_id=before.trace_id)


def _decoded(messages: Sequence[Incoming]) -> tuple[list[Answer], list[tuple[Incoming, Exception]]]:
    answers: list[Answer] = []
    unreadable: list[tuple[Incoming, Exception]] = []
    for message in messages:
        try:
            answers.append(Answer(answer_adapter.validate_json(message.body), message))
        except ValidationError as exc:
            unreadable.append((message, exc))
    return answers, unreadable


async def _lock_runs(session: AsyncSession, run_ids: Sequence[UUID]) -> dict[UUID, StageRun]:
    rows = await session.execute(
        select(StageRun).where(col(StageRun.run_id).in_(run_ids)).order_by(col(StageRun.id)).with_for_update()
    )
    return {run.run_id: run for run in rows.scalars()}
