"""What can be filled in: by which stage, for which photos it is missing, and how their requests are queued."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import runs
from orchestrator.curation import requests as curation
from orchestrator.embedding import results as embedding
from orchestrator.photos.service import convert_again

Kind = Literal["embed", "quality", "exif", "hash", "curate"]

BEHIND = 2  # priority: after new photos, and after what is done again because a model changed


@dataclass(frozen=True)
class Work:
    """`missing` and `of_model` are SQL conditions of a photo `p`; `of_model` is None where no model is at work."""

    stage: str
    missing: str
    of_model: str | None
    queue: Callable[[AsyncSession, Sequence[int]], Awaitable[None]]


async def _embed(session: AsyncSession, photo_ids: Sequence[int]) -> None:
    requests = await embedding.requests(session, photo_ids)
    await runs.queue(session, [runs.NewRun("embed", one.photo_id, one, priority=BEHIND) for one in requests])


async def _curate(session: AsyncSession, photo_ids: Sequence[int]) -> None:
    await curation.queue_again(session, "p.id = ANY(:ids)", BEHIND, ids=list(photo_ids))


# One reading of the original measures, reads the Exif and hashes: the three differ in what counts as missing.
_reading = partial(Work, "convert", of_model=None, queue=partial(convert_again, priority=BEHIND))

WORK: Mapping[Kind, Work] = {
    "embed": Work(
        "embed",
        "NOT EXISTS (SELECT 1 FROM photo_vectors v WHERE v.photo_id = p.id AND v.model = :newest)",
        "EXISTS (SELECT 1 FROM photo_vectors v WHERE v.photo_id = p.id"
        " AND :model IN (v.model, split_part(v.model, ':', 1)))",
        _embed,
    ),
    "quality": _reading(missing="p.technical_score IS NULL"),
    "exif": _reading(missing="p.captured_at IS NULL AND p.camera_model IS NULL"),
    "hash": _reading(missing="(p.content_hash IS NULL OR p.perceptual_hash IS NULL)"),
    "curate": Work("curate", "p.described_by IS NULL", "p.described_by = :model", _curate),
}
