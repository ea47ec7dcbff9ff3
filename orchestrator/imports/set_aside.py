"""Originals that were set aside between the moment when a walk saw them and the one when they are recorded."""

import asyncio
import os
from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.imports.walk import Unit
from orchestrator.models import Root


async def still_here(session: AsyncSession, root: Root, units: Sequence[Unit]) -> Sequence[Unit]:
    """The units without those that have been set aside: they would seem to be new photos whose files are missing."""
    rows = await session.scalars(
        text("SELECT path FROM set_aside WHERE root_id = :root AND path = ANY(:paths) AND state <> 'returned'"),
        {"root": root.id, "paths": [path for unit in units for path in _paths(unit)]},
    )
    journaled = set(rows)
    if not journaled:
        return units
    gone = await asyncio.to_thread(_gone, root.path, journaled)
    return [unit for unit in units if gone.isdisjoint(_paths(unit))]


def _paths(unit: Unit) -> list[bytes]:
    return [file.path for file in (unit.main, unit.companion) if file]


def _gone(root: bytes, paths: Iterable[bytes]) -> set[bytes]:
    return {path for path in paths if not os.path.lexists(os.path.join(root, path))}
