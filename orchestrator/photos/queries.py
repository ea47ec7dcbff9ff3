"""Reading photos: pages of the grid by keyset, and one photo in full."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.models import FAILED, Burst, Photo, PhotoFile, Project, Root, SetAside, StageRun
from orchestrator.models.rejects import RETURNED
from orchestrator.paging import Page, decode
from orchestrator.photos.addresses import preview_url, thumbnail_url
from orchestrator.photos.orders import Span, cursor_of, stretches
from orchestrator.photos.selection import Selection, conditions, informed, is_taste_trusted, named_elsewhere
from orchestrator.photos.views import (
    BurstOfPhoto,
    Description,
    Exif,
    FileOfPhoto,
    Measurements,
    PhotoDetail,
    PhotoItem,
    PhotoList,
    RunOfPhoto,
    Scores,
    Sort,
)
from orchestrator.taste.service import MATCH_SCORE

__all__ = ["Selection", "order_of", "photo_detail", "photo_page", "photos_by_id", "usual_sort"]

Query = Select[Photo, str | None]  # a photo and the name of its project
Row = Any  # Any: a row of Query, and what it is sorted by


async def photo_page(
    session: AsyncSession, selection: Selection, sort: Sort, page: Page, last: str | None = None
) -> PhotoList:
    """`last`: the cursor of the last photo that may be on it."""
    sort = order_of(selection, sort)
    span = Span(decode(page.after, sort), decode(last, sort))
    most = page.limit + 1
    rows: list[Row] = []
    for stretch in stretches(_photos(), await informed(session, selection), sort, span):
        if len(rows) < most:
            query = stretch.query.add_columns(stretch.kept).order_by(*stretch.order)
            rows += (await session.execute(query.limit(most - len(rows)))).all()
    items = await _items(session, rows[: page.limit])
    end = rows[page.limit - 1] if len(rows) == most else None
    return PhotoList(items=items, next=cursor_of(end[2], end[0].id, sort).encode() if end else None)


def order_of(selection: Selection, sort: Sort) -> Sort:
    """Words are needed for the order by relevance: without any the newest come first."""
    return "newest" if sort == "relevance" and selection.q is None else sort


def usual_sort(selection: Selection) -> Sort:
    return "relevance" if selection.q else "newest"


async def photos_by_id(session: AsyncSession, selection: Selection, ids: Sequence[int]) -> list[PhotoItem]:
    """Those of `ids` that the selection holds, newest first."""
    selection = await informed(session, selection)
    query = _photos().where(*conditions(selection), *named_elsewhere(selection), col(Photo.id).in_(ids))
    rows = (await session.execute(query.order_by(col(Photo.id).desc()))).all()
    return await _items(session, rows)


# That a photo was looked at says nothing of it, unless that failed.
_SAYS_SOMETHING = or_(col(StageRun.stage) != "render", col(StageRun.state) == FAILED)


async def photo_detail(session: AsyncSession, photo_id: int) -> PhotoDetail | None:
    row = (await session.execute(_photos().where(col(Photo.id) == photo_id))).one_or_none()
    if row is None:
        return None
    photo: Photo = row[0]
    runs = (await session.scalars(select(StageRun).where(col(StageRun.photo_id) == photo_id, _SAYS_SOMETHING))).all()
    (item,) = await _items(session, [row])
    return PhotoDetail(
        **item.model_dump(),
        description=_description(photo),
        **photo.model_dump(include={"format", "source", "content_hash", "created_at", "updated_at"}),
        measurements=Measurements.model_validate(photo, from_attributes=True),
        exif=Exif.model_validate(photo, from_attributes=True),
        files=await _files(session, photo_id),
        runs=[RunOfPhoto.model_validate(run, from_attributes=True) for run in sorted(runs, key=lambda run: run.id)],
    )


def _photos() -> Query:
    query = select(Photo, col(Project.name)).outerjoin(Project, col(Project.id) == col(Photo.project_id))
    return query.where(col(Photo.deleted_at).is_(None))


async def _items(session: AsyncSession, rows: Sequence[Row]) -> list[PhotoItem]:
    stages: dict[int, dict[str, str]] = defaultdict(dict)
    query = select(col(StageRun.photo_id), col(StageRun.stage), col(StageRun.state))
    runs = query.where(col(StageRun.photo_id).in_([row[0].id for row in rows]), _SAYS_SOMETHING)
    for photo_id, stage, state in (await session.execute(runs)).all() if rows else ():
        stages[photo_id or 0][stage] = state
    bursts = await _bursts(session, [row[0] for row in rows])
    aside = await _set_aside(session, [row[0].id for row in rows])
    known = _Known(await is_taste_trusted(session), aside)
    return [_item(photo, project, stages[photo.id], bursts.get(photo.burst_id), known) for photo, project, *_ in rows]


@dataclass(frozen=True)
class _Known:
    """What is known about all photos of an answer."""

    is_taste_trusted: bool
    set_aside: set[int | None]


async def _set_aside(session: AsyncSession, ids: Sequence[int]) -> set[int | None]:
    query = select(col(SetAside.photo_id)).where(col(SetAside.photo_id).in_(ids), col(SetAside.state) != RETURNED)
    return set(await session.scalars(query)) if ids else set()


async def _bursts(session: AsyncSession, photos: Sequence[Photo]) -> dict[int | None, Burst]:
    """Those that are shown: with two frames at least that take part."""
    ids = {photo.burst_id for photo in photos if photo.burst_id is not None}
    rows = await session.scalars(select(Burst).where(col(Burst.id).in_(ids), col(Burst.size) > 1)) if ids else ()
    return {burst.id: burst for burst in rows}


def _item(photo: Photo, project: str | None, stages: dict[str, str], burst: Burst | None, known: _Known) -> PhotoItem:
    takes_part = photo.rejected_at is None and photo.burst_dissolved_at is None
    return PhotoItem(
        **photo.model_dump(include=_SAME_NAME),
        thumbnail_url=thumbnail_url(photo.id, photo.thumbnail),
        preview_url=preview_url(photo.id, photo.preview),
        scores=Scores(sharpness=photo.sharpness_score, exposure=photo.exposure_score, technical=photo.technical_score),
        project=project,
        is_match=photo.manual_match or (known.is_taste_trusted and (photo.preference_score or 0) >= MATCH_SCORE),
        kept=photo.kept_at is not None,
        rejected=photo.rejected_at is not None,
        set_aside=photo.id in known.set_aside,
        burst=BurstOfPhoto.model_validate({**burst.model_dump(), "is_best": burst.best_id == photo.id})
        if burst and takes_part
        else None,
        stages=stages,
    )


_SAME_NAME = set(PhotoItem.model_fields) & set(Photo.model_fields)


def _description(photo: Photo) -> Description:
    suggested = photo.suggested_tags or []
    return Description(
        **photo.model_dump(include=_DESCRIBED),
        tags=suggested if photo.tags is None else photo.tags,
        suggested_tags=suggested,
    )


_DESCRIBED = {"subject", "content_type", "lighting_critique", "artistic_mood", "described_by"}


async def _files(session: AsyncSession, photo_id: int) -> list[FileOfPhoto]:
    query = select(PhotoFile, col(Root.path)).join(Root, col(Root.id) == col(PhotoFile.root_id))
    rows = (await session.execute(query.where(col(PhotoFile.photo_id) == photo_id).order_by(col(PhotoFile.id)))).all()
    return [
        FileOfPhoto(
            path=os.path.join(root, file.path).decode("utf-8", "replace"),
            role=file.role,
            size=file.size,
            modified_at=datetime.fromtimestamp(file.mtime_ns / 1e9, UTC),
        )
        for file, root in rows
    ]
