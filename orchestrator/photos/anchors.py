"""Where one can jump into a long list: a cursor every hundred photos, so that a page can span a list it has not read.

Finding them walks the whole list, most of it in an index alone; so they are kept for a while. That they grow old does
no harm: what lies between two cursors is always well defined, only how many photos these are is not exact any more.
"""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import func, null, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.db import Sessions
from orchestrator.models import Photo
from orchestrator.paging import Cursor, Value
from orchestrator.photos.orders import Query, Span, Stretch, cursor_of, place_of, stretches
from orchestrator.photos.queries import order_of
from orchestrator.photos.resting import Resting
from orchestrator.photos.selection import Selection, informed, is_among
from orchestrator.photos.views import Sort

MOST_BETWEEN = 20_000
_STEP = 100
_MOST_STEPS = 5  # in a segment of a very long list: it is still one page
_ENOUGH = 1_000  # segments; of longer lists they become longer first


class Anchor(BaseModel):
    """A segment of the list: the cursor it comes after, and what the list is sorted by there (with the newest first,
    when the photo was added)."""

    after: str | None
    value: datetime | Value


class Anchors(BaseModel):
    """`around`: the segment that holds the photo which was asked for."""

    total: int
    step: int
    anchors: list[Anchor]
    around: int | None = None


class Between(BaseModel):
    """`ids`: in the order of the list, at most MOST_BETWEEN."""

    ids: list[int]


@dataclass(frozen=True)
class _Mark:
    place: int  # from 1
    cursor: Cursor


class PhotoAnchors:
    """Of any list, each kept for a while."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._resting = Resting(self._find)

    async def of(self, selection: Selection, sort: Sort, around: int | None) -> Anchors:
        sort = order_of(selection, sort)
        cursors, anchors = await self._resting.of((selection, sort))
        if around is None:
            return anchors
        async with self._sessions() as session:
            cursor = await _cursor_in(session, await informed(session, selection), sort, around)
        if cursor is None:
            return anchors
        places = [place_of(cursor) for cursor in cursors]
        return anchors.model_copy(update={"around": bisect_left(places, place_of(cursor))})

    async def _find(self, key: tuple[Selection, Sort]) -> tuple[list[Cursor], Anchors]:
        """The cursors between segments, and what is told of them."""
        async with self._sessions() as session:
            marks = await _walk(session, *key)
            total = marks[-1].place if marks else 0
            step = _STEP * min(_MOST_STEPS, max(1, -(-total // (_STEP * _ENOUGH))))
            between = [mark for mark in marks if mark.place % step == 0 and mark.place < total]
            values = await _values(session, key[1], [*marks[:1], *between])
        cursors = [mark.cursor for mark in between]
        afters = [None, *(cursor.encode() for cursor in cursors)]
        anchors = [Anchor(after=after, value=value) for after, value in zip(afters, values, strict=False)]
        return cursors, Anchors(total=total, step=step, anchors=anchors)


async def ids_between(session: AsyncSession, selection: Selection, sort: Sort, one: int, other: int) -> list[int]:
    """From one photo of a list to another, both included, in the order of the list; [] when one is not in it."""
    sort, selection = order_of(selection, sort), await informed(session, selection)
    ends = [await _cursor_in(session, selection, sort, photo_id) for photo_id in (one, other)]
    if None in ends:
        return []
    first, last = sorted((end for end in ends if end), key=place_of)
    found = [first.id]
    for stretch in stretches(_ids(), selection, sort, Span(first, last)):
        rows = await session.scalars(stretch.query.order_by(*stretch.order).limit(MOST_BETWEEN - len(found)))
        found += rows
    return found


def _ids() -> Query:
    return select(col(Photo.id)).where(col(Photo.deleted_at).is_(None))


async def _walk(session: AsyncSession, selection: Selection, sort: Sort) -> list[_Mark]:
    """The first photo, every hundredth, and the last."""
    marks: dict[int, _Mark] = {}
    gone = 0
    for stretch in stretches(_ids(), await informed(session, selection), sort, Span()):
        rows = await session.execute(_marked(stretch, gone))
        marks |= {place: _Mark(place, cursor_of(value, photo_id, sort)) for place, value, photo_id in rows}
        gone = max(marks, default=0)
    return list(marks.values())


def _marked(stretch: Stretch, gone: int) -> Query:
    """Places in the list, values and ids; `gone` photos lie before the stretch. All of it is laid into arrays and read
    at some places: PostgreSQL takes several times as long to number rows. Its first and its last may come twice."""
    named: list[Any] = [stretch.ids.label("photo")]  # Any: columns of any kind
    if stretch.value is not None:
        named.append(stretch.value.label("value"))
    walked = stretch.query.with_only_columns(*named).order_by(*stretch.order).subquery()
    line = select(func.count(), *map(func.array_agg, walked.c)).subquery()
    size, ids, *values = line.c
    every = func.generate_series(-(gone % _STEP), size + _STEP - 1, _STEP).table_valued("place").render_derived()
    place = func.greatest(1, func.least(every.c.place, size))
    value = values[0][place] if values else null()
    return select(gone + place, value, ids[place]).join_from(line, every, true()).where(size > 0)


async def _values(session: AsyncSession, sort: Sort, marks: list[_Mark]) -> list[datetime | Value]:
    if sort != "newest":
        return [mark.cursor.value for mark in marks]
    ids = [mark.cursor.id for mark in marks]
    rows = await session.execute(select(col(Photo.id), col(Photo.created_at)).where(is_among(col(Photo.id), ids)))
    added = {row.id: row.created_at for row in rows}
    return [added.get(photo_id) for photo_id in ids]


async def _cursor_in(session: AsyncSession, selection: Selection, sort: Sort, photo_id: int) -> Cursor | None:
    """Of a photo of the list; None when it is not in it."""
    base = _ids().where(col(Photo.id) == photo_id)
    for stretch in stretches(base, selection, sort, Span()):
        row = (await session.execute(stretch.query.add_columns(stretch.kept).limit(1))).first()
        if row is not None:
            return cursor_of(row[1], photo_id, sort)
    return None
