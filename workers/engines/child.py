"""A long-lived child process that answers one line with one line. What its death means is for others to say."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

import psutil

import workers
from shared.settings import environment_without_secrets

END_SECONDS = 5
STARVED_TIMES = 4  # a busy machine lets a child that stepped back wait: so much longer by the clock
STDERR_TAIL_BYTES = 4_000


class ChildDied(Exception):
    """The child ended, or was ended, before it answered."""

    def __init__(self, cause: str, stderr: str) -> None:
        super().__init__(cause)
        self.cause = cause
        self.stderr = stderr


class Child:
    """Exec'd, never forked, in a process group of its own; ends with its parent."""

    def __init__(self, module: str) -> None:
        # A file, because a pipe that nobody reads would fill up; open for as long as the child lives.
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            process_group=0,  # no session: the kernel shares the processor out by session, see workers.niceness
            cwd=Path(workers.__file__).parents[1],  # the same code as ours, whatever folder we were started in
            env=environment_without_secrets(),  # it reads strangers' files
            bufsize=0,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def ask(self, line: str, seconds: float) -> dict[str, Any]:
        """The answer to `line`. Raises ChildDied, also when it had to be ended: after `seconds` that it worked, or
        STARVED_TIMES as many by the clock."""
        limit = _Limit(self._process.pid, seconds)
        try:
            self._write(line.encode())
            return dict(json.loads(self._read_line(limit)))
        except (BrokenPipeError, EOFError):
            raise self._died(_cause_of(self._process.wait())) from None
        except TimeoutError:
            self._process.kill()
            self._process.wait()
            raise self._died(f"it took longer than {seconds:g} seconds") from None

    def end(self) -> None:
        """Ask it to end by closing its input; kill it if it does not."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                pipe.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stderr.close()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin
        while data:
            data = data[os.write(self._process.stdin.fileno(), data) :]

    def _read_line(self, limit: "_Limit") -> bytes:
        assert self._process.stdout
        answers, line = self._process.stdout.fileno(), b""
        waiting = select.poll()
        waiting.register(answers, select.POLLIN)
        while not line.endswith(b"\n"):
            while not waiting.poll(limit.left_seconds() * 1000):
                if limit.is_over:
                    raise TimeoutError
            part = os.read(answers, 65_536)
            if not part:
                raise EOFError
            line += part
        return line

    def _died(self, cause: str) -> ChildDied:
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - STDERR_TAIL_BYTES))
        return ChildDied(cause, self._stderr.read().decode("utf-8", "replace"))


class _Limit:
    """Of a process: seconds that it may work, not those in which others had the processor."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid = pid
        self._seconds = seconds
        self._started = time.monotonic()
        self._worked_before = self._worked()

    @property
    def is_over(self) -> bool:
        waited = time.monotonic() - self._started
        return waited >= STARVED_TIMES * self._seconds or (
            waited >= self._seconds and self._worked() - self._worked_before >= self._seconds
        )

    def left_seconds(self) -> float:
        """Until the limit can be over, or is to be looked at again."""
        return max(self._seconds - (time.monotonic() - self._started), self._seconds / 20)

    def _worked(self) -> float:
        try:
            times = psutil.Process(self._pid).cpu_times()
        except psutil.Error:  # it is gone, and its pipe says so
            return 0
        return float(times.user + times.system)


def _cause_of(status: int) -> str:
    if status >= 0:
        return f"it ended with status {status}"
    try:
        return f"it was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was ended by signal {-status}"
