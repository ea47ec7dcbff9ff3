"""Every HTTP request: its trace, how long it takes, and a line when it failed or was slow."""

import time

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from orchestrator.metrics.instruments import HTTP_SECONDS
from shared import trace

log = structlog.get_logger()

SLOW_SECONDS = 5.0  # some requests wait for a picture, two seconds at most
_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
_ENDLESS = "/api/events"
_ASKED_ALL_DAY = "/readyz"  # and it may well say no: whoever asks knows what to make of that


class Observed:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        status = 500

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        bound = trace.bind(trace.parse(Headers(scope=scope).get("traceparent")))
        try:
            await self.app(scope, receive, note_status)
        except Exception:  # whatever it is, it is counted and goes on
            # The web server logs it, in this context: what is bound stays bound for that.
            structlog.contextvars.bind_contextvars(method=scope["method"], route=_route(scope))
            _count(scope, 500, time.perf_counter() - started)
            raise
        seconds = time.perf_counter() - started
        _count(scope, status, seconds)
        _tell(scope, status, seconds)
        structlog.contextvars.reset_contextvars(**bound)


def _count(scope: Scope, status: int, seconds: float) -> None:
    if _route(scope) != _ENDLESS:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        HTTP_SECONDS.labels(method, _route(scope), f"{status // 100}xx").observe(seconds)


def _tell(scope: Scope, status: int, seconds: float) -> None:
    fields = {"method": scope["method"], "route": _route(scope), "status": status, "ms": round(seconds * 1000)}
    if status >= 500 and _route(scope) != _ASKED_ALL_DAY:
        log.warning("http.failed", **fields)
    elif seconds > SLOW_SECONDS and _route(scope) != _ENDLESS:
        log.info("http.slow", **fields)


def _route(scope: Scope) -> str:
    """The template, never the path: there are as many of those as there are photos."""
    if scope["path"].startswith("/static/"):
        return "static"
    return getattr(scope.get("route"), "path", None) or "none"
