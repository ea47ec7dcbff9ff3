"""Which bytes are which photo: decisions follow the bytes. To be called under the identity lock."""

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.file_ratings import service as file_ratings
from orchestrator.models import Photo
from orchestrator.photos import sweeper
from orchestrator.taste import service as taste
from orchestrator.write_back import due as due_sidecars

REMOVED = "removed before"  # an index of import_items says it too
_TELLING_OF_A_PHOTO = (
    "import_items", "photo_files", "sidecars", "set_aside", "error_logs", "dead_letters", "rating_events"
)  # fmt: skip


def why_skipped(photo: Photo) -> str | None:
    """Why no import brings this photo back; None when nothing is against it."""
    if photo.deleted_at:
        return REMOVED
    return "rejected before" if photo.rejected_at else None


async def merge(session: AsyncSession, photo: Photo, into: Photo) -> None:
    """`photo` turns out to be `into`: its files, items and failures move over, and what the person said about it
    where nothing was said about the other. Its row goes. What files say about `into` is to be heeded afterwards."""
    await session.flush()
    for one in sorted((photo, into), key=lambda one: one.id):
        await session.refresh(one, with_for_update=True)  # a decision may have been made since it was read
    await file_ratings.withdraw(session, photo, into)
    if into.user_rating is None and into.kept_at is None and into.rejected_at is None:
        into.rejected_at = photo.rejected_at
    into.user_rating = photo.user_rating if into.user_rating is None else into.user_rating
    into.manual_match = into.manual_match or photo.manual_match
    into.kept_at = into.kept_at or photo.kept_at
    into.project_id = into.project_id or photo.project_id
    into.tags = photo.tags if into.tags is None else into.tags
    into.burst_best_at = into.burst_best_at or photo.burst_best_at
    into.burst_dissolved_at = into.burst_dissolved_at or photo.burst_dissolved_at
    if photo.user_rating is not None:
        await taste.request_training(session)  # the rating is about another embedding now, or gone
    await sweeper.consider(session, [photo.preview, photo.thumbnail])
    await session.flush()
    for table in _TELLING_OF_A_PHOTO:
        await session.execute(
            text(f"UPDATE {table} SET photo_id = :new WHERE photo_id = :old"), {"new": into.id, "old": photo.id}
        )
    await session.execute(
        text("UPDATE merged_photos SET into_id = :new WHERE into_id = :old"), {"new": into.id, "old": photo.id}
    )
    await session.execute(
        text("INSERT INTO merged_photos (photo_id, into_id) VALUES (:old, :new)"), {"new": into.id, "old": photo.id}
    )
    await due_sidecars.note(session, [into.id])
    session.expunge(photo)
    await session.execute(delete(Photo).where(col(Photo.id) == photo.id))
