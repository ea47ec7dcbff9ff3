"""Reading photos: pages of the grid by keyset, and one photo in full."""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.models import FAILED, Burst, ImportItem, Photo, PhotoFile, Project, Root, StageRun, TasteState
from orchestrator.paging import Cursor, Page, Value, decode
from orchestrator.photos.addresses import preview_url, thumbnail_url
from orchestrator.photos.views import (
    BurstOfPhoto,
    Description,
    Exif,
    FileOfPhoto,
    Filter,
    Measurements,
    PhotoDetail,
    PhotoItem,
    PhotoList,
    RunOfPhoto,
    Scores,
    Sort,
)
from orchestrator.taste.service import MATCH_SCORE

Query = Select[Photo, str | None]  # a photo and the name of its project
Ids = Select[int | None]
Row = Any  # Any: a row of Query

_SORTED_BY = {"captured": "captured_at", "sharpness": "sharpness_score", "exposure": "exposure_score"}


@dataclass(frozen=True)
class Selection:
    """Which photos a grid shows. `filter` None: any that is not deleted."""

    filter: Filter | None = "all"
    project: str | None = None
    import_id: int | None = None


async def photo_page(session: AsyncSession, selection: Selection, sort: Sort, page: Page) -> PhotoList:
    after = decode(page.after, sort)
    most = page.limit + 1
    read = _by_id if sort == "newest" else _by_value
    rows = await read(session, selection, sort, after, most)
    items = await _items(session, rows[: page.limit])
    last = rows[page.limit - 1][0] if len(rows) == most else None
    return PhotoList(items=items, next=_cursor(last, sort).encode() if last else None)


async def photos_by_id(session: AsyncSession, selection: Selection, ids: Sequence[int]) -> list[PhotoItem]:
    """Those of `ids` that the selection holds, newest first."""
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
    """Highest value first, photos without one last. Two reads, because one condition over both uses no index."""
    column, ids = col(getattr(Photo, _SORTED_BY[sort])), col(Photo.id)
    ordered = _narrowed(_photos(), selection, by_subquery=True).order_by(column.desc().nulls_last(), ids.desc())
    rows: list[Row] = []
    if after is None or after.value is not None:
        valued = ordered.where(column.is_not(None))
        if after is not None:
            value = literal(_value_of(after.value, sort))
            valued = valued.where(tuple_(column, ids) < tuple_(value, literal(after.id)))
        rows += (await session.execute(valued.limit(most))).all()
    if len(rows) < most:
        valueless = ordered.where(column.is_(None))
        if after is not None and after.value is None:
            valueless = valueless.where(ids < after.id)
        rows += (await session.execute(valueless.limit(most - len(rows)))).all()
    return rows


def _leading_ids(selection: Selection) -> Ids | None:
    if selection.filter == "failed":
        return select(col(StageRun.photo_id)).where(col(StageRun.state) == FAILED, col(StageRun.photo_id).is_not(None))
    if selection.import_id is not None:
        items = select(col(ImportItem.photo_id)).where(col(ImportItem.import_id) == selection.import_id)
        return items.where(col(ImportItem.photo_id).is_not(None))
    return None


def _narrowed(query: Query, selection: Selection, *, by_subquery: bool = False) -> Query:
    """`by_subquery`: nothing joined the photos that failures or the import name, so they are asked for here."""
    query = query.where(*_conditions(selection.filter))
    if selection.project is not None:
        named = select(col(Project.id)).where(col(Project.name) == selection.project)
        query = query.where(col(Photo.project_id) == named.scalar_subquery())
    if selection.filter == "failed" and by_subquery:
        failed = select(col(StageRun.photo_id)).where(col(StageRun.state) == FAILED)
        query = query.where(col(Photo.id).in_(failed))
    if selection.import_id is not None and (by_subquery or selection.filter == "failed"):
        found = select(col(ImportItem.photo_id)).where(col(ImportItem.import_id) == selection.import_id)
        query = query.where(col(Photo.id).in_(found))
    return query


def _conditions(name: Filter | None) -> list[ColumnElement[bool]]:
    """Each set is the predicate of an index in models.py."""
    has_preview = col(Photo.preview).is_not(None)
    visible: list[ColumnElement[bool]] = [has_preview, col(Photo.rejected_at).is_(None)]
    match name:
        case "all":
            return visible
        case "rated":
            return [*visible, col(Photo.user_rating).is_not(None)]
        case "unrated":
            return [*visible, col(Photo.user_rating).is_(None)]
        case "bursts":
            shown = select(col(Burst.id)).where(col(Burst.size) > 1)
            return [*visible, col(Photo.burst_dissolved_at).is_(None), col(Photo.burst_id).in_(shown)]
        case "rejected":
            return [has_preview, col(Photo.rejected_at).is_not(None)]
        case _:
            return []


def _cursor(photo: Photo, sort: Sort) -> Cursor:
    value: Value | datetime = getattr(photo, _SORTED_BY[sort]) if sort != "newest" else None
    return Cursor(sort, value.isoformat() if isinstance(value, datetime) else value, photo.id)


def _value_of(value: Value, sort: Sort) -> datetime | float:
    return datetime.fromisoformat(str(value)) if sort == "captured" else float(value or 0)


async def _items(session: AsyncSession, rows: Sequence[Row]) -> list[PhotoItem]:
    stages: dict[int, dict[str, str]] = defaultdict(dict)
    query = select(col(StageRun.photo_id), col(StageRun.stage), col(StageRun.state))
    runs = query.where(col(StageRun.photo_id).in_([photo.id for photo, _ in rows]))
    for photo_id, stage, state in (await session.execute(runs)).all() if rows else ():
        stages[photo_id or 0][stage] = state
    bursts = await _bursts(session, [photo for photo, _ in rows])
    is_trusted = await _is_taste_trusted(session)
    return [_item(photo, project, stages[photo.id], bursts.get(photo.burst_id), is_trusted) for photo, project in rows]


async def _bursts(session: AsyncSession, photos: Sequence[Photo]) -> dict[int | None, Burst]:
    """Those that are shown: with two frames at least that take part."""
    ids = {photo.burst_id for photo in photos if photo.burst_id is not None}
    rows = await session.scalars(select(Burst).where(col(Burst.id).in_(ids), col(Burst.size) > 1)) if ids else ()
    return {burst.id: burst for burst in rows}


async def _is_taste_trusted(session: AsyncSession) -> bool:
    return bool((await session.scalars(select(col(TasteState.is_trusted)))).first())


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
