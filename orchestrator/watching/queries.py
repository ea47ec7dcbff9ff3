"""Watches as they are shown."""

import os
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.imports.folders import shown
from orchestrator.models import Root, Watch


class WatchView(BaseModel):
    """A folder whose new files are imported. `polling`: it is looked at now and then; `waiting`: nothing can be seen
    there now. `problem` says why."""

    id: int
    root_id: int
    path: str
    state: Literal["starting", "watching", "polling", "waiting"]
    problem: str | None
    is_polled: bool  # the person wishes it
    last_new_at: datetime | None
    import_id: int | None  # that the last new files joined


class WatchList(BaseModel):
    items: list[WatchView]
    next: None = None


async def watches(session: AsyncSession, root_id: int | None = None) -> list[WatchView]:
    """Of one root, or all there are."""
    statement = select(Watch, col(Root.path)).join(Root, col(Root.id) == col(Watch.root_id)).order_by(col(Watch.id))
    if root_id is not None:
        statement = statement.where(col(Watch.root_id) == root_id)
    rows: Sequence[tuple[Watch, bytes]] = (await session.execute(statement)).all()
    return [_view(watch, path) for watch, path in rows]


def _view(watch: Watch, root_path: bytes) -> WatchView:
    return WatchView(
        **watch.model_dump(include={"id", "root_id", "state", "problem", "is_polled", "last_new_at", "import_id"}),
        path=shown(os.path.join(root_path, watch.folder).rstrip(b"/")),
    )
