"""Bursts as they are shown: newest first, each with its frames."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.bursts.detection import least_cosine
from orchestrator.embedding import service as embedding
from orchestrator.models import Burst, BurstState, Photo
from orchestrator.paging import Cursor, Page, decode
from orchestrator.photos.addresses import preview_url, thumbnail_url

_ORDER = "bursts"
MOST_FRAMES = 30  # of each burst in a list; one burst by its number comes with all


class Frame(BaseModel):
    """A photo of a burst. `is_chosen`: the person said that it is the best; else the best is the sharpest."""

    id: int
    file_name: str
    captured_at: datetime | None  # local to the camera
    width: int | None
    height: int | None
    thumbnail_url: str | None
    preview_url: str | None
    placeholder: str | None
    sharpness: float | None
    exposure_bias_ev: float | None
    focus_distance_m: float | None
    user_rating: int | None
    manual_match: bool
    kept: bool
    is_best: bool
    is_chosen: bool


class BurstItem(BaseModel):
    id: int
    kind: Literal["burst", "bracket"]
    size: int
    best_id: int
    started_at: datetime  # local to the camera
    frames: list[Frame]  # in the order they were taken


class Totals(BaseModel):
    """Brackets are among the groups; Keep Best of all leaves them out."""

    photos: int
    groups: int
    brackets: int


class Search(BaseModel):
    """How bursts are found. `is_running`: they are being looked for, or are about to be."""

    is_running: bool
    gap_seconds: float
    least_cosine: float | None  # None while no embedder is in force
    is_own_cosine: bool  # the person chose it


class BurstList(BaseModel):
    totals: Totals
    search: Search
    items: list[BurstItem]
    next: str | None


async def burst_page(session: AsyncSession, page: Page) -> BurstList:
    after = decode(page.after, _ORDER)
    started, ids = col(Burst.started_at), col(Burst.id)
    query = select(Burst).where(col(Burst.size) > 1).order_by(started.desc(), ids.desc()).limit(page.limit + 1)
    if after is not None:
        query = query.where(tuple_(started, ids) < tuple_(datetime.fromisoformat(str(after.value)), after.id))
    found = (await session.scalars(query)).all()
    shown = found[: page.limit]
    last = shown[-1] if len(found) > page.limit else None
    return BurstList(
        totals=await totals(session),
        search=await search(session),
        items=await _items(session, shown, MOST_FRAMES),
        next=Cursor(_ORDER, last.started_at.isoformat(), last.id).encode() if last else None,
    )


async def burst_detail(session: AsyncSession, burst_id: int) -> BurstItem | None:
    burst = await session.get(Burst, burst_id)
    if burst is None or burst.size < 2:
        return None
    (item,) = await _items(session, [burst], None)
    return item


async def totals(session: AsyncSession) -> Totals:
    row = await session.execute(
        text(
            "SELECT coalesce(sum(size), 0)::bigint AS photos, count(*) AS groups,"
            " count(*) FILTER (WHERE kind = 'bracket') AS brackets FROM bursts WHERE size > 1"
        )
    )
    return Totals.model_validate(row.one(), from_attributes=True)


async def search(session: AsyncSession) -> Search:
    state = (await session.scalars(select(BurstState))).one()
    model = await embedding.in_force(session)
    failed = await session.scalar(
        text(
            "SELECT 1 FROM stage_runs WHERE stage = 'bursts' AND state IN ('failed', 'cancelled')"
            " AND (request->>'seq')::bigint >= :seq"
        ),
        {"seq": state.requested_seq},
    )
    return Search(
        is_running=state.found_claim is not None or (state.found_seq < state.requested_seq and not failed),
        gap_seconds=state.gap_seconds,
        least_cosine=least_cosine(state.least_cosine, state.cosine_model, model) if model else None,
        is_own_cosine=model is not None and state.least_cosine is not None and state.cosine_model == model,
    )


async def _items(session: AsyncSession, bursts: Sequence[Burst], most_frames: int | None) -> list[BurstItem]:
    frames: dict[int | None, list[Photo]] = defaultdict(list)
    if bursts:
        for photo in await _frames(session, [burst.id for burst in bursts], most_frames):
            frames[photo.burst_id].append(photo)
    return [
        BurstItem(
            **burst.model_dump(include={"id", "kind", "size", "started_at", "best_id"}),
            frames=[_frame(photo, burst) for photo in frames[burst.id]],
        )
        for burst in bursts
    ]


async def _frames(session: AsyncSession, burst_ids: Sequence[int], most: int | None) -> Sequence[Photo]:
    """Of a long burst its first frames. Every burst has its best among them."""
    by_time = (col(Photo.captured_at), col(Photo.id))
    place = func.row_number().over(partition_by=col(Photo.burst_id), order_by=by_time).label("place")
    numbered = (
        select(col(Photo.id), place)
        .where(
            col(Photo.burst_id).in_(burst_ids),
            col(Photo.rejected_at).is_(None),
            col(Photo.deleted_at).is_(None),
            col(Photo.burst_dissolved_at).is_(None),
        )
        .subquery()
    )
    query = select(Photo).join(numbered, numbered.c.id == col(Photo.id)).order_by(*by_time)
    if most is not None:
        is_best = col(Photo.id).in_(select(col(Burst.best_id)).where(col(Burst.id).in_(burst_ids)))
        query = query.where((numbered.c.place <= most) | is_best)
    return (await session.scalars(query)).all()


def _frame(photo: Photo, burst: Burst) -> Frame:
    return Frame(
        **photo.model_dump(include=set(Frame.model_fields) & set(Photo.model_fields)),
        thumbnail_url=thumbnail_url(photo.id, photo.thumbnail),
        preview_url=preview_url(photo.id, photo.preview),
        sharpness=photo.sharpness_score,
        kept=photo.kept_at is not None,
        is_best=photo.id == burst.best_id,
        is_chosen=photo.burst_best_at is not None,
    )
