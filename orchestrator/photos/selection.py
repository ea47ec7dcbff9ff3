"""Which photos a grid shows: one filter, and whatever narrows it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from typing import Annotated

from fastapi import Depends, Query
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Text,
    any_,
    cast,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import col

from orchestrator.models import FAILED, Burst, ImportItem, Photo, PhotoWords, Project, StageRun, TasteState
from orchestrator.paging import RowId
from orchestrator.photos.views import Filter
from orchestrator.taste.service import MATCH_SCORE

MOST_FOUND = 5_000  # photos that are looked up by name; words of more are so common that any walk meets them soon
LEAST_FOR_PROJECTS = 4  # stars: what is worth a place in a project


@dataclass(frozen=True)
class Selection:
    """`filter` None: any photo that is not deleted."""

    filter: Filter | None = "all"
    project: str | None = None
    import_id: int | None = None
    q: str | None = None  # words to look for
    content_type: str | None = None
    tag: str | None = None
    camera: str | None = None  # its model
    since: date | None = None  # captured on this day or later
    until: date | None = None
    least_technical: float | None = None
    trusts_taste: bool = False  # whether a score alone makes a match: `informed` knows
    found: tuple[int, ...] | None = None  # the newest photos with the words and the tag: `informed` knows


def _selection(
    filter: Annotated[Filter | None, Query(description="any photo by default when `ids` are given, else all")] = None,
    project: Annotated[str | None, Query(description="the name of a project")] = None,
    import_id: Annotated[RowId | None, Query(alias="import")] = None,
    q: Annotated[
        str | None, Query(max_length=200, description="words of subject, mood, tags, file name, camera")
    ] = None,
    content_type: Annotated[str | None, Query(max_length=50)] = None,
    tag: Annotated[str | None, Query(max_length=200)] = None,
    camera: Annotated[str | None, Query(max_length=200, description="the model of a camera")] = None,
    since: Annotated[date | None, Query(alias="from", description="captured on this day or later")] = None,
    until: Annotated[date | None, Query(alias="to", description="captured on this day or earlier")] = None,
    technical: Annotated[float | None, Query(ge=0, le=100, description="least technical score")] = None,
) -> Selection:
    words = (q or "").strip() or None
    narrowed = (words, content_type or None, (tag or "").strip() or None, camera or None, since, until, technical)
    return Selection(filter, project or None, import_id, *narrowed)


SelectionDep = Annotated[Selection, Depends(_selection)]


async def informed(session: AsyncSession, selection: Selection) -> Selection:
    """The same, knowing whether the taste is to be trusted and which photos have the words. PostgreSQL cannot guess
    how rare a word is, and would walk every photo for one that has it."""
    selection = await trusting(session, selection)
    if worded := _worded(selection):
        ids = select(col(PhotoWords.photo_id)).where(*worded).order_by(col(PhotoWords.photo_id).desc())
        selection = replace(selection, found=tuple(await session.scalars(ids.limit(MOST_FOUND))))
    return selection


async def trusting(session: AsyncSession, selection: Selection) -> Selection:
    """The same, knowing whether the taste is to be trusted: enough where all of it is read, and no page."""
    if selection.filter not in {"match", "nomatch"}:
        return selection
    return replace(selection, trusts_taste=await is_taste_trusted(session))


async def is_taste_trusted(session: AsyncSession) -> bool:
    return bool((await session.scalars(select(col(TasteState.is_trusted)))).first())


def conditions(selection: Selection) -> list[ColumnElement[bool]]:
    """Of the photos themselves. Failures and imports, which other tables name, are left out: see `named_elsewhere`."""
    return [*of_filter(selection), *_narrowing(selection)]


def of_filter(selection: Selection) -> list[ColumnElement[bool]]:
    """Each set is the predicate of an index in models/photos.py."""
    has_preview = col(Photo.preview).is_not(None)
    if selection.filter in {None, "failed"}:
        return []
    if selection.filter == "rejected":
        return [has_preview, col(Photo.rejected_at).is_not(None)]
    return [has_preview, col(Photo.rejected_at).is_(None), *of_shown(selection)]


def of_shown(selection: Selection) -> list[ColumnElement[bool]]:
    """What its filter asks of photos that `all` shows."""
    shown_bursts = select(col(Burst.id)).where(col(Burst.size) > 1)
    is_match, is_rated = _is_match(selection), col(Photo.user_rating).is_not(None)
    is_good = col(Photo.user_rating) >= literal_column(str(LEAST_FOR_PROJECTS))
    further: dict[Filter, list[ColumnElement[bool]]] = {
        "all": [],
        "match": [is_match],
        "nomatch": [not_(func.coalesce(is_match, False))],
        "rated": [is_rated],
        "unrated": [not_(is_rated)],
        "for-projects": [is_good, col(Photo.project_id).is_(None)],
        "bursts": [col(Photo.burst_dissolved_at).is_(None), col(Photo.burst_id).in_(shown_bursts)],
    }
    return further[selection.filter or "all"]


def _is_match(selection: Selection) -> ColumnElement[bool]:
    """As PhotoItem.is_match. The number is part of the statement, as of the index: a bound one would not find it."""
    picked = col(Photo.manual_match)
    is_liked = col(Photo.preference_score) >= literal_column(str(MATCH_SCORE))
    return or_(picked, is_liked) if selection.trusts_taste else or_(picked)


def _narrowing(selection: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if selection.project is not None:
        named = select(col(Project.id)).where(col(Project.name) == selection.project)
        found.append(col(Photo.project_id) == named.scalar_subquery())
    if selection.content_type is not None:
        found.append(col(Photo.content_type) == selection.content_type)
    if selection.camera is not None:
        found.append(col(Photo.camera_model) == selection.camera)
    if selection.since is not None:
        found.append(col(Photo.captured_at) >= datetime.combine(selection.since, time.min))
    if selection.until is not None:
        found.append(col(Photo.captured_at) <= datetime.combine(selection.until, time.max))
    if selection.least_technical is not None:
        found.append(col(Photo.technical_score) >= selection.least_technical)
    if selection.found is not None and len(selection.found) < MOST_FOUND:
        found.append(is_among(col(Photo.id), selection.found))
    elif worded := _worded(selection):
        found.append(col(Photo.id).in_(select(col(PhotoWords.photo_id)).where(*worded)))
    return found


def is_among(column: Mapped[int], ids: Sequence[int]) -> ColumnElement[bool]:
    return column == any_(literal(list(ids), ARRAY(BigInteger)))


def _worded(selection: Selection) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if selection.q is not None:
        found.append(col(PhotoWords.words).op("@@", is_comparison=True)(func.searched(selection.q)))
    if selection.tag is not None:
        tags = cast([selection.tag.lower()], ARRAY(Text))
        found.append(col(PhotoWords.tags).op("@>", is_comparison=True)(tags))
    return found


def named_elsewhere(selection: Selection) -> list[ColumnElement[bool]]:
    """Photos that failures or the import name, asked for from the side of the photos."""
    found: list[ColumnElement[bool]] = []
    if selection.filter == "failed":
        failed = select(col(StageRun.photo_id)).where(col(StageRun.state) == FAILED)
        found.append(col(Photo.id).in_(failed))
    if selection.import_id is not None:
        items = select(col(ImportItem.photo_id)).where(col(ImportItem.import_id) == selection.import_id)
        found.append(col(Photo.id).in_(items))
    return found
