"""Answers that are costly to work out, each kept for a while."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

log = structlog.get_logger()

_REST = 20.0
_LEAST_REST_SECONDS = 0.5
_MOST_KEPT = 64
_AT_ONCE = 3  # of many questions at a time: they would take every connection to the database

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass
class _Kept(Generic[V]):
    answer: V
    good_until: float


class Resting(Generic[K, V]):
    """Keeps the answers of `work`. An answer is worked out again only after it has rested for `_REST` times as long as
    that took, so that it takes at most a twentieth of one connection. Who asks in between gets the answer at hand; who
    asks first waits for it."""

    def __init__(self, work: Callable[[K], Awaitable[V]]) -> None:
        self._work = work
        self._kept: OrderedDict[K, _Kept[V]] = OrderedDict()
        self._working: dict[K, asyncio.Task[V]] = {}
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def of(self, key: K) -> V:
        kept = self._kept.get(key)
        if kept is None:
            return await asyncio.shield(self._start(key))
        if kept.good_until < time.monotonic():
            self._start(key)
        return kept.answer

    def _start(self, key: K) -> asyncio.Task[V]:
        if key not in self._working:
            task = asyncio.create_task(self._answer(key))
            task.add_done_callback(lambda done: self._finished(key, done))
            self._working[key] = task
        return self._working[key]

    def _finished(self, key: K, task: asyncio.Task[V]) -> None:
        del self._working[key]
        trouble = None if task.cancelled() else task.exception()
        if trouble is not None and key in self._kept:  # nobody waits, and the answer at hand grows old
            log.warning("resting.failed", error=str(trouble).partition("\n")[0])

    async def _answer(self, key: K) -> V:
        async with self._room:
            started = time.monotonic()
            answer = await self._work(key)
        took = time.monotonic() - started
        self._kept[key] = _Kept(answer, started + took + max(_LEAST_REST_SECONDS, took * _REST))
        self._kept.move_to_end(key)
        while len(self._kept) > _MOST_KEPT:
            self._kept.popitem(last=False)
        return answer
