"""Ending background tasks."""

import asyncio
from collections.abc import Collection
from typing import Any

AGAIN_SECONDS = 3.0


async def end_tasks(tasks: Collection["asyncio.Task[Any]"]) -> None:  # Any: whatever they return
    """Cancel the tasks and wait until each has ended.

    Cancels again after a while: on Python 3.11 `wait_for` swallows a cancellation that meets its result.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=AGAIN_SECONDS)
