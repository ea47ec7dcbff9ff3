"""How much of a busy machine workers take: less than whoever works at it."""

import os
from contextlib import suppress
from pathlib import Path


def step_back(by: int) -> None:
    """Adds `by` to the niceness of this process, and lets its session count for as much.

    Where the kernel groups processes by session (autogroup, the default of Linux desktops) sessions share the processor
    equally and niceness counts only within one. Each worker has a session of its own.
    """
    niceness = os.nice(by)
    with suppress(OSError):  # another system, or a kernel without it
        Path("/proc/self/autogroup").write_text(str(niceness))
