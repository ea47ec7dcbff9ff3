"""One child process of `keepers up`, started again when it ends by itself."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.embedded.processes import dies_with_parent

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_HEALTHY_SECONDS = 60.0  # one that ran this long starts over with the first pause
_STOP_SECONDS = 60.0


@dataclass
class Child:
    """A program that runs until it is stopped. It never sees the terminal's Ctrl-C: the parent stops it in its turn."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    keep_open: tuple[int, ...] = ()
    deaths: int = field(default=0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _started_at: float = field(default=0, init=False)
    _start_again_at: float | None = field(default=None, init=False)

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environment),
                pass_fds=self.keep_open,
                start_new_session=True,
                preexec_fn=dies_with_parent(),  # noqa: PLW1509 - `keepers up` has one thread
            )
        self._started_at = time.monotonic()
        self._start_again_at = None

    def check(self) -> str | None:
        """Start the child again when it ended and its pause is over. Returns a sentence when it has just ended."""
        if self._process is None or self._process.poll() is None:
            return None
        if self._start_again_at is None:
            return self._note_death()
        if time.monotonic() >= self._start_again_at:
            self.start()
        return None

    def _note_death(self) -> str:
        assert self._process is not None
        now = time.monotonic()
        self.deaths = 1 if now - self._started_at > _HEALTHY_SECONDS else self.deaths + 1
        pause = min(_FIRST_PAUSE_SECONDS * 2 ** (self.deaths - 1), _LONGEST_PAUSE_SECONDS)
        self._start_again_at = now + pause
        reason = self._process.returncode
        how = f"was killed by signal {-reason}" if reason < 0 else f"ended with status {reason}"
        return f"{self.name} {how}, starting it again in {pause:.0f} s. See {self.log}"

    def stop(self) -> None:
        """Ask the child to finish what it has in hand; past a minute, make it end."""
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
