"""How long the request in hand waited for its bytes, apart from the work with them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_seconds: ContextVar[float] = ContextVar("fetch_seconds", default=0.0)


@contextmanager
def fetching() -> Iterator[None]:
    """What happens in here is waiting for bytes."""
    started = time.perf_counter()
    try:
        yield
    finally:
        add(time.perf_counter() - started)


def add(seconds: float) -> None:
    _seconds.set(_seconds.get() + seconds)


def take() -> float:
    """The seconds since it was last asked."""
    seconds = _seconds.get()
    _seconds.set(0.0)
    return seconds
