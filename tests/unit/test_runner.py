"""What becomes of a delivery: the closed set of verdicts, and bugs."""

import json
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest
import structlog

from shared import trace
from shared.contracts import Message
from shared.contracts.answers import Done, Failed, Held, Upstream, answer_adapter
from shared.errors import CorruptFile, Hold, Reject, Retry
from shared.settings import Settings
from workers import fetching
from workers.runner import Delivery, Outcome, run, run_batch
from workers.stage import Stage, one_by_one
from workers.tools import Tools


class Request(Message):
    kind: ClassVar[str] = "echo.request"
    photo_id: int


class Result(Message):
    kind: ClassVar[str] = "echo.result"
    photo_id: int


@pytest.fixture
def tools() -> Tools:
    return Tools(Settings())


def a_stage(raised: Exception | None = None, max_attempts: int = 3) -> Stage:
    def handle(request: Request, tools: Tools) -> Result:
        if raised is not None:
            raise raised
        return Result(photo_id=request.photo_id)

    return Stage("echo", Request, Result, one_by_one(handle), max_attempts=max_attempts)


def a_delivery(photo_id: int = 1, attempt: int = 1) -> Delivery:
    return Delivery(json.dumps({"photo_id": photo_id}).encode(), uuid.uuid4(), attempt)


def test_a_result_is_answered_and_acked(tools: Tools) -> None:
    delivery = a_delivery(7)
    outcome = run(a_stage(), delivery, tools)
    assert isinstance(outcome.answer, Done)
    assert (outcome.answer.run_id, outcome.answer.result) == (delivery.run_id, {"photo_id": 7})
    assert (outcome.retry, outcome.dead_letter) == (False, False)


def test_a_reject_is_final_and_dead_lettered(tools: Tools) -> None:
    answer = _failed(outcome := run(a_stage(CorruptFile(size=3)), a_delivery(), tools))
    assert (answer.final, outcome.retry, outcome.dead_letter) == (True, False, True)
    assert answer.failure.error_type == "CorruptFile"
    assert answer.failure.message == "This file is broken and shows no picture."
    assert answer.failure.context == {"size": 3}


def test_a_retry_waits_for_another_attempt_until_they_are_used_up(tools: Tools) -> None:
    stage = a_stage(Retry("busy", after_seconds=12))
    first = run(stage, a_delivery(attempt=1), tools)
    assert (_failed(first).final, first.retry, first.retry_after_seconds, first.dead_letter) == (False, True, 12, False)
    last = run(stage, a_delivery(attempt=3), tools)
    assert (_failed(last).final, last.retry, last.dead_letter) == (True, False, True)


def test_a_hold_uses_up_no_attempt(tools: Tools) -> None:
    outcome = run(a_stage(Hold("The disk is full.", key="claims")), a_delivery(attempt=3), tools)
    assert isinstance(outcome.answer, Held)
    assert (outcome.answer.key, outcome.answer.cause) == ("claims", "The disk is full.")
    assert (outcome.retry, outcome.dead_letter) == (False, False)


def test_a_bug_keeps_its_traceback_and_has_bounded_attempts(tools: Tools) -> None:
    stage = a_stage(ZeroDivisionError("division by zero"))
    answer = _failed(run(stage, a_delivery(), tools))
    assert answer.failure.error_type == "ZeroDivisionError"
    assert "in handle" in (answer.failure.traceback or "")
    assert run(stage, a_delivery(attempt=3), tools).dead_letter


def test_what_an_upstream_said_survives(tools: Tools) -> None:
    verdict = Reject("too large", upstream=Upstream(status_code=413, message="payload"))
    failure = _failed(run(a_stage(verdict), a_delivery(), tools)).failure
    assert failure.upstream is not None
    assert failure.upstream.status_code == 413


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'{"photo_id": "x"}', b"\xff\xfe", b"null"])
def test_a_message_that_is_no_request_is_rejected_with_a_sentence(tools: Tools, body: bytes) -> None:
    outcome = run(a_stage(), Delivery(body, uuid.uuid4()), tools)
    failure = _failed(outcome).failure
    assert failure.error_type == "Undecodable"
    assert failure.message.startswith("A message on the echo queue cannot be read")
    assert outcome.dead_letter


def test_a_message_without_a_run_id_is_dead_lettered_without_an_answer(tools: Tools) -> None:
    assert run(a_stage(), Delivery(b'{"photo_id": 1}', None), tools) == Outcome(None, dead_letter=True)


