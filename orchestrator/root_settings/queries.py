"""Every folder of photos with its switches, as the settings show it."""

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.imports.folders import shown
from orchestrator.models import Root
from orchestrator.watching import queries as watching
from orchestrator.watching.queries import WatchView
from orchestrator.write_back import queries as write_back
from orchestrator.write_back.queries import Due
from shared.bucket_address import is_address

MOST_ROOTS = 200


class RootSettings(BaseModel):
    """`watches` are the folders of the root that are watched: all of it, some, or none."""

    id: int
    label: str
    path: str
    is_bucket: bool  # of an object store: it is not watched, and nothing is written there
    is_online: bool
    problem: str | None
    watches: list[WatchView]
    writes_sidecars: bool
    sidecars: Due


class RootSettingsList(BaseModel):
    items: list[RootSettings]
    next: None = None


async def roots(session: AsyncSession) -> RootSettingsList:
    """Connected ones first, then by name."""
    statement = select(Root).order_by(col(Root.state).desc(), col(Root.label), col(Root.id)).limit(MOST_ROOTS)
    found = (await session.scalars(statement)).all()
    watches = await watching.watches(session)
    due = await write_back.due_of(session, [root.id for root in found])
    return RootSettingsList(
        items=[
            RootSettings(
                id=root.id,
                label=root.label.rstrip("/").rpartition("/")[2] or root.label,
                path=shown(root.path),
                is_bucket=is_address(root.path),
                is_online=root.state == "online",
                problem=root.problem,
                watches=[watch for watch in watches if watch.root_id == root.id],
                writes_sidecars=root.writes_sidecars,
                sidecars=due[root.id],
            )
            for root in found
        ]
    )
