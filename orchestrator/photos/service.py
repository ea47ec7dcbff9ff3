"""What is done to a photo from outside the pipeline."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


async def make_pictures_again(session: AsyncSession, photo_id: int) -> bool:
    """The derived files of a converted photo are gone: convert it once more. False when that is under way."""
    rows = await session.execute(
        text(
            "UPDATE stage_runs SET run_id = gen_random_uuid(), state = 'queued', attempt = 1, queued_at = now(),"
            " published_at = NULL, finished_at = NULL WHERE stage = 'convert' AND photo_id = :photo AND state = 'done'"
            " RETURNING id"
        ),
        {"photo": photo_id},
    )
    return rows.first() is not None
