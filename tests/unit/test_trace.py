"""`traceparent` as the W3C defines it, and how a trace is handed on."""

import uuid

import pytest
import structlog

from shared import trace

A_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
A_PARENT = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header", [f"00-{A_TRACE}-{A_PARENT}-01", f"00-{A_TRACE}-{A_PARENT}-00", f"cc-{A_TRACE}-{A_PARENT}-01-what-will-be"]
)
def test_a_traceparent_names_its_trace(header: str) -> None:
    assert trace.parse(header) == uuid.UUID(A_TRACE)


@pytest.mark.parametrize(
    "header",
    [
        *(None, 7, b"00", "", "00", f"00-{A_TRACE}", f"00-{A_TRACE}-{A_PARENT}"),
        f"00-{A_TRACE.upper()}-{A_PARENT}-01",
        f"00-{'0' * 32}-{A_PARENT}-01",
        f"00-{A_TRACE}-{'0' * 16}-01",
        f"ff-{A_TRACE}-{A_PARENT}-01",
        f"00-{A_TRACE}-{A_PARENT}-01-more",
        f"00-{A_TRACE}-{A_PARENT}-01\n",
        f"cc-{A_TRACE}-{A_PARENT}-01.more",
        f"cc-{A_TRACE}-{A_PARENT}-01-{'x' * 10_000}",
        f" 00-{A_TRACE}-{A_PARENT}-01",
    ],
)
def test_anything_else_names_none(header: object) -> None:
    assert trace.parse(header) is None


def test_the_traceparent_of_a_run_names_its_trace_and_its_run() -> None:
    trace_id, run_id = uuid.uuid4(), uuid.uuid4()
    header = trace.traceparent(trace_id, run_id)
    assert trace.parse(header) == trace_id
    assert trace.span_of(run_id) in header
    assert trace.span_of(uuid.uuid4()) not in header


def test_what_happens_inside_belongs_to_the_trace_and_nothing_after_it() -> None:
    trace_id = uuid.uuid4()
    with trace.bound(trace_id, correlation_id="import-3"):
        assert trace.current() == trace_id
        assert structlog.contextvars.get_contextvars()["correlation_id"] == "import-3"
    assert trace.current() != trace_id
    assert "correlation_id" not in structlog.contextvars.get_contextvars()


def test_without_a_trace_one_begins() -> None:
    with trace.bound(None):
        assert trace.current() == trace.current()
    assert trace.current() != trace.current()
