"""An object store on loopback that refuses, has lost its bucket, is in trouble, says nothing or breaks off, as it is
told; else it keeps what it is given, and lists it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Literal
from urllib.parse import SplitResult, parse_qs, urlsplit

from tests.doubles.listening import listening

PAGE = 1_000  # as S3 itself
Trouble = int | Literal["silent", "breaks off"] | None


@dataclass
class ObjectHost:
    """`trouble` holds for requests with one of `methods` whose path has `about` in it."""

    trouble: Trouble = None
    about: str = ""
    said: bytes = b"<Error><Code>AsTold</Code></Error>"
    methods: tuple[str, ...] = ("GET", "HEAD", "PUT", "POST")
    objects: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)  # the path of each request
    url: str = ""
    over: Event = field(default_factory=Event)


@contextmanager
def serving(host: ObjectHost) -> Iterator[ObjectHost]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            answer(host, self)

        do_GET = do_HEAD = do_PUT = do_POST = answer

        def log_message(self, *args: object) -> None:
            pass

    with listening(Handler) as host.url:
        try:
            yield host
        finally:
            host.over.set()


def answer(host: ObjectHost, request: BaseHTTPRequestHandler) -> None:
    data = request.rfile.read(int(request.headers.get("Content-Length") or 0))
    host.asked.append(request.path)
    is_meant = request.command in host.methods and host.about in request.path
    trouble = host.trouble if is_meant else None
    if trouble == "silent":
        host.over.wait(30)
        request.close_connection = True
    elif trouble == "breaks off":
        send(request, 200, b"half of it", length=1000)
        request.close_connection = True
    elif trouble is not None:
        send(request, trouble, host.said)
    elif request.command == "PUT":
        host.objects[request.path] = data
        send(request, 200, b"")
    elif "list-type=2" in request.path:
        send(request, 200, listing(host, urlsplit(request.path)))
    elif request.path in host.objects:
        send_part(request, host.objects[request.path])
    else:
        send(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")


def listing(host: ObjectHost, asked: SplitResult) -> bytes:
    wanted = {name: values[0] for name, values in parse_qs(asked.query).items()}
    begin = max(wanted.get("start-after", ""), wanted.get("continuation-token", ""))
    keys = sorted(path.removeprefix(f"{asked.path}/") for path in host.objects if path.startswith(f"{asked.path}/"))
    found = [key for key in keys if key.startswith(wanted.get("prefix", "")) and key > begin]
    page = found[:PAGE]
    contents = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(host.objects[f'{asked.path}/{key}'])}</Size><ETag>0</ETag>"
        "<LastModified>2026-05-01T10:00:00.123Z</LastModified></Contents>"
        for key in page
    )
    more = f"<NextContinuationToken>{page[-1]}</NextContinuationToken>" if len(found) > len(page) else ""
    cut = "true" if more else "false"
    return f"<ListBucketResult><IsTruncated>{cut}</IsTruncated>{more}{contents}</ListBucketResult>".encode()


def send_part(request: BaseHTTPRequestHandler, data: bytes) -> None:
    """What the request wants of it."""
    asked = re.match(r"bytes=(\d+)-(\d+)$", request.headers.get("Range", ""))
    if asked is None:
        send(request, 200, data)
        return
    first, beyond = int(asked[1]), min(int(asked[2]) + 1, len(data))
    send(request, 206, data[first:beyond], content_range=f"bytes {first}-{beyond - 1}/{len(data)}")


def send(
    request: BaseHTTPRequestHandler, status: int, data: bytes, length: int | None = None, content_range: str = ""
) -> None:
    request.send_response(status)
    if content_range:
        request.send_header("Content-Range", content_range)
    request.send_header("ETag", '"0"')  # in quotes, which some stores leave out of their lists
    request.send_header("Last-Modified", "Fri, 01 May 2026 10:00:00 GMT")
    request.send_header("Content-Length", str(len(data) if length is None else length))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(data)
