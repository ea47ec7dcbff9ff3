"""What is done to a photo from outside the pipeline."""

import os
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import runs
from orchestrator.imports.moving import root_key
from shared.claims import claim_of
from shared.contracts import convert

_FILES = text(
    """
    SELECT DISTINCT ON (photo_id) file.photo_id, file.root_id, roots.path AS root, file.path,
      (SELECT beside.path FROM photo_files AS beside WHERE beside.photo_id = file.photo_id
        AND beside.root_id = file.root_id AND role = 'companion' ORDER BY id LIMIT 1) AS companion
    FROM photo_files AS file JOIN roots ON roots.id = file.root_id
    WHERE file.photo_id = ANY(:ids) AND role = 'original' ORDER BY photo_id, file.id
    """
)


async def make_pictures_again(session: AsyncSession, photo_id: int) -> bool:
    """The derived files of a converted photo are gone: convert it once more. False when that is under way."""
    locked = text("SELECT 1 FROM stage_runs WHERE stage = 'convert' AND photo_id = :id AND state = 'done' FOR UPDATE")
    if await session.scalar(locked, {"id": photo_id}) is None:
        return False
    await convert_again(session, [photo_id])
    return True


async def convert_again(session: AsyncSession, photo_ids: Sequence[int], priority: int = 0) -> None:
    """Read the originals of these photos once more, where they are now. One without an original is passed over."""
    rows = await session.execute(_FILES, {"ids": list(photo_ids)})
    requests = [
        convert.Request(
            photo_id=row.photo_id,
            file_path=claim_of(os.path.join(row.root, row.path)),
            root=claim_of(row.root),
            root_key=root_key(row.root_id),
            companion=claim_of(os.path.join(row.root, row.companion)) if row.companion is not None else None,
        )
        for row in rows
    ]
    again = [runs.NewRun("convert", one.photo_id, one, gate=one.root_key, priority=priority) for one in requests]
    await runs.queue(session, again)
