"""The work in hand: batches, redeliveries, and lines that come and go."""

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from queue import SimpleQueue
from typing import ClassVar

import pytest

from shared.contracts import Message
from shared.settings import Settings
from workers.runner import Delivery
from workers.stage import Stage
from workers.tools import Tools
from workers.watch import Watch
from workers.workbench import Task, Workbench

DEADLINE_SECONDS = 40


class Request(Message):
    kind: ClassVar[str] = "echo.request"
    photo_id: int


class Result(Message):
    kind: ClassVar[str] = "echo.result"
    photo_id: int


class DoubleLine:
    """A connection whose loop turns when the test says so."""

    def __init__(self) -> None:
        self.is_open = True
        self.settled: list[Task] = []
        self.widened: list[Task] = []
        self.soon: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.later: list[Callable[[], None]] = []

    def settle(self, task: Task) -> None:
        self.settled.append(task)

    def widen(self, task: Task) -> None:
        self.widened.append(task)

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.put(callback)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        self.later.append(callback)

    def turn(self) -> None:
        """Wait for work to come back, and let it."""
        self.soon.get(timeout=DEADLINE_SECONDS)()


class Worker:
    """A stage that notes its batches, and whose work ends when it may."""

    def __init__(self, batch: int) -> None:
        self.batches: list[list[int]] = []
        self.may_end = threading.Event()
        self.may_end.set()
        self.stage = Stage("echo", Request, Result, self._handle, batch=batch, deadline_seconds=100)

    def _handle(self, requests: Sequence[Request], tools: Tools) -> list[Result]:
        self.batches.append([request.photo_id for request in requests])
        assert self.may_end.wait(DEADLINE_SECONDS)
        return [Result(photo_id=request.photo_id) for request in requests]


@pytest.fixture
def worker() -> Worker:
    return Worker(batch=3)


@pytest.fixture
def watch() -> Iterator[Watch]:
    made = Watch.create()
    yield made
    made.close()


@pytest.fixture
def bench(worker: Worker, watch: Watch) -> Iterator[Workbench]:
    made = Workbench(Tools(Settings()), watch)
    yield made
    worker.may_end.set()
    made.close()


def a_task(worker: Worker, line: DoubleLine, photo_id: int, tag: int = 1, redelivered: bool = False) -> Task:
    run_id = uuid.UUID(int=photo_id)
    delivery = Delivery(b'{"photo_id": %d}' % photo_id, run_id)
    return Task((str(run_id), 1), worker.stage, delivery, None, "echo", redelivered, line, tag)


def test_a_full_batch_begins_at_once_and_the_rest_waits_for_more(bench: Workbench, worker: Worker) -> None:
    bench.attach(line := DoubleLine())
    for photo_id in (1, 2):
        bench.accept(a_task(worker, line, photo_id))
    assert (len(line.later), bench.is_working) == (1, False)
    line.later.pop()()
    line.turn()
    assert worker.batches == [[1, 2]]
    assert [task.delivery.run_id for task in line.settled] == [uuid.UUID(int=1), uuid.UUID(int=2)]


def test_what_was_delivered_before_is_worked_alone(bench: Workbench, worker: Worker) -> None:
    bench.attach(line := DoubleLine())
    worker.may_end.clear()
    bench.accept(a_task(worker, line, 1, redelivered=True))
    for photo_id in (2, 3, 4):
        bench.accept(a_task(worker, line, photo_id, redelivered=photo_id == 3))
    worker.may_end.set()
    for _ in range(3):
        line.turn()
    assert worker.batches == [[1], [2, 4], [3]]


def test_work_that_outlives_its_line_is_settled_over_the_next_one(bench: Workbench, worker: Worker) -> None:
    bench.attach(first := DoubleLine())
    worker.may_end.clear()
    bench.accept(a_task(worker, first, 1, tag=7, redelivered=True))
    bench.detach()
    bench.attach(second := DoubleLine())
    bench.accept(a_task(worker, second, 1, tag=3, redelivered=True))
    worker.may_end.set()
    second.turn()
    (task,) = second.settled
    assert (task.line, task.tag, task.twins) == (second, 3, [])
    assert (worker.batches, first.settled) == ([[1]], [])


def test_an_outcome_is_told_again_until_its_delivery_is_acked(bench: Workbench, worker: Worker) -> None:
    bench.attach(line := DoubleLine())
    bench.accept(a_task(worker, line, 1, redelivered=True))
    line.turn()
    bench.accept(again := a_task(worker, line, 1, tag=2, redelivered=True))
    assert line.settled[1] is again
    assert again.outcome == line.settled[0].outcome
    bench.settled(again)
    bench.accept(a_task(worker, line, 1, tag=3, redelivered=True))
    line.turn()
    assert worker.batches == [[1], [1]]


def test_a_message_that_was_published_twice_is_worked_once_and_acked_twice(bench: Workbench, worker: Worker) -> None:
    bench.attach(line := DoubleLine())
    for tag in (1, 2, 3):
        bench.accept(a_task(worker, line, 1, tag=tag))
    line.later.pop()()
    line.turn()
    (task,) = line.settled
    assert (worker.batches, sorted([task.tag, *task.twins])) == ([[1]], [1, 2, 3])


def test_nothing_is_settled_over_a_line_that_is_closing(bench: Workbench, worker: Worker) -> None:
    bench.attach(line := DoubleLine())
    bench.accept(a_task(worker, line, 1, redelivered=True))
    finished = line.soon.get(timeout=DEADLINE_SECONDS)
    line.is_open = False
    finished()
    assert line.settled == []
    bench.detach()
    bench.attach(second := DoubleLine())
    assert len(second.settled) == 1


def test_a_worker_without_a_line_is_not_overdue_once_its_work_is_done(
    bench: Workbench, worker: Worker, watch: Watch
) -> None:
    """It would be killed after an outage of the broker, and the outcome with it."""
    worker.stage = replace(worker.stage, deadline_seconds=1e-9)
    bench.attach(line := DoubleLine())
    bench.accept(a_task(worker, line, 1, redelivered=True))
    line.soon.get(timeout=DEADLINE_SECONDS)
    bench.detach()
    assert not watch.is_overdue()
