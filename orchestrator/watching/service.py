"""Which folders are watched."""

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import events
from orchestrator.models import Watch


async def switch_on(session: AsyncSession, root_id: int, folder: bytes = b"", *, is_polled: bool = False) -> None:
    """Watch a folder of a root, b"" for all of it. Folders inside it are watched with it from now on, not beside."""
    there = (await session.scalars(select(Watch).where(col(Watch.root_id) == root_id))).all()
    if any(_is_inside(folder, watch.folder) and watch.folder != folder for watch in there):
        return
    inner = [watch.id for watch in there if _is_inside(watch.folder, folder) and watch.folder != folder]
    await session.execute(delete(Watch).where(col(Watch.id).in_(inner)))
    await session.execute(
        insert(Watch)
        .values(root_id=root_id, folder=folder, is_polled=is_polled)
        .on_conflict_do_update(index_elements=["root_id", "folder"], set_={"is_polled": is_polled})
    )
    await events.record(session, events.IMPORTS, [])


async def switch_off(session: AsyncSession, root_id: int) -> None:
    """What came in before is finished."""
    await session.execute(delete(Watch).where(col(Watch.root_id) == root_id))
    await events.record(session, events.IMPORTS, [])


def _is_inside(folder: bytes, other: bytes) -> bool:
    return other in (b"", folder) or folder.startswith(other + b"/")
