"""One trace through everything that a request sets off, as `traceparent` carries it (W3C Trace Context, level 1).

The id of the trace in hand is bound for the log: what is logged, queued or sent while it is bound belongs to it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import Token
from typing import Any
from uuid import UUID, uuid4

import structlog

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<parent>[0-9a-f]{16})-[0-9a-f]{2}")
_LONGEST = 512
_FIELD = "trace_id"


def parse(traceparent: object) -> UUID | None:
    """The trace that a header names; None for anything that is no `traceparent`.

    A version after ours may say more behind a further dash; all zeros name nothing.
    """
    if not isinstance(traceparent, str) or len(traceparent) > _LONGEST:
        return None
    found = _TRACEPARENT.match(traceparent)
    if found is None or not int(found["trace"], 16) or not int(found["parent"], 16):
        return None
    rest = traceparent[found.end() :]
    is_well_ended = not rest or (rest.startswith("-") and not traceparent.startswith("00-"))
    return UUID(found["trace"]) if is_well_ended else None


def traceparent(trace_id: UUID, run_id: UUID) -> str:
    """The header of the message of a run. Its span is named after the run, so that every copy of it names its run."""
    return f"00-{trace_id.hex}-{span_of(run_id)}-01"


def span_of(run_id: UUID) -> str:
    """The random half of the run's id; never all zeros, for a UUID has bits that are set there."""
    return run_id.hex[16:]


def bind(trace_id: UUID | None, **fields: object) -> Mapping[str, Token[Any]]:  # Any: structlog's
    """What follows in this task belongs to this trace, or to a new one, until what this gives is handed to
    `structlog.contextvars.reset_contextvars`; `fields` are logged as well."""
    return structlog.contextvars.bind_contextvars(**{_FIELD: (trace_id or uuid4()).hex}, **fields)


@contextmanager
def bound(trace_id: UUID | None, **fields: object) -> Iterator[None]:
    """Everything in here belongs to this trace, or to a new one; `fields` are logged as well."""
    with structlog.contextvars.bound_contextvars(**{_FIELD: (trace_id or uuid4()).hex}, **fields):
        yield


def current() -> UUID:
    """The trace in hand, or a new one."""
    in_hand = structlog.contextvars.get_contextvars().get(_FIELD)
    return UUID(in_hand) if in_hand else uuid4()
