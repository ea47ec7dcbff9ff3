"""Reading what went wrong: failed attempts and dead letters, newest first."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import ColumnElement, Select, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.failures.results import status_of
from orchestrator.models import DeadLetter, ErrorLog, Json, Photo
from orchestrator.paging import Cursor, Page, RowId, decode
from orchestrator.photos.addresses import thumbnail_url

Status = Annotated[int, Field(ge=0, le=999)]  # 0: no service answered
LetterState = Literal["open", "requeued", "discarded", "resolved"]
_NEWEST = "newest"
_SHOWN_BYTES = 4_000  # of a message that may be anything
_MOST_ATTEMPTS = 1_000  # of all letters on a page together


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
    status: int  # what a service that was called answered, 0 where none did
    message: str
    body: str
    headers: Json
    state: str
    times: int
    can_requeue: bool  # there is a run to try again
    created_at: datetime
    last_at: datetime


class Attempt(BaseModel):
    """One failed attempt in the history of a letter."""

    attempt: int
    max_attempts: int | None
    source: str
    final: bool
    error_type: str
    status: int | None
    message: str
    created_at: datetime


class LetterDetail(Letter):
    history: list[Attempt]  # of its run, and of those it was before it was put back; oldest first


class LetterList(BaseModel):
    items: list[Letter]
    next: str | None
    total: int


@dataclass(frozen=True)
class LetterFilter:
    state: LetterState | None = None
    stage: str | None = None
    error_type: str | None = None
    status: int | None = None


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


async def letter_page(session: AsyncSession, wanted: LetterFilter, page: Page) -> LetterList:
    rows, following = await _letters(session, wanted, page)
    counted = select(func.count()).select_from(DeadLetter).where(*_conditions(wanted))
    total = (await session.execute(counted)).scalar_one()
    return LetterList(items=[Letter(**_letter(*row)) for row in rows], next=following, total=total)


async def letters_with_history(
    session: AsyncSession, wanted: LetterFilter, page: Page, newer_than: RowId | None = None
) -> tuple[list[LetterDetail], str | None]:
    """A page of letters, and the cursor of the next."""
    rows, following = await _letters(session, wanted, page, newer_than)
    return await _detailed(session, rows), following


async def letter_by_id(session: AsyncSession, letter_id: int) -> LetterDetail | None:
    query = select(DeadLetter, Photo).outerjoin(Photo, col(Photo.id) == col(DeadLetter.photo_id))
    rows = (await session.execute(query.where(col(DeadLetter.id) == letter_id))).all()
    return next(iter(await _detailed(session, rows)), None)


async def _letters(
    session: AsyncSession, wanted: LetterFilter, page: Page, newer_than: RowId | None = None
) -> tuple[Sequence[Any], str | None]:
    query = select(DeadLetter, Photo).outerjoin(Photo, col(Photo.id) == col(DeadLetter.photo_id))
    if newer_than is not None:
        query = query.where(col(DeadLetter.id) > newer_than)
    return await _page_of(session, query.where(*_conditions(wanted)), col(DeadLetter.id), page)


def _conditions(wanted: LetterFilter) -> list[ColumnElement[bool]]:
    return [
        column == value
        for column, value in (
            (col(DeadLetter.state), wanted.state),
            (col(DeadLetter.stage), wanted.stage),
            (col(DeadLetter.error_type), wanted.error_type),
            (col(DeadLetter.status), wanted.status),
        )
        if value is not None
    ]


async def _detailed(session: AsyncSession, rows: Sequence[Any]) -> list[LetterDetail]:
    letter_of = {run: letter.id for letter, _ in rows for run in (letter.run_id, *letter.earlier_runs)}
    query = select(ErrorLog).where(col(ErrorLog.run_id).in_([run for run in letter_of if run is not None]))
    logs = await session.execute(query.order_by(col(ErrorLog.id).desc()).limit(_MOST_ATTEMPTS))
    history: dict[int, list[Attempt]] = defaultdict(list)
    for log in logs.scalars():
        history[letter_of[log.run_id]].insert(0, Attempt(**log.model_dump(), status=status_of(log.detail)))
    return [LetterDetail(**_letter(letter, photo), history=history[letter.id]) for letter, photo in rows]


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
    return Failure(**log.model_dump(), photo=_photo(photo), status=status_of(log.detail))


def _letter(letter: DeadLetter, photo: Photo | None) -> dict[str, Any]:  # Any: the fields of Letter
    has_run = letter.run_id is not None and (letter.photo_id is not None or letter.subject is not None)
    return {
        **letter.model_dump(exclude={"body"}),
        "photo": _photo(photo),
        "body": letter.body[:_SHOWN_BYTES].decode("utf-8", "replace"),
        "can_requeue": has_run and letter.state in ("open", "discarded"),
    }


def _photo(photo: Photo | None) -> PhotoOfFailure | None:
    if photo is None:
        return None
    shown = None if photo.deleted_at else thumbnail_url(photo.id, photo.thumbnail)
    return PhotoOfFailure(id=photo.id, file_name=photo.file_name, thumbnail_url=shown)
