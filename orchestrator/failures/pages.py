"""The two tabs of Problems. Both begin with what waits and what went wrong by cause; below are single failed attempts,
or single dead letters."""

from collections.abc import Sequence
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import Services, ServicesDep
from orchestrator.failures.causes import CauseFilter, CauseList, Causes, CausesDep
from orchestrator.failures.queries import (
    FailureFilter,
    FailureList,
    LetterDetail,
    LetterFilter,
    Status,
    error_types,
    failure_page,
    letters_with_history,
)
from orchestrator.paging import Page, RowId
from orchestrator.pipeline import stages
from orchestrator.rendering import render
from orchestrator.stages.queries import Waiting, waiting_stages

router = APIRouter(include_in_schema=False)

_PER_PAGE = 50

ShownState = Literal["open", "discarded", "requeued", "resolved", "all"]


class Asked(BaseModel):
    """The filters, as they are in the address; empty: not asked for."""

    stage: str = ""
    error_type: str = ""
    status: Status | None = None
    state: ShownState = "open"
    photo: RowId | None = None

    @property
    def causes(self) -> CauseFilter:
        return CauseFilter(self.stage or None, self.error_type or None, self.status)

    @property
    def letters(self) -> LetterFilter:
        state = None if self.state == "all" else self.state
        return LetterFilter(state, self.stage or None, self.error_type or None, self.status)

    def failures(self, newer_than: int | None = None) -> FailureFilter:
        return FailureFilter(self.stage or None, self.error_type or None, self.photo, newer_than=newer_than)

    def address(self, path: str, **more: str | int) -> str:
        """This selection under a path; what is as it is without asking is left out."""
        kept = {name: value for name, value in {**self.model_dump(), **more}.items() if value not in ("", None)}
        if kept.get("state") == "open":
            del kept["state"]
        return f"{path}?{urlencode(kept)}" if kept else path


AskedDep = Annotated[Asked, Depends()]


class Now(BaseModel):
    """What a page keeps up to date while it is open."""

    waiting: list[Waiting]
    causes: CauseList
    asked: Asked


class ProblemsPage(Now):
    title: str = "Problems"
    tab: str
    stages: list[str]
    error_types: list[str]
    is_first: bool
    next_url: str | None
    event: int


class LogsPage(ProblemsPage):
    tab: str = "logs"
    failures: FailureList


class DeadLettersPage(ProblemsPage):
    tab: str = "dead-letters"
    letters: list[LetterDetail]


class FailureRows(BaseModel):
    failures: FailureList


class LetterRows(BaseModel):
    letters: list[LetterDetail]


@router.get("/logs", response_class=HTMLResponse)
async def show_logs(
    request: Request, services: ServicesDep, causes: CausesDep, asked: AskedDep, after: str | None = None
) -> HTMLResponse:
    event = services.live.last_id
    now = await _now(services, causes, asked.model_copy(update={"state": "open"}))
    async with services.sessions() as session:
        failures = await failure_page(session, asked.failures(), Page(after, _PER_PAGE))
        kinds = await error_types(session)
    page = LogsPage(
        **dict(now),
        failures=failures,
        stages=list(stages(services.pipeline)),
        error_types=_kinds(kinds, now, asked),
        is_first=after is None,
        next_url=asked.address("/logs", after=failures.next) if failures.next else None,
        event=event,
    )
    return render(request, "logs.html", page)


@router.get("/dead-letters", response_class=HTMLResponse)
async def show_dead_letters(
    request: Request, services: ServicesDep, causes: CausesDep, asked: AskedDep, after: str | None = None
) -> HTMLResponse:
    event = services.live.last_id
    now = await _now(services, causes, asked)
    async with services.sessions() as session:
        letters, following = await letters_with_history(session, asked.letters, Page(after, _PER_PAGE))
        kinds = await error_types(session)
    page = DeadLettersPage(
        **dict(now),
        letters=letters,
        stages=[*stages(services.pipeline), "results"],
        error_types=_kinds(kinds, now, asked),
        is_first=after is None,
        next_url=asked.address("/dead-letters", after=following) if following else None,
        event=event,
    )
    return render(request, "dead_letters.html", page)


@router.get("/problems/now", response_class=HTMLResponse)
async def show_now(request: Request, services: ServicesDep, causes: CausesDep, asked: AskedDep) -> HTMLResponse:
    """The part of either page that changes while it is open."""
    return render(request, "_problems_now.html", await _now(services, causes, asked))


@router.get("/logs/rows", response_class=HTMLResponse)
async def show_new_failures(
    request: Request, services: ServicesDep, asked: AskedDep, newer_than: RowId
) -> HTMLResponse:
    """Only the rows that a page which shows up to `newer_than` has not; it puts them on top."""
    async with services.sessions() as session:
        failures = await failure_page(session, asked.failures(newer_than), Page(None, _PER_PAGE))
    return render(request, "_failure_rows.html", FailureRows(failures=failures))


@router.get("/dead-letters/rows", response_class=HTMLResponse)
async def show_new_letters(request: Request, services: ServicesDep, asked: AskedDep, newer_than: RowId) -> HTMLResponse:
    async with services.sessions() as session:
        letters, _ = await letters_with_history(session, asked.letters, Page(None, _PER_PAGE), newer_than)
    return render(request, "_letter_rows.html", LetterRows(letters=letters))


def _kinds(logged: Sequence[str], now: Now, asked: Asked) -> list[str]:
    """What can be chosen: a message that nobody published has no attempt in the log."""
    return sorted({*logged, *(cause.error_type for cause in now.causes.items), asked.error_type} - {""})


async def _now(services: Services, causes: Causes, asked: Asked) -> Now:
    """Causes of what may be acted on: open letters, or discarded ones."""
    if asked.state in ("open", "discarded"):
        found = await causes.largest("open" if asked.state == "open" else "discarded", asked.causes)
    else:
        found = CauseList(items=[], total=0, others=0)
    async with services.sessions() as session:
        waiting = await waiting_stages(session, stages(services.pipeline), services.trouble_of)
    return Now(waiting=waiting, causes=found, asked=asked)
