"""Reading photos: pages of the grid by keyset, and one photo in full."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Double, Select, SQLColumnExpression, cast, func, literal, null, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.models import FAILED, Burst, ImportItem, Photo, PhotoFile, PhotoWords, Project, Root, StageRun
from orchestrator.paging import Cursor, Page, Value, decode
from orchestrator.photos.addresses import preview_url, thumbnail_url
from orchestrator.photos.selection import (
    MOST_FOUND,
    Selection,
    conditions,
    informed,
    is_among,
    is_taste_trusted,
    named_elsewhere,
)
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

__all__ = ["Selection", "photo_detail", "photo_page", "photos_by_id", "usual_sort"]

Query = Select[Photo, str | None]  # a photo and the name of its project
Ids = Select[int | None]
Row = Any  # Any: a row of Query, and what it is ranked by
Q = TypeVar("Q", bound=Select[*tuple[Any, ...]])  # Any: whatever columns

_SORTED_BY = {
    "captured": "captured_at",
    "taste": "preference_score",
    "taste-up": "preference_score",
    "rating": "user_rating",
    "sharpness": "sharpness_score",
    "exposure": "exposure_score",
}


async def photo_page(session: AsyncSession, selection: Selection, sort: Sort, page: Page) -> PhotoList:
    """Words are needed for the order by relevance: without any the newest come first."""
    if sort == "relevance" and selection.q is None:
        sort = "newest"
    after = decode(page.after, sort)
    most = page.limit + 1
    read = {"newest": _by_id, "relevance": _by_rank}.get(sort, _by_value)
    rows = await read(session, await informed(session, selection), sort, after, most)
    items = await _items(session, rows[: page.limit])
    last = rows[page.limit - 1] if len(rows) == most else None
    return PhotoList(items=items, next=_cursor(last, sort).encode() if last else None)


def usual_sort(selection: Selection) -> Sort:
    return "relevance" if selection.q else "newest"


async def photos_by_id(session: AsyncSession, selection: Selection, ids: Sequence[int]) -> list[PhotoItem]:
    """Those of `ids` that the selection holds, newest first."""
    selection = await informed(session, selection)
    query = _narrowed(_photos(), selection, by_subquery=True).where(col(Photo.id).in_(ids))
    rows = (await session.execute(query.order_by(col(Photo.id).desc()))).all()
    return await _items(session, rows)


async def photo_detail(session: AsyncSession, photo_id: int) -> PhotoDetail | None:
    row = (await session.execute(_photos().where(col(Photo.id) == photo_id))).one_or_none()
    if row is None:
        return None
    photo: Photo = row[0]
    runs = (await session.scalars(select(StageRun).where(col(StageRun.photo_id) == photo_id))).all()
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


async def _by_id(
    session: AsyncSession, selection: Selection, sort: Sort, after: Cursor | None, most: int
) -> Sequence[Row]:
    """Newest first. Failures and imports name few of all photos, so their own index leads and the cursor goes there."""
    leading = _leading_ids(selection)
    if leading is None:
        query = _narrowed(_photos(), selection)
        ids: SQLColumnExpression[Any] = col(Photo.id)
        query = query.where(ids < after.id) if after else query
    else:
        column = leading.selected_columns[0]
        # Said again for the photos themselves: an index of theirs that is walked instead starts at the right place.
        topmost = leading.with_only_columns(func.max(column)).scalar_subquery()
        named = (leading.where(column < after.id) if after else leading).distinct().order_by(column.desc()).subquery()
        ids = named.c[0]
        query = _narrowed(_photos().join(named, ids == col(Photo.id)), selection).where(col(Photo.id) <= topmost)
    return (await session.execute(query.order_by(ids.desc()).limit(most))).all()


async def _by_value(
    session: AsyncSession, selection: Selection, sort: Sort, after: Cursor | None, most: int
) -> Sequence[Row]:
    """Highest value first, or lowest; photos without one last. Two reads, because one condition over both uses no
    index."""
    column, ids, is_up = col(getattr(Photo, _SORTED_BY[sort])), col(Photo.id), sort == "taste-up"
    # Upwards is the same index walked from its other end.
    order = [column.asc().nulls_first(), ids.asc()] if is_up else [column.desc().nulls_last(), ids.desc()]
    narrowed = _narrowed(_photos(), selection, by_subquery=True)
    rows: list[Row] = []
    if after is None or after.value is not None:
        valued = narrowed.where(column.is_not(None)).order_by(*order)
        if after is not None:
            here, there = tuple_(column, ids), tuple_(literal(_value_of(after.value, sort)), literal(after.id))
            valued = valued.where(here > there if is_up else here < there)
        rows += (await session.execute(valued.limit(most))).all()
    if len(rows) < most:
        # Unrated photos have an index by their numbers alone.
        valueless = narrowed.where(column.is_(None)).order_by(*(order[1:] if sort == "rating" else order))
        if after is not None and after.value is None:
            valueless = valueless.where(ids > after.id if is_up else ids < after.id)
        rows += (await session.execute(valueless.limit(most - len(rows)))).all()
    return rows


async def _by_rank(
    session: AsyncSession, selection: Selection, _: Sort, after: Cursor | None, most: int
) -> Sequence[Row]:
    """The photos that have most to do with the words first. Only the newest that have them are ranked, for every page
    again; of words that very many have the others follow, newest first."""
    found, ids = selection.found or (), col(Photo.id)
    rows: list[Row] = []
    if after is None or after.value is not None:
        rank = cast(func.ts_rank(col(PhotoWords.words), func.searched(selection.q)), Double)
        query = _photos().add_columns(rank).join(PhotoWords, col(PhotoWords.photo_id) == ids)
        ranked = _narrowed(query, replace(selection, q=None, tag=None, found=None), by_subquery=True)
        ranked = ranked.where(is_among(col(PhotoWords.photo_id), found))
        if after is not None:
            here = tuple_(literal(_value_of(after.value, "relevance")), literal(after.id))
            ranked = ranked.where(tuple_(rank, ids) < here)
        rows += (await session.execute(ranked.order_by(rank.desc(), ids.desc()).limit(most))).all()
    if len(rows) < most and len(found) == MOST_FOUND:
        others = _narrowed(_photos().add_columns(cast(null(), Double)), selection, by_subquery=True)
        others = others.where(ids < (after.id if after and after.value is None else found[-1]))
        rows += (await session.execute(others.order_by(ids.desc()).limit(most - len(rows)))).all()
    return rows


def _leading_ids(selection: Selection) -> Ids | None:
    if selection.filter == "failed":
        return select(col(StageRun.photo_id)).where(col(StageRun.state) == FAILED, col(StageRun.photo_id).is_not(None))
    if selection.import_id is not None:
        items = select(col(ImportItem.photo_id)).where(col(ImportItem.import_id) == selection.import_id)
        return items.where(col(ImportItem.photo_id).is_not(None))
    return None


def _narrowed(query: Q, selection: Selection, *, by_subquery: bool = False) -> Q:
    """`by_subquery`: nothing joined the photos that failures or the import name, so they are asked for here."""
    query = query.where(*conditions(selection))
    if by_subquery or (selection.filter == "failed" and selection.import_id is not None):
        query = query.where(*named_elsewhere(selection))
    return query


def _cursor(row: Row, sort: Sort) -> Cursor:
    photo: Photo = row[0]
    if sort == "relevance":
        return Cursor(sort, row[2], photo.id)
    value: Value | datetime = getattr(photo, _SORTED_BY[sort]) if sort != "newest" else None
    return Cursor(sort, value.isoformat() if isinstance(value, datetime) else value, photo.id)


def _value_of(value: Value, sort: Sort) -> datetime | float:
    if sort == "captured":
        return datetime.fromisoformat(str(value))
    # A fraction beside a whole number would use no index.
    return int(value or 0) if sort in {"taste", "taste-up", "rating"} else float(value or 0)


async def _items(session: AsyncSession, rows: Sequence[Row]) -> list[PhotoItem]:
    stages: dict[int, dict[str, str]] = defaultdict(dict)
    query = select(col(StageRun.photo_id), col(StageRun.stage), col(StageRun.state))
    runs = query.where(col(StageRun.photo_id).in_([row[0].id for row in rows]))
    for photo_id, stage, state in (await session.execute(runs)).all() if rows else ():
        stages[photo_id or 0][stage] = state
    bursts = await _bursts(session, [row[0] for row in rows])
    is_trusted = await is_taste_trusted(session)
    return [
        _item(photo, project, stages[photo.id], bursts.get(photo.burst_id), is_trusted) for photo, project, *_ in rows
    ]


async def _bursts(session: AsyncSession, photos: Sequence[Photo]) -> dict[int | None, Burst]:
    """Those that are shown: with two frames at least that take part."""
    ids = {photo.burst_id for photo in photos if photo.burst_id is not None}
    rows = await session.scalars(select(Burst).where(col(Burst.id).in_(ids), col(Burst.size) > 1)) if ids else ()
    return {burst.id: burst for burst in rows}


def _item(
    photo: Photo, project: str | None, stages: dict[str, str], burst: Burst | None, is_trusted: bool
) -> PhotoItem:
    takes_part = photo.rejected_at is None and photo.burst_dissolved_at is None
    return PhotoItem(
        **photo.model_dump(include=_SAME_NAME),
        thumbnail_url=thumbnail_url(photo.id, photo.thumbnail),
        preview_url=preview_url(photo.id, photo.preview),
        scores=Scores(sharpness=photo.sharpness_score, exposure=photo.exposure_score, technical=photo.technical_score),
        project=project,
        is_match=photo.manual_match or (is_trusted and (photo.preference_score or 0) >= MATCH_SCORE),
        kept=photo.kept_at is not None,
        rejected=photo.rejected_at is not None,
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
