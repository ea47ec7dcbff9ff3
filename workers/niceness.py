"""How much of a busy machine workers take: less than whoever works at it."""

import os
import time
from contextlib import suppress
from pathlib import Path

_TRIES = 40
_REST_SECONDS = 0.11  # for all of a machine, the kernel takes one such wish of ordinary users in a tenth of a second


def step_back(by: int) -> None:
    """Adds `by` to the niceness of this process, and lets its session count for as much.

    Where the kernel groups processes by session (autogroup, the default of Linux desktops) sessions share the processor
    equally and niceness counts only within one. Each worker has a session of its own.
    """
    niceness = os.nice(by)
    with suppress(OSError):  # another system, or a kernel without it
        _let_session_count(niceness)


def _let_session_count(niceness: int) -> None:
    for _ in range(_TRIES):
        try:
            Path("/proc/self/autogroup").write_text(str(niceness))
        except BlockingIOError:
            time.sleep(_REST_SECONDS)
        else:
            return
