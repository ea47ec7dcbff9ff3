"""Logging in and out. Answered to everybody, so nothing here says anything about the archive."""

import asyncio
from typing import Annotated
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from starlette.responses import Response

from orchestrator.access import attempts
from orchestrator.access.addresses import client_named
from orchestrator.access.logins import DAYS, Lock
from orchestrator.access.passwords import is_right
from orchestrator.answers import Refused
from orchestrator.context import ServicesDep
from orchestrator.rendering import render

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)

_MOST_BYTES = 20_000
_WRONG = "That is not the password."
_TOO_OFTEN = "Too many passwords were tried. Wait a quarter of an hour, then try again."
_guessing = asyncio.Semaphore(2)  # each guess takes 32 MB and a core


class LoginPage(BaseModel):
    title: str = "Log in"
    next: str
    refused: str | None = None


@router.get("/login", response_class=HTMLResponse)
async def show_login(request: Request, services: ServicesDep, next: Annotated[str, Query()] = "/") -> Response:
    lock = await services.keyring.lock()
    if lock.password_hash is None or lock.is_opened_by(request.cookies.get(lock.cookie_name)):
        return RedirectResponse(own_path(next), 303)
    return render(request, "login.html", LoginPage(next=own_path(next)))


@router.post("/login", response_class=HTMLResponse)
async def log_in(request: Request, services: ServicesDep) -> Response:
    sent = await _form(request)
    page = LoginPage(next=own_path(sent.get("next", "/")))
    lock = await services.keyring.lock()
    if lock.password_hash is None:
        return RedirectResponse(page.next, 303)
    client = client_named(request.client.host if request.client else "")
    if not await attempts.may_try(services.sessions, client):
        return _again(request, page, 429, _TOO_OFTEN)
    async with _guessing:
        if not await asyncio.to_thread(is_right, sent.get("password", ""), lock.password_hash):
            log.warning("access.wrong_password", client=client)
            return _again(request, page, 401, _WRONG)
    await attempts.forget(services.sessions, client)
    return _logged_in(request, lock, page.next)


@router.post("/logout")
async def log_out(services: ServicesDep) -> Response:
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie((await services.keyring.lock()).cookie_name)
    return answer


def own_path(wanted: str) -> str:
    """Where to go after the login: a path of this site, never another site."""
    # Browsers read `//name` and `/\name` as another host, and leave out tabs and line ends before they look.
    is_own = wanted.startswith("/") and wanted.isprintable() and not wanted.startswith(("//", "/\\"))
    return wanted if is_own and not wanted.startswith("/login") else "/"


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form of browsers. Who sends more than a password is refused before it is read."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise Refused(413, "too_large", "That is too long for a password.")
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def _again(request: Request, page: LoginPage, status: int, sentence: str) -> Response:
    answer = render(request, "login.html", page.model_copy(update={"refused": sentence}), status=status)
    if status == 429:
        answer.headers["retry-after"] = str(int(attempts.WINDOW.total_seconds()))
    return answer


def _logged_in(request: Request, lock: Lock, where: str) -> Response:
    answer = RedirectResponse(where, 303)
    answer.set_cookie(
        lock.cookie_name,
        lock.new_cookie(),
        max_age=DAYS * 24 * 60 * 60,
        httponly=True,
        samesite="lax",  # strict would ask again after every link from a mail
        secure=request.url.scheme == "https",
    )
    return answer
