"""The work in hand: what was delivered, what is being worked, what was worked out and not yet confirmed.

Work outlives its connection: its outcome is published on the redelivery instead of being worked out again. All of it
runs on the connection's thread, but for the work itself.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from workers import metrics
from workers.runner import Delivery, Outcome, run_batch
from workers.stage import Stage
from workers.tools import Tools
from workers.watch import Watch

GATHER_SECONDS = 0.02  # how long a batch that is not full waits for more
KEPT_OUTCOMES = 1_000

Key = tuple[str, int]  # run id, attempt header: the same message, however often it is delivered


class Line(Protocol):
    """A connection to the broker, as the work sees it."""

    is_open: bool

    def settle(self, task: "Task") -> None:
        """Publish the task's outcome and ack its delivery, if that came over this line."""

    def widen(self, task: "Task") -> None:
        """This task was taken for the first time and is worked out."""

    def call_soon(self, callback: Callable[[], None]) -> None:
        """Run on the connection's thread. Callable from any thread."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None: ...


@dataclass
class Task:
    """One message in hand. `tag` belongs to the line it was delivered over last; `twins` are tags of the same line
    under which the same message came again, because it was published twice."""

    key: Key
    stage: Stage
    delivery: Delivery
    properties: Any  # Any: the transport's own
    routing_key: str
    redelivered: bool
    line: Line
    tag: int
    outcome: Outcome | None = None
    twins: list[int] = field(default_factory=list)


class Workbench:
    """Works one batch at a time, in a thread of its own."""

    def __init__(self, tools: Tools, watch: Watch | None) -> None:
        self._tools = tools
        self._watch = watch
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="work")
        self._tasks: dict[Key, Task] = {}  # waiting or in work
        self._waiting: deque[Task] = deque()
        self._kept: OrderedDict[Key, Outcome] = OrderedDict()
        self._finished: deque[tuple[list[Task], list[Outcome]]] = deque()
        self._is_gathering = False
        self._line: Line | None = None
        self.is_working = False

    def attach(self, line: Line) -> None:
        """Work for this line from now on; what was finished between two lines is settled over it."""
        self._line = line
        self.collect()

    def detach(self) -> None:
        """The line is gone: what was not begun will be delivered again."""
        self._line = None
        self.forget_waiting()

    def beat(self) -> None:
        """The line is open: say so to whoever watches this process."""
        if self._watch is not None:
            self._watch.beat()

    def forget_waiting(self) -> None:
        for task in self._waiting:
            self._tasks.pop(task.key, None)
        self._waiting.clear()
        self._is_gathering = False

    def accept(self, task: Task) -> None:
        """A delivery: answered at once if its work is done, attached to its work if that goes on, else queued."""
        if (outcome := self._kept.get(task.key)) is not None:
            task.outcome = outcome
            task.line.settle(task)
        elif (known := self._tasks.get(task.key)) is not None:
            known.twins = [*known.twins, known.tag] if known.line is task.line else []
            known.line, known.tag = task.line, task.tag
        else:
            self._tasks[task.key] = task
            self._waiting.append(task)
            self._begin_soon()

    def settled(self, task: Task) -> None:
        """The delivery is acked: its outcome is not asked for again."""
        self._kept.pop(task.key, None)

    def close(self) -> None:
        self._thread.shutdown()

    def _begin_soon(self) -> None:
        if self.is_working or not self._waiting or self._is_gathering or self._line is None:
            return
        if len(self._waiting) >= self._waiting[0].stage.batch or self._waiting[0].redelivered:
            self._begin()
        else:
            self._is_gathering = True
            self._line.call_later(GATHER_SECONDS, self._begin)

    def _begin(self) -> None:
        self._is_gathering = False
        if self.is_working or not self._waiting:
            return
        batch = self._next_batch()
        self.is_working = True
        metrics.IN_WORK.labels(batch[0].stage.name).inc(len(batch))
        if self._watch is not None:
            self._watch.start(batch[0].stage.deadline_seconds)
        deliveries = [task.delivery for task in batch]  # and what is bound for the log
        work = self._thread.submit(copy_context().run, run_batch, batch[0].stage, deliveries, self._tools)
        work.add_done_callback(partial(self._hand_over, batch))

    def _next_batch(self) -> list[Task]:
        """The first that waits, with others of its stage; a redelivered one alone: it may be what killed a worker."""
        first = self._waiting.popleft()
        if first.redelivered:
            return [first]
        more = [task for task in self._waiting if task.stage is first.stage and not task.redelivered]
        batch = [first, *more[: first.stage.batch - 1]]
        taken = {id(task) for task in batch}
        self._waiting = deque(task for task in self._waiting if id(task) not in taken)
        return batch

    def _hand_over(self, batch: list[Task], work: "Future[list[Outcome]]") -> None:
        """On the work thread. Without a line the finished work waits for the next one, past any deadline perhaps."""
        if self._watch is not None:
            self._watch.clear()
        self._finished.append((batch, work.result()))
        line = self._line
        if line is not None and line.is_open:
            line.call_soon(self.collect)

    def collect(self) -> None:
        """Settle what was worked out, and begin the next."""
        while self._finished and self._line is not None and self._line.is_open:
            batch, outcomes = self._finished.popleft()
            self.is_working = False
            metrics.IN_WORK.labels(batch[0].stage.name).dec(len(batch))
            for task, outcome in zip(batch, outcomes, strict=True):
                self._tasks.pop(task.key, None)
                self._keep(task.key, outcome)
                task.outcome = outcome
                self._line.settle(task)
            self._line.widen(batch[0])
        self._begin_soon()

    def _keep(self, key: Key, outcome: Outcome) -> None:
        self._kept[key] = outcome
        while len(self._kept) > KEPT_OUTCOMES:
            self._kept.popitem(last=False)
