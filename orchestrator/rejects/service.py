"""Setting the originals of rejected photos aside, and bringing them back: in small batches, each of which is written
down before anything is renamed, and settled by what lies on the disk afterwards."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import text

from orchestrator.answers import Refused
from orchestrator.db import Sessions
from orchestrator.export.disk import Busy, locked
from orchestrator.models import Root
from orchestrator.rejects import queries
from orchestrator.rejects.disk import Disk, DriveTrouble
from orchestrator.rejects.queries import Wanted
from orchestrator.rejects.views import Batch
from orchestrator.rejects.work import Overtaken, Told, Work, in_thread
from orchestrator.write_back.service import check, root_of

log = structlog.get_logger()

SO = "so nothing can be moved there"

OpenDisk = Callable[[bytes], Disk]


@dataclass(frozen=True)
class Move:
    """Set aside all that is rejected in a root, if it is as many photos as the person typed."""

    root_id: int
    confirm_count: int


Order = Move | Wanted


async def carry_out(sessions: Sessions, order: Order, told: Told, open_disk: OpenDisk = Disk) -> Batch:
    """From the beginning to the end; `told` hears how far it is. Raises Refused, before the first time."""
    async with _at_work(sessions, order.root_id, open_disk) as work:
        try:
            await work.settle_interrupted()
        except (DriveTrouble, Overtaken) as exc:
            raise Refused(409, "root_offline", work.sentence(exc)) from exc
        if isinstance(order, Move):
            return await work.set_aside(order.confirm_count, told)
        return await work.bring_back(order, told)


async def settle_interrupted(sessions: Sessions, open_disk: OpenDisk = Disk) -> None:
    """What was on its way when a process ended is where it was or where it should go: write down which. What lies on
    a drive that is not connected is left for later."""
    async with sessions() as session:
        root_ids = await queries.roots_under_way(session)
    for root_id in root_ids:
        try:
            async with _at_work(sessions, root_id, open_disk) as work:
                await work.settle_interrupted()
        except (Refused, DriveTrouble) as exc:
            log.info("rejects.still_under_way", root_id=root_id, why=exc.message)


async def usable_root(sessions: Sessions, root_id: int) -> Root:
    """Raises Refused, with a sentence, where nothing can be moved now."""
    async with sessions() as session:
        root = await root_of(session, root_id)
    await check(sessions, root, SO)
    return root


@asynccontextmanager
async def _at_work(sessions: Sessions, root_id: int, open_disk: OpenDisk) -> AsyncIterator[Work]:
    """Nobody else on this database moves originals, and nobody at all on this drive. The first lock ends with its
    connection, which may be lost unseen; the second one does not."""
    async with sessions() as lock:
        if not await lock.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": queries.MOVING_LOCK}):
            raise Refused(409, "rejects_running", "Originals are being moved already. Wait until that is done.")
        root = await usable_root(sessions, root_id)
        with ExitStack() as stack:
            disk = await in_thread(_opened, stack, root, open_disk)
            yield Work(sessions, lock, root, disk)


def _opened(stack: ExitStack, root: Root, open_disk: OpenDisk) -> Disk:
    try:
        stack.enter_context(locked(Path(os.fsdecode(root.path))))
        return stack.enter_context(open_disk(root.path))
    except Busy as exc:
        raise Refused(409, "rejects_running", f"Originals of {root.label} are being moved already.") from exc
    except (OSError, DriveTrouble) as exc:
        raise Refused(409, "root_offline", f"{root.label} is not connected, {SO}.") from exc
