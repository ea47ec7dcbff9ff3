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

import workers

END_SECONDS = 5
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
            bufsize=0,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def ask(self, line: str, seconds: float) -> dict[str, Any]:
        """The answer to `line`. Raises ChildDied, also when the child had to be ended after `seconds`."""
        deadline = time.monotonic() + seconds
        try:
            self._write(line.encode())
            return dict(json.loads(self._read_line(deadline)))
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

    def _read_line(self, deadline: float) -> bytes:
        assert self._process.stdout
        answers, line = self._process.stdout.fileno(), b""
        waiting = select.poll()
        waiting.register(answers, select.POLLIN)
        while not line.endswith(b"\n"):
            if not waiting.poll(max(0, deadline - time.monotonic()) * 1000):
                raise TimeoutError
            part = os.read(answers, 65_536)
            if not part:
                raise EOFError
            line += part
        return line

    def _died(self, cause: str) -> ChildDied:
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - STDERR_TAIL_BYTES))
        return ChildDied(cause, self._stderr.read().decode("utf-8", "replace"))


def _cause_of(status: int) -> str:
    if status >= 0:
        return f"it ended with status {status}"
    try:
        return f"it was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"it was ended by signal {-status}"
