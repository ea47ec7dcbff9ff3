"""The photos that a request is about: by their numbers, or all that a grid shows but some."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator
from sqlalchemy import ColumnElement, Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.models import MergedPhoto, Photo
from orchestrator.paging import RowId
from orchestrator.photos.selection import Selection, conditions, is_among, named_elsewhere, trusting
from orchestrator.photos.views import Filter

MOST_NAMED = 1_000
MOST_SPARED = 100_000
_MANY = 200

Text200 = Annotated[str, Field(max_length=200)]
Id = Annotated[RowId, Strict()]


@dataclass(frozen=True)
class Chosen:
    """Either `ids`, or a `selection` without `spared`."""

    ids: Sequence[int] = ()
    selection: Selection | None = None
    spared: Sequence[int] = ()


class ShownBy(BaseModel):
    """What a grid shows, in the words of its address."""

    model_config = ConfigDict(extra="forbid")

    filter: Filter = "all"
    project: Text200 | None = None
    import_id: Annotated[RowId | None, Field(alias="import")] = None
    q: Text200 | None = None
    content_type: Annotated[str | None, Field(max_length=50)] = None
    tag: Text200 | None = None
    camera: Text200 | None = None
    since: Annotated[date | None, Field(alias="from")] = None
    until: Annotated[date | None, Field(alias="to")] = None
    technical: Annotated[float | None, Field(ge=0, le=100)] = None

    def selection(self) -> Selection:
        return Selection(
            filter=self.filter,
            project=self.project or None,
            import_id=self.import_id,
            q=(self.q or "").strip() or None,
            content_type=self.content_type or None,
            tag=(self.tag or "").strip() or None,
            camera=self.camera or None,
            since=self.since,
            until=self.until,
            least_technical=self.technical,
        )


class ChosenPhotos(BaseModel):
    """`ids`, or a `selection` of the grid without those in `except`."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Id] | None, Field(min_length=1, max_length=MOST_NAMED)] = None
    shown_by: Annotated[ShownBy | None, Field(alias="selection")] = None
    spared: Annotated[list[Id], Field(alias="except", max_length=MOST_SPARED)] = []

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "ChosenPhotos":
        if (self.ids is None) == (self.shown_by is None):
            raise ValueError("name photos by their ids, or by a selection, and not by both")
        if self.ids is not None and self.spared:
            raise ValueError("only a selection has exceptions: leave these ids out")
        return self

    def chosen(self) -> Chosen:
        return Chosen(self.ids or (), self.shown_by.selection() if self.shown_by else None, self.spared)


async def lock(session: AsyncSession, chosen: Chosen) -> list[int]:
    """The photos that were chosen and are there, locked until the end of the transaction: in the order of their
    numbers, so that two decisions never wait for each other in a circle.

    A selection is resolved here and only here. What comes to be shown later is not chosen, and what another
    transaction takes out of it meanwhile is not chosen either.
    """
    if chosen.selection is not None:
        return await _of_selection(session, chosen.selection, chosen.spared, is_locked=True)
    found = await lock_ids(session, chosen.ids)
    if len(found) < len(set(chosen.ids)):  # an import may have found, just now, that one is another
        found = await lock_ids(session, await _as_now_numbered(session, chosen.ids))
    return found


async def find(session: AsyncSession, chosen: Chosen) -> list[int]:
    """The same photos, as far as nobody changes them: nothing is locked."""
    if chosen.selection is None:
        ids = await _as_now_numbered(session, chosen.ids)
        return list(await session.scalars(_there(is_among(col(Photo.id), ids))))
    return await _of_selection(session, chosen.selection, chosen.spared, is_locked=False)


async def lock_ids(session: AsyncSession, ids: Sequence[int]) -> list[int]:
    """Those of these photos that are there, locked."""
    found = list(await session.scalars(_there(is_among(col(Photo.id), ids)).with_for_update()))
    await expect(session, len(found))
    return found


async def expect(session: AsyncSession, count: int) -> None:
    """The statements that follow are about so many photos. After a few single decisions PostgreSQL keeps a plan for
    few, and would go on with it for a hundred thousand."""
    if count > _MANY:
        await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


async def _of_selection(
    session: AsyncSession, selection: Selection, spared: Sequence[int], *, is_locked: bool
) -> list[int]:
    selection = await trusting(session, selection)
    query = _there(*conditions(selection), *named_elsewhere(selection))
    rows = await session.scalars(query.with_for_update(of=Photo) if is_locked else query)
    without = set(await _as_now_numbered(session, spared)) if spared else set()
    found = [id_ for id_ in rows if id_ not in without]
    await expect(session, len(found))
    return found


def _there(*which: ColumnElement[bool]) -> Select[int]:
    return select(col(Photo.id)).where(col(Photo.deleted_at).is_(None), *which).order_by(col(Photo.id))


async def _as_now_numbered(session: AsyncSession, ids: Sequence[int]) -> list[int]:
    """The same photos by the numbers they have now, should imports have merged some of them into others."""
    rows = await session.scalars(select(MergedPhoto).where(is_among(col(MergedPhoto.photo_id), ids)))
    merged = {row.photo_id: row.into_id for row in rows}
    return [merged.get(id_, id_) for id_ in ids]
