"""What becomes of a delivery: decode it, handle it, classify the outcome. All policy, no transport."""

import time
import traceback
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal
from uuid import UUID

import structlog.contextvars
from pydantic import ValidationError

from shared import trace
from shared.contracts import Message
from shared.contracts.answers import Done, Failed, Failure, Held, Upstream
from shared.errors import Hold, Reject, Retry, Verdict
from workers import fetching
from workers.stage import Stage
from workers.tools import Tools

Ending = Literal["done", "held", "retry", "rejected", "failed"]

TRACEBACK_CHARACTERS = 1_900  # the end of it, below the cap of shared.contracts.Text


@dataclass(frozen=True)
class Delivery:
    """A message as the transport hands it over. `attempt` is the shown one: header plus broker redeliveries."""

    body: bytes
    run_id: UUID | None
    attempt: int = 1
    correlation_id: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True)
class Account:
    """How it went with a message and where its time went: for the log and the counts, not for the orchestrator."""

    verdict: Ending
    photo_id: int | None = None
    fetch_seconds: float = 0
    work_seconds: float = 0
    trouble: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What the transport has to do: publish `answer`, perhaps send the message to wait for another attempt,
    then ack the delivery, or reject it so that the broker dead-letters it."""

    answer: Done | Failed | Held | None
    retry: bool = False
    retry_after_seconds: float | None = None
    dead_letter: bool = False
    account: Account = field(default=Account("rejected"), compare=False)


def run(stage: Stage, delivery: Delivery, tools: Tools) -> Outcome:
    """One delivery, worked alone."""
    return run_batch(stage, [delivery], tools)[0]


def run_batch(stage: Stage, deliveries: Sequence[Delivery], tools: Tools) -> list[Outcome]:
    """Outcomes in the order of the deliveries. Never raises for anything that a message or a file can cause."""
    correlation_ids = {delivery.correlation_id for delivery in deliveries if delivery.correlation_id}
    trace_ids = {found.hex for delivery in deliveries if (found := trace.parse(delivery.traceparent))}
    with structlog.contextvars.bound_contextvars(correlation_id=_joined(correlation_ids), trace_id=_joined(trace_ids)):
        return _run_batch(stage, deliveries, tools)


def _joined(ids: Collection[str]) -> str | None:
    """What is logged while a batch is worked may be about any of its messages."""
    return ",".join(sorted(ids)) or None


def _run_batch(stage: Stage, deliveries: Sequence[Delivery], tools: Tools) -> list[Outcome]:
    decoded = [_decode(stage, delivery) for delivery in deliveries]
    requests = [request for request in decoded if not isinstance(request, Reject)]
    fetching.take()
    started = time.perf_counter()
    try:
        answers = iter(_handle(stage, requests, deliveries[0].attempt, tools))
    except Exception:  # it speaks of all of them only because nobody could tell whose it is
        return [run(stage, delivery, tools) for delivery in deliveries]
    seconds, fetched = time.perf_counter() - started, fetching.take()
    spent = Spent(fetched / max(1, len(requests)), (seconds - fetched) / max(1, len(requests)))
    return [
        _outcome(stage, delivery, request, spent if isinstance(request, Message) else Spent(), answers)
        for delivery, request in zip(deliveries, decoded, strict=True)
    ]


@dataclass(frozen=True)
class Spent:
    """Seconds of one message; those of a batch are shared out."""

    fetching: float = 0
    working: float = 0


def _decode(stage: Stage, delivery: Delivery) -> Message | Reject:
    if delivery.run_id is None:
        return Undecodable("A message without a run id: it was not published by Keepers.")
    try:
        return stage.request.model_validate_json(delivery.body)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        return Undecodable(f"A message on the {stage.name} queue cannot be read: {where}: {first['msg']}.")


class Undecodable(Reject):
    """A message that is not a request of its stage."""


def _handle(stage: Stage, requests: list[Message], attempt: int, tools: Tools) -> Sequence[Message | Exception]:
    """Answers in order. Raises only for a batch of several, when one of them should be told apart from the rest."""
    if not requests:
        return []
    tools.attempt = attempt if len(requests) == 1 else 1
    try:
        answers = stage.handle(requests, tools)
        if len(answers) != len(requests):
            raise AssertionError(f"stage {stage.name} gave {len(answers)} answers to {len(requests)} requests")
    except Hold as hold:
        return [hold] * len(requests)
    except Exception as exc:  # a verdict or a bug: _outcome tells which, and a bug keeps its traceback
        if len(requests) > 1:
            raise
        return [exc]
    return answers


def _outcome(
    stage: Stage,
    delivery: Delivery,
    request: Message | Reject,
    spent: Spent,
    answers: Iterator[Message | Exception],
) -> Outcome:
    answer = request if isinstance(request, Reject) else next(answers)
    photo_id = getattr(request, "photo_id", None)  # a request about many photos has none
    account = partial(Account, photo_id=photo_id, fetch_seconds=spent.fetching, work_seconds=spent.working)
    if isinstance(answer, Message):
        return Outcome(_done(stage, delivery, answer, spent), account=account("done"))
    if isinstance(answer, Hold) and delivery.run_id is not None:
        trouble = {"key": answer.key, "cause": answer.message}
        return Outcome(_held(stage, delivery, answer), account=account("held", trouble=trouble))
    final = isinstance(answer, Reject) or delivery.attempt >= stage.max_attempts
    verdict: Ending = "retry" if not final else "rejected" if isinstance(answer, Reject) else "failed"
    return Outcome(
        _failed(stage, delivery, answer, final),
        retry=not final,
        retry_after_seconds=answer.after_seconds if isinstance(answer, Retry) else None,
        dead_letter=final,
        account=account(verdict, trouble={"error_type": type(answer).__name__, "error": str(answer)}),
    )


def _done(stage: Stage, delivery: Delivery, result: Message, spent: Spent) -> Done:
    assert delivery.run_id is not None
    return Done(
        stage=stage.name,
        run_id=delivery.run_id,
        attempt=delivery.attempt,
        work_ms=(spent.fetching + spent.working) * 1000,
        result=result.model_dump(mode="json"),
    )


def _held(stage: Stage, delivery: Delivery, hold: Hold) -> Held:
    assert delivery.run_id is not None
    return Held(
        stage=stage.name,
        run_id=delivery.run_id,
        attempt=delivery.attempt,
        key=hold.key,
        cause=hold.message,
        until=hold.until,
    )


def _failed(stage: Stage, delivery: Delivery, error: Exception, final: bool) -> Failed | None:
    if delivery.run_id is None:
        return None
    return Failed(
        stage=stage.name,
        run_id=delivery.run_id,
        attempt=delivery.attempt,
        max_attempts=stage.max_attempts,
        final=final,
        failure=failure_of(stage.name, error),
    )


def failure_of(op: str, error: Exception) -> Failure:
    """An error as a page shows it. A bug keeps its traceback, a verdict needs none."""
    if isinstance(error, Verdict):
        context = dict(error.context)
        upstream = context.pop("upstream", None)
        return Failure(
            op=op,
            error_type=type(error).__name__,
            message=error.message,
            context=context,
            upstream=upstream if isinstance(upstream, Upstream) else None,
        )
    return Failure(
        op=op,
        error_type=type(error).__name__,
        message=f"Keepers made a mistake in {op}: {error or type(error).__name__}",
        traceback="".join(traceback.format_exception(error))[-TRACEBACK_CHARACTERS:],
    )
