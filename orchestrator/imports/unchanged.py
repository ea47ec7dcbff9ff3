"""The quick way through an archive that is imported again: most of it is as it was, and one query says so."""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.imports.walk import FoundFile, Unit
from orchestrator.models import COMPANION, ORIGINAL


async def unchanged(session: AsyncSession, root_id: int, units: Sequence[Unit]) -> Mapping[bytes, int]:
    """The units that need nothing, by the path of their main file, and whose photo each is: converted, not turned
    down, of the size and time that are known."""
    rows = await session.execute(
        text(
            """
            SELECT file.path, file.size, file.mtime_ns, file.role, file.photo_id FROM photo_files file
            JOIN photos ON photos.id = file.photo_id
            JOIN stage_runs run ON run.photo_id = file.photo_id AND run.stage = 'convert' AND run.state = 'done'
            WHERE file.root_id = :root AND file.path = ANY(:paths) AND photos.preview IS NOT NULL
              AND rejected_at IS NULL AND deleted_at IS NULL AND file.content_hash IS NOT NULL
            """
        ),
        {"root": root_id, "paths": [file.path for unit in units for file in (unit.main, unit.companion) if file]},
    )
    known = {path: (size, mtime_ns, role, photo_id) for path, size, mtime_ns, role, photo_id in rows}

    def photo_of(file: FoundFile, role: str) -> int | None:
        size, mtime_ns, known_role, photo_id = known.get(file.path, (None, None, None, None))
        return photo_id if (size, mtime_ns, known_role) == (file.size, file.mtime_ns, role) else None

    found: dict[bytes, int] = {}
    for unit in units:
        photo_id = photo_of(unit.main, ORIGINAL)
        if photo_id is not None and (unit.companion is None or photo_of(unit.companion, COMPANION) == photo_id):
            found[unit.main.path] = photo_id
    return found
