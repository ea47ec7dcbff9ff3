"""A host of model files on loopback that redirects, resumes, breaks and refuses as it is told."""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler

from tests.doubles.listening import listening


@dataclass
class ModelHost:
    """`files` by the last part of their path. The next replies are cut after `cuts` bytes, or answer `statuses`."""

    files: dict[str, bytes] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    resumes: bool = True
    digest: str | None = None  # announced instead of the true one
    url: str = ""
    asked: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)

    def digest_of(self, data: bytes) -> str:
        return self.digest or hashlib.sha256(data).hexdigest()


@contextmanager
def serving(host: ModelHost) -> Iterator[ModelHost]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(host, self)

        def log_message(self, *args: object) -> None:
            pass

    with listening(Handler) as host.url:
        yield host


def answer(host: ModelHost, request: BaseHTTPRequestHandler) -> None:
    data = host.files.get(request.path.rsplit("/", 1)[-1])
    if data is None:
        request.send_error(404)
    elif request.path.startswith("/storage/"):
        send(host, request, data)
    else:
        host.asked.append(request.path)
        request.send_response(302)
        request.send_header("Location", f"{host.url}/storage/{request.path.rsplit('/', 1)[-1]}")
        request.send_header("X-Linked-ETag", f'"{host.digest_of(data)}"')
        request.send_header("Content-Length", "0")
        request.end_headers()


def send(host: ModelHost, request: BaseHTTPRequestHandler, data: bytes) -> None:
    host.ranges.append(request.headers.get("Range"))
    if host.statuses:
        request.send_error(host.statuses.pop(0))
        return
    asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range") or "") if host.resumes else None
    start = int(asked[1]) if asked else 0
    if start >= len(data):
        request.send_response(416)
        request.send_header("Content-Range", f"bytes */{len(data)}")
        request.send_header("Content-Length", "0")
        request.end_headers()
        return
    request.send_response(206 if asked else 200)
    if asked:
        request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    request.send_header("Content-Length", str(len(data) - start))
    request.end_headers()
    request.wfile.write(data[start : start + host.cuts.pop(0)] if host.cuts else data[start:])
    request.close_connection = True
