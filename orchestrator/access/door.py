"""Lets in who gave the password; without a password, only this machine."""

import hmac
import re
from urllib.parse import quote

from pydantic import BaseModel, SecretStr
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator.access.addresses import is_this_machine
from orchestrator.access.logins import Lock
from orchestrator.answers import error
from orchestrator.rendering import render
from shared.settings import Settings

# What a login page needs, and what supervisors ask. Nothing of it says anything about photos.
_OPEN_TO_ALL = re.compile(r"/static/.*|/login|/healthz|/readyz")
_METRICS = "/metrics"
_NO_PASSWORD = (
    "Keepers has no password, so it answers on the machine that it runs on only. Set one there with `keepers password`."
)
_LOGGED_OUT = "Log in to go on."


class Door:
    """Stands before every address of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = await self._refusal(Request(scope)) if scope["type"] == "http" else None
        await (refused or self.app)(scope, receive, send)

    async def _refusal(self, request: Request) -> Response | None:
        if _OPEN_TO_ALL.fullmatch(request.scope["path"]):
            return None
        settings: Settings = request.app.state.services.settings
        lock: Lock = await request.app.state.services.keyring.lock()
        if _is_welcome(request, settings, lock):
            return None
        if lock.password_hash is None:
            return turned_away(request, 403, "no_password", _NO_PASSWORD)
        if _is_navigation(request):
            return RedirectResponse(login_address(request), 303)
        return turned_away(request, 401, "logged_out", _LOGGED_OUT)


def turned_away(request: Request, status: int, type_: str, message: str) -> Response:
    """An error without the frame of the pages, which would go on asking."""
    if request.scope["path"].startswith("/api/"):
        return error(request, status, type_, message)
    return render(request, "turned_away.html", TurnedAway(message=message), status=status)


class TurnedAway(BaseModel):
    title: str = "Not open"
    message: str


def login_address(request: Request) -> str:
    """The login page that leads on to what was asked for."""
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    asked = f"{path}?{query}" if query else path
    return "/login" if asked == "/" else f"/login?next={quote(asked, safe='')}"


def _is_welcome(request: Request, settings: Settings, lock: Lock) -> bool:
    is_near = request.client is not None and is_this_machine(request.client.host)
    if request.scope["path"] == _METRICS and (is_near or _has_token(request, settings.metrics_token)):
        return True
    if lock.password_hash is None:
        return is_near or settings.trusted_network
    return lock.is_opened_by(request.cookies.get(lock.cookie_name)) or _has_token(request, settings.local_token)


def _has_token(request: Request, token: SecretStr | None) -> bool:
    sent = request.headers.get("authorization", "").encode()
    return token is not None and hmac.compare_digest(sent, f"Bearer {token.get_secret_value()}".encode())


def _is_navigation(request: Request) -> bool:
    """Whether a person waits for a page; not for a picture, or for a part of a page that is open already."""
    if request.method not in ("GET", "HEAD") or request.scope["path"].startswith("/api/"):
        return False
    return "text/html" in request.headers.get("accept", "")
