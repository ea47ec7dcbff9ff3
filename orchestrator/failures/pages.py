"""The two tabs of Problems: failed attempts, live, and dead letters."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import ServicesDep
from orchestrator.failures.queries import (
    FailureFilter,
    FailureList,
    LetterList,
    LetterState,
    error_types,
    failure_page,
    letter_page,
)
from orchestrator.paging import Page, RowId
from orchestrator.pipeline import stages
from orchestrator.rendering import render

router = APIRouter(include_in_schema=False)

_PER_PAGE = 50


class LogsPage(BaseModel):
    title: str = "Problems"
    tab: str = "logs"
    failures: FailureList
    stages: list[str]
    error_types: list[str]
    stage: str | None
    error_type: str | None
    photo: int | None
    is_first: bool
    next_url: str | None
    event: int


class FailureRows(BaseModel):
    failures: FailureList


class DeadLettersPage(BaseModel):
    title: str = "Problems"
    tab: str = "dead-letters"
    letters: LetterList
    state: LetterState | None
    is_first: bool
    next_url: str | None
    event: int


@router.get("/logs", response_class=HTMLResponse)
async def show_logs(
    request: Request,
    services: ServicesDep,
    *,
    stage: str = "",
    error_type: str = "",
    photo: RowId | None = None,
    after: str | None = None,
) -> HTMLResponse:
    wanted = FailureFilter(stage=stage or None, error_type=error_type or None, photo=photo)
    event = services.live.last_id
    async with services.sessions() as session:
        failures = await failure_page(session, wanted, Page(after, _PER_PAGE))
        kinds = await error_types(session)
    page = LogsPage(
        failures=failures,
        stages=list(stages(services.pipeline)),
        error_types=kinds,
        stage=wanted.stage,
        error_type=wanted.error_type,
        photo=photo,
        is_first=after is None,
        next_url=_next("/logs", failures.next, stage=stage, error_type=error_type, photo=photo),
        event=event,
    )
    return render(request, "logs.html", page)


@router.get("/logs/rows", response_class=HTMLResponse)
async def show_new_rows(
    request: Request,
    services: ServicesDep,
    newer_than: RowId,
    *,
    stage: str = "",
    error_type: str = "",
    photo: RowId | None = None,
) -> HTMLResponse:
    """Only the rows that a page which shows up to `newer_than` has not; it puts them on top."""
    wanted = FailureFilter(stage=stage or None, error_type=error_type or None, photo=photo, newer_than=newer_than)
    async with services.sessions() as session:
        failures = await failure_page(session, wanted, Page(None, _PER_PAGE))
    return render(request, "_failure_rows.html", FailureRows(failures=failures))


@router.get("/dead-letters", response_class=HTMLResponse)
async def show_dead_letters(
    request: Request, services: ServicesDep, state: LetterState | None = None, after: str | None = None
) -> HTMLResponse:
    event = services.live.last_id
    async with services.sessions() as session:
        letters = await letter_page(session, state, Page(after, _PER_PAGE))
    page = DeadLettersPage(
        letters=letters,
        state=state,
        is_first=after is None,
        next_url=_next("/dead-letters", letters.next, state=state),
        event=event,
    )
    return render(request, "dead_letters.html", page)


def _next(path: str, after: str | None, **filters: str | int | None) -> str | None:
    if after is None:
        return None
    kept = {name: value for name, value in filters.items() if value}
    return f"{path}?{urlencode({**kept, 'after': after})}"
