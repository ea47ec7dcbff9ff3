"""What the stages make of a placard, kept beside what they make of photos."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.curation.results import note_reached
from orchestrator.models import Placard, StageRun
from orchestrator.photos import sweeper
from orchestrator.placards import service
from orchestrator.stage_results import Applied, Apply
from shared.contracts import convert, curate


def beside(of_photos: Apply, of_placards: Apply) -> Apply:
    """Results about placards go to `of_placards`, all others to `of_photos`: only those ever reach the archive."""

    async def apply(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
        placards = [one for one in applied if _is_placard(one.run)]
        if placards:
            await of_placards(session, placards)
        photos = [one for one in applied if not _is_placard(one.run)]
        return await of_photos(session, photos) if photos else []

    return apply


def _is_placard(run: StageRun) -> bool:
    return run.photo_id is None and run.subject.startswith(service.job_of(0).removesuffix("0"))


async def keep_pictures(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    """They can be seen, and are to be described."""
    for one in applied:
        result = cast(convert.Result, one.result)
        placard = await _placard(session, result.photo_id)
        if placard is None:  # removed meanwhile
            await sweeper.consider(session, [result.preview, result.thumbnail])
            continue
        replaced = {placard.preview, placard.thumbnail} - {result.preview, result.thumbnail}
        await sweeper.consider(session, replaced)
        picture = {"preview", "preview_width", "preview_height", "thumbnail", "placeholder", "damage"}
        placard.sqlmodel_update(result.model_dump(include=picture))
        placard.exif = result.exif.model_dump(mode="json")
        await session.flush()
        await service.describe(session, placard)
    return []


async def keep_words(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    for one in applied:
        result = cast(curate.Result, one.result)
        placard = await _placard(session, result.photo_id)
        if placard is not None:
            placard.description = result.model_dump(mode="json", exclude={"photo_id"})
        if result.described_by != curate.BUILT_IN:
            await note_reached(session)
    return []


async def _placard(session: AsyncSession, number: int) -> Placard | None:
    return await session.get(Placard, -number, with_for_update=True)
