"""Reading what went wrong: failed attempts and dead letters, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.models import DeadLetter, ErrorLog, Json, Photo
from orchestrator.paging import Cursor, Page, RowId, decode
from orchestrator.photos.addresses import thumbnail_url

LetterState = Literal["open", "requeued", "discarded", "resolved"]
_NEWEST = "newest"
_SHOWN_BYTES = 4_000  # of a message that may be anything


class PhotoOfFailure(BaseModel):
    id: int
    file_name: str
    thumbnail_url: str | None


class Failure(BaseModel):
    """One failed attempt of one stage on one photo."""

    id: int
    stage: str
    photo: PhotoOfFailure | None
    import_id: int | None
    run_id: UUID
    attempt: int
    max_attempts: int | None
    final: bool
    source: str
    error_type: str
    status: int | None  # what a service that was called answered
    message: str
    detail: Json
    created_at: datetime


class FailureList(BaseModel):
    items: list[Failure]
    next: str | None


class Letter(BaseModel):
    """A message that no worker will get again unless it is put back."""

    id: int
    stage: str
    photo: PhotoOfFailure | None
    run_id: UUID | None
    reason: str
    error_type: str
    message: str
    body: str
    headers: Json
    state: str
    times: int
    created_at: datetime
    last_at: datetime


class LetterList(BaseModel):
    items: list[Letter]
    next: str | None
    total: int


@dataclass(frozen=True)
class FailureFilter:
    stage: str | None = None
    error_type: str | None = None
    photo: RowId | None = None
    final: bool | None = None
    newer_than: RowId | None = None


async def failure_page(session: AsyncSession, wanted: FailureFilter, page: Page) -> FailureList:
    query = select(ErrorLog, Photo).outerjoin(Photo, col(Photo.id) == col(ErrorLog.photo_id))
    for column, value in (
        (col(ErrorLog.stage), wanted.stage),
        (col(ErrorLog.error_type), wanted.error_type),
        (col(ErrorLog.photo_id), wanted.photo),
        (col(ErrorLog.final), wanted.final),
    ):
        query = query if value is None else query.where(column == value)
    if wanted.newer_than is not None:
        query = query.where(col(ErrorLog.id) > wanted.newer_than)
    rows, following = await _page_of(session, query, col(ErrorLog.id), page)
    return FailureList(items=[_failure(log, photo) for log, photo in rows], next=following)


async def letter_page(session: AsyncSession, state: LetterState | None, page: Page) -> LetterList:
    query = select(DeadLetter, Photo).outerjoin(Photo, col(Photo.id) == col(DeadLetter.photo_id))
    counted = select(func.count()).select_from(DeadLetter)
    if state:
        query = query.where(col(DeadLetter.state) == state)
        counted = counted.where(col(DeadLetter.state) == state)
    rows, following = await _page_of(session, query, col(DeadLetter.id), page)
    total = (await session.execute(counted)).scalar_one()
    return LetterList(items=[_letter(letter, photo) for letter, photo in rows], next=following, total=total)


async def error_types(session: AsyncSession) -> list[str]:
    """The kinds of error there are, by one index look-up each, however many failures there were."""
    found = await session.scalars(
        text("""
        WITH RECURSIVE kinds AS (
          (SELECT error_type FROM error_logs ORDER BY error_type LIMIT 1)
          UNION ALL
          SELECT (SELECT e.error_type FROM error_logs e WHERE e.error_type > kinds.error_type
                  ORDER BY e.error_type LIMIT 1)
          FROM kinds WHERE kinds.error_type IS NOT NULL
        ) SELECT error_type FROM kinds WHERE error_type IS NOT NULL LIMIT 200""")
    )
    return list(found)


async def _page_of(
    session: AsyncSession, query: Select[*tuple[Any, ...]], ids: Any, page: Page
) -> tuple[Sequence[Any], str | None]:  # Any: a row and its photo
    after = decode(page.after, _NEWEST)
    if after:
        query = query.where(ids < after.id)
    rows = (await session.execute(query.order_by(ids.desc()).limit(page.limit + 1))).all()
    shown = rows[: page.limit]
    return shown, Cursor(_NEWEST, None, shown[-1][0].id).encode() if len(rows) > page.limit else None


def _failure(log: ErrorLog, photo: Photo | None) -> Failure:
    return Failure(**log.model_dump(), photo=_photo(photo), status=_status(log.detail))


def _letter(letter: DeadLetter, photo: Photo | None) -> Letter:
    body = letter.body[:_SHOWN_BYTES].decode("utf-8", "replace")
    return Letter(**letter.model_dump(exclude={"body"}), photo=_photo(photo), body=body)


def _photo(photo: Photo | None) -> PhotoOfFailure | None:
    if photo is None:
        return None
    return PhotoOfFailure(
        id=photo.id, file_name=photo.file_name, thumbnail_url=thumbnail_url(photo.id, photo.thumbnail)
    )


def _status(detail: Json) -> int | None:
    upstream = detail.get("upstream")
    status = upstream.get("status_code") if isinstance(upstream, dict) else None
    return status if isinstance(status, int) else None
