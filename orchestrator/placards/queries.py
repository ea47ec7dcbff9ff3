"""A placard as JSON: the photo, what is written under it, and how far that has come."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.models import Placard
from orchestrator.photos.addresses import version_of
from orchestrator.photos.views import Exif
from orchestrator.placards.service import job_of
from shared.claims import path_of

State = Literal["waiting", "working", "held", "failed", "done"]

_STATES: dict[str, State] = {"queued": "waiting", "published": "working", "retrying": "working"}
_STATES |= {"held": "held", "failed": "failed", "cancelled": "failed", "done": "done"}


class Progress(BaseModel):
    """How far a stage has come with it. The sentence says why it does not go on, or what went wrong."""

    state: State
    sentence: str | None


class Words(BaseModel):
    """All of it is what a model said: never markup."""

    described_by: str  # the model, or `built-in`
    subject: str
    content_type: str
    lighting_critique: str
    artistic_mood: str
    suggested_tags: list[str]


class PlacardItem(BaseModel):
    id: int
    file_name: str
    dropped_at: datetime
    thumbnail_url: str | None
    preview_url: str | None
    preview_width: int | None
    preview_height: int | None
    placeholder: str | None
    damage: str | None
    exif: Exif | None  # null until it is converted
    words: Words | None  # null until it is described


class PlacardDetail(PlacardItem):
    size: int
    convert: Progress
    curate: Progress
    photo_id: int | None  # the photo of the archive that has the same bytes


class PlacardList(BaseModel):
    items: list[PlacardItem]
    next: None = None


async def latest_placards(session: AsyncSession, limit: int) -> PlacardList:
    """Those that were dropped last, newest first."""
    query = select(Placard).order_by(col(Placard.dropped_at).desc(), col(Placard.id).desc()).limit(limit)
    return PlacardList(items=[PlacardItem.model_validate(_item(one)) for one in await session.scalars(query)])


async def placard_detail(
    session: AsyncSession, placard_id: int, trouble_of: Callable[[str], str | None]
) -> PlacardDetail | None:
    placard = await session.get(Placard, placard_id)
    if placard is None:
        return None
    runs = {row.stage: row for row in await session.execute(text(_RUNS), {"subject": job_of(placard_id)})}
    stages = {stage: _progress(placard, runs.get(stage), trouble_of(stage)) for stage in ("convert", "curate")}
    photo = await session.scalar(text(_SAME_PHOTO), {"hash": placard.content_hash})
    return PlacardDetail.model_validate({**_item(placard), **stages, "size": placard.size, "photo_id": photo})


def _item(placard: Placard) -> dict[str, object]:
    return {
        **placard.model_dump(),
        "thumbnail_url": _address(placard.id, "thumbnail", placard.thumbnail),
        "preview_url": _address(placard.id, "preview", placard.preview),
        "exif": placard.exif if placard.preview else None,
        "words": placard.description or None,
    }


def _address(placard_id: int, name: str, claim: str | None) -> str | None:
    return f"/placard/{placard_id}/{name}.jpg?v={version_of(claim)}" if claim else None


# What a run waits for: its breaker, or the person who paused its stage.
_RUNS = """
SELECT run.stage, run.state, run.error, breaker.cause, pause.stage IS NOT NULL AS is_paused
FROM stage_runs run LEFT JOIN breakers breaker ON run.state = 'held' AND breaker.key = run.hold_key
LEFT JOIN stage_pauses pause ON pause.stage = run.stage
WHERE run.stage IN ('convert', 'curate') AND run.subject = :subject"""
_SAME_PHOTO = """
SELECT id FROM photos WHERE content_hash = :hash AND deleted_at IS NULL
UNION ALL SELECT photo.id FROM photo_files file JOIN photos photo ON photo.id = file.photo_id
WHERE file.content_hash = :hash AND photo.deleted_at IS NULL LIMIT 1"""


def _progress(placard: Placard, run: Row[tuple[object, ...]] | None, trouble: str | None) -> Progress:
    state = _STATES[run.state] if run else "waiting"
    if run is None or state == "done":
        return Progress(state=state, sentence=None)
    if state in ("held", "failed"):
        said = run.cause if state == "held" else run.error
    else:
        said = _PAUSED if run.is_paused else trouble or run.error
    return Progress(state=state, sentence=_by_name(said, placard))


_PAUSED = "This stage is paused. It goes on when you resume it, in the bar above."


def _by_name(sentence: str | None, placard: Placard) -> str | None:
    """A worker calls the file by its hash."""
    return sentence and sentence.replace(path_of(placard.upload).name, placard.file_name)