def test_a_bug_in_a_batch_costs_only_its_own_request(tools: Tools) -> None:
    def handle(requests: Sequence[Request], tools: Tools) -> list[Result]:
        if any(request.photo_id == 3 for request in requests):
            raise ValueError("three")
        return [Result(photo_id=request.photo_id) for request in requests]

    stage = Stage("echo", Request, Result, handle, batch=8)
    outcomes = run_batch(stage, [a_delivery(n) for n in (1, 2, 3, 4)], tools)
    assert [type(outcome.answer) for outcome in outcomes] == [Done, Done, Failed, Done]


def test_verdicts_in_a_batch_speak_for_their_own_request(tools: Tools) -> None:
    def handle(requests: Sequence[Request], tools: Tools) -> list[Result | Reject]:
        return [CorruptFile() if r.photo_id == 2 else Result(photo_id=r.photo_id) for r in requests]

    deliveries = [a_delivery(1), Delivery(b"?", uuid.uuid4()), a_delivery(2), a_delivery(3)]
    outcomes = run_batch(Stage("echo", Request, Result, handle, batch=8), deliveries, tools)
    assert [outcome.dead_letter for outcome in outcomes] == [False, True, True, False]
    assert [outcome.answer.run_id for outcome in outcomes if outcome.answer] == [d.run_id for d in deliveries]


def test_the_attempt_is_told_to_a_request_that_is_worked_alone(tools: Tools) -> None:
    run(a_stage(), a_delivery(attempt=2), tools)
    assert tools.attempt == 2
    run_batch(a_stage(), [a_delivery(), a_delivery()], tools)
    assert tools.attempt == 1


def test_any_context_of_an_error_survives_the_way_to_the_database(tools: Tools) -> None:
    verdict = Reject(
        "no", file="a\udce9\x00.jpg", path=Path("/p"), share=float("nan"), more={"\x00": [b"x", (1, None)]}
    )
    answer = answer_adapter.validate_json(_failed(run(a_stage(verdict), a_delivery(), tools)).model_dump_json())
    assert isinstance(answer, Failed)
    assert answer.failure.context == {
        "file": "a.jpg",
        "path": "/p",
        "share": "nan",
        "more": {"": ["b'x'", [1, None]]},
    }


def test_what_is_logged_while_a_message_is_worked_carries_its_correlation_id_and_its_trace(tools: Tools) -> None:
    bound: list[dict[str, object]] = []

    def handle(request: Request, tools: Tools) -> Result:
        bound.append(dict(structlog.contextvars.get_contextvars()))
        return Result(photo_id=request.photo_id)

    stage = Stage("echo", Request, Result, one_by_one(handle))
    run_id, trace_id = uuid.uuid4(), uuid.uuid4()
    run(stage, Delivery(b'{"photo_id": 1}', run_id, 1, "import-3", trace.traceparent(trace_id, run_id)), tools)
    run(stage, Delivery(b'{"photo_id": 1}', run_id, 1, "import-3", "of somebody else"), tools)
    assert [(one["correlation_id"], one["trace_id"]) for one in bound] == [
        ("import-3", trace_id.hex), ("import-3", None),
    ]  # fmt: skip


def test_a_message_accounts_for_its_time(tools: Tools) -> None:
    def handle(request: Request, tools: Tools) -> Result:
        fetching.add(3600)  # an hour of waiting for bytes, and hardly any work
        return Result(photo_id=request.photo_id)

    stage = Stage("echo", Request, Result, one_by_one(handle))
    for _ in range(2):  # nothing is left over from the message before
        account = run(stage, a_delivery(7), tools).account
        assert (account.verdict, account.photo_id, account.fetch_seconds) == ("done", 7, 3600)
        assert account.work_seconds < 3600


@pytest.mark.parametrize(
    ("raised", "attempt", "verdict"),
    [
        (Hold("The disk is full.", key="claims"), 1, "held"),
        (Retry("busy"), 1, "retry"),
        (Retry("busy"), 3, "failed"),
        (CorruptFile(), 1, "rejected"),
        (ZeroDivisionError(), 3, "failed"),
    ],
)
def test_an_account_says_how_it_ended(tools: Tools, raised: Exception, attempt: int, verdict: str) -> None:
    account = run(a_stage(raised), a_delivery(attempt=attempt), tools).account
    assert (account.verdict, bool(account.trouble)) == (verdict, True)


def _failed(outcome: Outcome) -> Failed:
    assert isinstance(outcome.answer, Failed)
    return outcome.answer
