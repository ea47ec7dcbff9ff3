"""One exec'd child process per worker. Imports no engine: a crash in one costs one child, which is started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from workers.exposition import Exposition
from workers.heartbeat import Heartbeat
from workers.watch import Watch

log = structlog.get_logger()

NICENESS = 5  # the machine stays usable; workers that nobody waits for add theirs
DRAIN_SECONDS = 20
TICK_SECONDS = 0.2
BACKOFF_SECONDS = (0.2, 0.5, 1, 2)
STEADY_SECONDS = 30  # a child that lived this long starts with a fresh backoff


@dataclass
class Child:
    """One worker process, whichever incarnation of it. `place` is what all of them have in common."""

    stages: tuple[str, ...]
    place: str
    command: Sequence[str]
    environment: Mapping[str, str]
    exposition: Exposition | None = None
    watch: Watch = field(default_factory=Watch.create)
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0
    failures: int = 0
    start_after: float = 0
    was_overdue: bool = False

    def start(self) -> None:
        self.watch.clear()
        self.process = subprocess.Popen(
            [*self.command, "--watch", str(self.watch.descriptor), "--place", self.place],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            pass_fds=[self.watch.descriptor],
            start_new_session=True,
        )
        self.started_at = time.monotonic()
        log.info("worker.started", stages=self.stages, pid=self.process.pid)
        if self.exposition is not None:
            self.exposition.started(self.stages)

    def tend(self) -> None:
        """Start it, kill it past its deadline, or note that it died."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_after:
                self.start()
        elif (code := self.process.poll()) is not None:
            self._died(code, now)
        elif self.watch.is_overdue():
            log.error("worker.overdue", stages=self.stages, pid=self.process.pid)
            self.was_overdue = True
            _kill_group(self.process)

    def _died(self, code: int, now: float) -> None:
        self.failures = 0 if now - self.started_at > STEADY_SECONDS else self.failures + 1
        delay = BACKOFF_SECONDS[min(self.failures, len(BACKOFF_SECONDS) - 1)]
        log.warning("worker.died", stages=self.stages, exit_code=code, restart_in_seconds=delay)
        if self.process is not None:
            _kill_group(self.process)  # the decode child of a worker that was killed
        if self.exposition is not None:
            self.exposition.died(self.stages, self.place, "overdue" if self.was_overdue else "ended")
        self.process, self.start_after, self.was_overdue = None, now + delay, False


class Supervisor:
    """Tends the children until SIGTERM or Ctrl-C, then drains them. `replicas` says how many processes each group gets.

    `heartbeat` is the file in which it says how they are, `exposition` adds up what they count.
    """

    def __init__(
        self,
        replicas: Mapping[tuple[str, ...], int],
        arguments: Sequence[str],
        heartbeat: Path | None = None,
        exposition: Exposition | None = None,
    ) -> None:
        total = sum(replicas.values())
        environment = {**os.environ, **_threads(max(1, (os.cpu_count() or 1) // max(1, total)))}
        environment |= exposition.environment() if exposition else {}
        self._children = [
            Child(
                stages,
                f"{'+'.join(stages)}-{number}",
                [sys.executable, "-m", "workers", "--child", *arguments, *stages],
                environment,
                exposition,
            )
            for stages, count in replicas.items()
            for number in range(count)
        ]
        if exposition is not None:
            for stages, count in replicas.items():
                exposition.expect(stages, count)
        self._heartbeat = Heartbeat(heartbeat) if heartbeat else None
        self._stopping = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        os.nice(NICENESS)
        while not self._stopping:
            for child in self._children:
                child.tend()
            if self._heartbeat is not None:
                self._heartbeat.write((child.stages, child.watch.last_beat()) for child in self._children)
            time.sleep(TICK_SECONDS)
        self._drain()
        if self._heartbeat is not None:
            self._heartbeat.end()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _drain(self) -> None:
        running = [child.process for child in self._children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + DRAIN_SECONDS
        for process in running:
            try:
                process.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("worker.killed", pid=process.pid)
            _kill_group(process)
            process.wait()
        for child in self._children:
            child.watch.close()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _threads(count: int) -> dict[str, str]:
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VIPS_CONCURRENCY"), str(count))
