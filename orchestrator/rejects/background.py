"""Setting aside beside everything else, and settling what an ended process left on its way."""

import asyncio

import structlog
from fastapi import FastAPI

from orchestrator.answers import Refused
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.rejects import service
from orchestrator.rejects.disk import Disk
from orchestrator.rejects.service import OpenDisk, Order
from orchestrator.rejects.views import Batch
from orchestrator.tasks import end_tasks

log = structlog.get_logger()

EVERY_SECONDS = 10.0


class Rejects:
    """What was asked for on the pages. How far it is, the database knows."""

    def __init__(self, sessions: Sessions, open_disk: OpenDisk = Disk) -> None:
        self._sessions = sessions
        self._open_disk = open_disk
        self._tasks: set[asyncio.Task[Batch]] = set()

    async def start(self, order: Order) -> Batch:
        """Returns once it has begun. Raises Refused."""
        begun: asyncio.Future[Batch] = asyncio.get_running_loop().create_future()

        def told(batch: Batch) -> None:
            if not begun.done():
                begun.set_result(batch.model_copy())

        task = asyncio.create_task(service.carry_out(self._sessions, order, told, self._open_disk))
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        await asyncio.wait([task, begun], return_when=asyncio.FIRST_COMPLETED)
        return begun.result() if begun.done() else await task

    def _ended(self, task: asyncio.Task[Batch]) -> None:
        self._tasks.discard(task)
        trouble = None if task.cancelled() else task.exception()
        if trouble is not None and not isinstance(trouble, Refused):
            log.warning("rejects.broken_off", exc_info=trouble)

    async def stop(self) -> None:
        """What is on its way arrives; the rest stays where it is."""
        await end_tasks(list(self._tasks))


def rejects_of(app: FastAPI, sessions: Sessions) -> Rejects:
    if not hasattr(app.state, "rejects"):
        app.state.rejects = Rejects(sessions)
    found: Rejects = app.state.rejects
    return found


async def end_work(app: FastAPI) -> None:
    if hasattr(app.state, "rejects"):
        await app.state.rejects.stop()


async def keep_settled(sessions: Sessions) -> None:
    """Until it is cancelled."""
    while True:
        try:
            await service.settle_interrupted(sessions)
        except Exception as exc:  # all of it is still written down
            log.warning("rejects.not_settled", exc_info=not is_passing_trouble(exc))
        await asyncio.sleep(EVERY_SECONDS)
