"""The orders of lists of photos: each is one stretch or two that an index walks, from any cursor to any other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Double, Select, SQLColumnExpression, cast, func, literal, null, select, tuple_
from sqlmodel import col

from orchestrator.models import FAILED, ImportItem, Photo, PhotoWords, StageRun
from orchestrator.paging import Cursor, Value
from orchestrator.photos.selection import MOST_FOUND, Selection, conditions, is_among, named_elsewhere
from orchestrator.photos.views import Sort

Query = Select[*tuple[Any, ...]]  # Any: whatever columns
Column = SQLColumnExpression[Any]  # Any: whatever the photos are sorted by
Row = Any  # Any: a row of a Query

_SORTED_BY = {
    "captured": "captured_at",
    "taste": "preference_score",
    "taste-up": "preference_score",
    "rating": "user_rating",
    "sharpness": "sharpness_score",
    "exposure": "exposure_score",
}


@dataclass(frozen=True)
class Span:
    """What lies behind one cursor, up to another that is still part of it; None: from the start, to the end."""

    after: Cursor | None = None
    until: Cursor | None = None


@dataclass(frozen=True)
class Stretch:
    """`query` names the photos, `order` sorts them; `value` is what a cursor keeps of each, beside its id; None
    where none of them has one."""

    query: Query
    order: Sequence[Column]
    value: Column | None
    ids: Column

    @property
    def kept(self) -> Column:
        return null() if self.value is None else self.value


def stretches(base: Query, selection: Selection, sort: Sort, span: Span) -> list[Stretch]:
    """Those that a walk over `span` needs, in order. `base` selects from photos; `selection` is an informed one."""
    if sort == "newest":
        return [_by_id(base, selection, span)]
    return _by_rank(base, selection, span) if sort == "relevance" else _by_value(base, selection, sort, span)


def cursor_of(value: Value | datetime, photo_id: int, sort: Sort) -> Cursor:
    return Cursor(sort, value.isoformat() if isinstance(value, datetime) else value, photo_id)


def place_of(cursor: Cursor) -> tuple[float, ...]:
    """Rises as the list goes on: to compare cursors of one order."""
    if cursor.order == "newest":
        return (-cursor.id,)
    if cursor.value is None:
        return (1, 0, cursor.id if cursor.order == "taste-up" else -cursor.id)
    value = _value_of(cursor.value, cursor.order)
    number = value.timestamp() if isinstance(value, datetime) else value
    return (0, number, cursor.id) if cursor.order == "taste-up" else (0, -number, -cursor.id)


def _by_id(base: Query, selection: Selection, span: Span) -> Stretch:
    """Newest first. Failures and imports name few of all photos, so their own index leads and the cursor goes there."""
    leading = _leading_ids(selection)
    if leading is None:
        ids: Column = col(Photo.id)
        query = _narrowed(base, selection).where(*_ids_within(ids, span))
    else:
        column = leading.selected_columns[0]
        # Said again for the photos themselves: an index of theirs that is walked instead starts at the right place.
        topmost = leading.with_only_columns(func.max(column)).scalar_subquery()
        within = leading.where(*_ids_within(column, span))
        named = within.distinct().order_by(column.desc()).subquery()
        ids = named.c[0]
        query = _narrowed(base.join(named, ids == col(Photo.id)), selection).where(col(Photo.id) <= topmost)
    return Stretch(query, [ids.desc()], None, ids)


def _by_value(base: Query, selection: Selection, sort: Sort, span: Span) -> list[Stretch]:
    """Highest value first, or lowest; photos without one last. Two stretches, because one condition over both uses no
    index."""
    column, ids, is_up = col(getattr(Photo, _SORTED_BY[sort])), col(Photo.id), sort == "taste-up"
    # Upwards is the same index walked from its other end.
    order = [column.asc().nulls_first(), ids.asc()] if is_up else [column.desc().nulls_last(), ids.desc()]
    narrowed = _narrowed(base, selection, by_subquery=True)
    found = []
    if _has_value(span.after, or_none=True):
        valued = narrowed.where(column.is_not(None), *_values_within(tuple_(column, ids), span, sort))
        found.append(Stretch(valued, order, column, ids))
    if not _has_value(span.until):
        valueless = narrowed.where(column.is_(None), *_ids_within(ids, _valueless(span), is_up=is_up))
        # Unrated photos have an index by their numbers alone.
        found.append(Stretch(valueless, order[1:] if sort == "rating" else order, None, ids))
    return found


def _by_rank(base: Query, selection: Selection, span: Span) -> list[Stretch]:
    """The photos that have most to do with the words first. Only the newest that have them are ranked, for every page
    again; of words that very many have the others follow, newest first."""
    among, ids = selection.found or (), col(Photo.id)
    found = []
    if _has_value(span.after, or_none=True):
        rank = cast(func.ts_rank(col(PhotoWords.words), func.searched(selection.q)), Double)
        ranked = _narrowed(
            base.join(PhotoWords, col(PhotoWords.photo_id) == ids),
            replace(selection, q=None, tag=None, found=None),
            by_subquery=True,
        )
        # Said of both: of the words alone, PostgreSQL would read all photos to find so many.
        ranked = ranked.where(is_among(col(PhotoWords.photo_id), among), is_among(col(Photo.id), among))
        ranked = ranked.where(*_values_within(tuple_(rank, ids), span, "relevance"))
        found.append(Stretch(ranked, [rank.desc(), ids.desc()], rank, ids))
    if len(among) == MOST_FOUND and not _has_value(span.until):
        others = _narrowed(base, selection, by_subquery=True).where(ids < among[-1])
        others = others.where(*_ids_within(ids, _valueless(span)))
        found.append(Stretch(others, [ids.desc()], None, ids))
    return found


def _leading_ids(selection: Selection) -> Select[int | None] | None:
    if selection.filter == "failed":
        return select(col(StageRun.photo_id)).where(col(StageRun.state) == FAILED, col(StageRun.photo_id).is_not(None))
    if selection.import_id is not None:
        items = select(col(ImportItem.photo_id)).where(col(ImportItem.import_id) == selection.import_id)
        return items.where(col(ImportItem.photo_id).is_not(None))
    return None


def _narrowed(query: Query, selection: Selection, *, by_subquery: bool = False) -> Query:
    """`by_subquery`: nothing joined the photos that failures or the import name, so they are asked for here."""
    query = query.where(*conditions(selection))
    if by_subquery or (selection.filter == "failed" and selection.import_id is not None):
        query = query.where(*named_elsewhere(selection))
    return query


def _has_value(cursor: Cursor | None, *, or_none: bool = False) -> bool:
    return or_none if cursor is None else cursor.value is not None


def _valueless(span: Span) -> Span:
    """The part of it among photos without a value."""
    return replace(span, after=None) if _has_value(span.after) else span


def _ids_within(ids: Column, span: Span, *, is_up: bool = False) -> list[Column]:
    found: list[Column] = []
    if span.after is not None:
        found.append(ids > span.after.id if is_up else ids < span.after.id)
    if span.until is not None:
        found.append(ids <= span.until.id if is_up else ids >= span.until.id)
    return found


def _values_within(here: Any, span: Span, sort: Sort) -> list[Column]:  # Any: a tuple_
    def at(cursor: Cursor) -> Any:
        return tuple_(literal(_value_of(cursor.value, sort)), literal(cursor.id))

    found: list[Column] = []
    is_up = sort == "taste-up"
    if span.after is not None:
        found.append(here > at(span.after) if is_up else here < at(span.after))
    if span.until is not None and span.until.value is not None:
        found.append(here <= at(span.until) if is_up else here >= at(span.until))
    return found


def _value_of(value: Value, order: str) -> datetime | float:
    if order == "captured":
        return datetime.fromisoformat(str(value))
    # A fraction beside a whole number would use no index.
    return int(value or 0) if order in {"taste", "taste-up", "rating"} else float(value or 0)
