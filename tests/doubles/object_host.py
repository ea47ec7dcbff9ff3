"""An object store on loopback that refuses, has lost its bucket, is in trouble, says nothing or breaks off, as it is
told; else it keeps what it is given."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from threading import Event
from typing import Literal

from tests.doubles.listening import listening

Trouble = int | Literal["silent", "breaks off"] | None


@dataclass
class ObjectHost:
    """`trouble` holds for requests with one of `methods`."""

    trouble: Trouble = None
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
    trouble = host.trouble if request.command in host.methods else None
    if trouble == "silent":
        host.over.wait(30)
        request.close_connection = True
    elif trouble == "breaks off":
        send(request, 200, b"half of it", length=1000)
        request.close_connection = True
    elif trouble is not None:
        send(request, trouble, b"<Error><Code>AsTold</Code></Error>")
    elif request.command == "PUT":
        host.objects[request.path] = data
        send(request, 200, b"")
    elif "list-type=2" in request.path:
        send(request, 200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
    elif request.path in host.objects:
        send(request, 200, host.objects[request.path])
    else:
        send(request, 404, b"<Error><Code>NoSuchKey</Code></Error>")


def send(request: BaseHTTPRequestHandler, status: int, data: bytes, length: int | None = None) -> None:
    request.send_response(status)
    request.send_header("ETag", '"0"')
    request.send_header("Last-Modified", "Fri, 01 May 2026 10:00:00 GMT")
    request.send_header("Content-Length", str(len(data) if length is None else length))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(data)
