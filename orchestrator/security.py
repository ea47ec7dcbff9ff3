"""Who may ask: the Host and Origin checks and the headers that keep pages to themselves."""

import re
from collections.abc import Callable
from typing import TypeAlias
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LOOPBACK = frozenset(["localhost", "127.0.0.1", "[::1]"])
_HOST = re.compile(r"(?P<name>[\w.-]+|\[[0-9a-f:]+\])(?::\d{1,5})?", re.IGNORECASE | re.ASCII)
_READING = ("GET", "HEAD", "OPTIONS")

_UNUSED = ("camera", "microphone", "geolocation", "payment", "usb", "serial", "bluetooth", "display-capture")

HEADERS = {
    "content-security-policy": "; ".join(
        [
            "default-src 'none'",
            "object-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",  # data: is the placeholder of a thumbnail
            "connect-src 'self'",
            "worker-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": ", ".join(f"{feature}=()" for feature in _UNUSED),
}

Refuse: TypeAlias = Callable[[Request, int, str, str], Response]


class Gate:
    """Refuses requests that were not sent to this machine's name, or that another site's page sent.

    A page of another site can point its own host name at 127.0.0.1 (DNS rebinding), so the Host must be one of
    `names`; and it can make a browser send requests here, which Sec-Fetch-Site and Origin give away.
    """

    def __init__(self, app: ASGIApp, *, names: Callable[[Scope], frozenset[str]], refuse: Refuse) -> None:
        self.app = app
        self.names = names
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        refused = self._refusal(scope)
        app = self.refuse(Request(scope), *refused) if refused else self.app
        await app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not _is_ours(host, _LOOPBACK | self.names(scope)):
            return 421, "wrong_host", "Keepers does not answer under this name. Open it as localhost or 127.0.0.1."
        if _is_foreign(scope["method"], host, headers):
            return 403, "cross_origin", "This request came from another site, so Keepers does not carry it out."
        return None


def _is_ours(host: str, names: frozenset[str]) -> bool:
    match = _HOST.fullmatch(host)
    return match is not None and match["name"].lower().rstrip(".") in names


def _is_foreign(method: str, host: str, headers: Headers) -> bool:
    """Programs send neither header and pass. Following a link from another site is fine; using it from there is not."""
    site = headers.get("sec-fetch-site", "none")
    is_navigation = method in _READING and headers.get("sec-fetch-mode") == "navigate"
    if site not in ("same-origin", "none") and not is_navigation:
        return True
    origin = headers.get("origin")
    return origin is not None and not is_navigation and urlsplit(origin).netloc.lower() != host.lower()


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
