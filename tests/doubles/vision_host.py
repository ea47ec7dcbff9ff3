"""An OpenAI-compatible endpoint on loopback that describes photos well, badly, slowly or not at all, as it is told.

It knows a photo by its mean colour: photos made by `tinted` carry a number that survives JPEG.
"""

import base64
import io
import json
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any

import numpy as np
from PIL import Image

GOOD = {
    "subject": "A red kayak pulled up on a shingle beach",
    "content_type": "landscape",
    "lighting_critique": "Low sun from the left throws long soft shadows.",
    "artistic_mood": "calm, expectant",
    "suggested_tags": ["kayak", "beach", "shingle", "evening", "red", "sea"],
}
MARKUP = "<script>alert('x')</script><img src=x onerror=alert(1)>"
STEP = 12  # between two numbers, in grey levels: more than JPEG and resizing change a mean


@dataclass(frozen=True)
class Reply:
    """What is sent back. `content` becomes the message of a chat completion, `body` goes out as it is."""

    content: str | None = None
    body: bytes | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    finish_reason: str = "stop"
    cut_at: int | None = None  # the connection is dropped after so many bytes
    seconds_between_bytes: float = 0.0


def saying(**fields: Any) -> Reply:
    """The good description with other fields."""
    return Reply(json.dumps({**GOOD, **fields}))


def error(status: int, message: str = "", **headers: str) -> Reply:
    body = json.dumps({"error": {"message": message or f"status {status}", "type": "api_error"}}).encode()
    return Reply(body=body, status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


WELL = saying()
NOT_JSON = Reply("I see a lovely beach with a kayak!")
FENCED = Reply(f"Here you are:\n```json\n{json.dumps(GOOD)}\n```\nAnything else?")
MISSING_FIELDS = Reply(json.dumps({"subject": GOOD["subject"]}))
NO_SUBJECT = Reply(json.dumps({"content_type": "street"}))
EXTRA_FIELDS = saying(confidence=0.9, rating=5, nested={"a": [1, {"b": None}]})
WRONG_ENUM = saying(content_type="wildlife macro")
MANY_TAGS = saying(suggested_tags=[f"tag {n % 150}" for n in range(300)])
HOSTILE = saying(
    subject=f"A cat {MARKUP}", lighting_critique=MARKUP, artistic_mood=MARKUP, suggested_tags=["<b>cat</b>", "\x00sofa"]
)
EMPTY = Reply(body=b"")
HALF = Reply(json.dumps(GOOD)[:60])
TALKED_ON = Reply(json.dumps(GOOD)[:60], finish_reason="length")
DROPPED = Reply(json.dumps(GOOD), cut_at=80)
SILENT = Reply(json.dumps(GOOD), cut_at=-1)  # dropped before the first byte
SLOW = Reply(json.dumps(GOOD), seconds_between_bytes=0.05)
WEB_PAGE = Reply(body=b"<html>Welcome</html>", headers={"content-type": "text/html"})
UNAUTHORIZED = error(401, "Incorrect API key provided")
NO_MODEL = error(404, 'model "llava" not found, try pulling it first')
TOO_LARGE = error(413, "Request entity too large")
UNAVAILABLE = error(503, "overloaded")


@dataclass
class VisionHost:
    """Answers by `choose`, called with a photo's number and the count of earlier calls for that photo."""

    choose: Callable[[int, int], Reply] = lambda number, earlier: WELL
    models: Sequence[str] = ("llava:latest",)
    port: int = 0
    calls: Counter[int] = field(default_factory=Counter)  # per photo
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    lock: Any = field(default_factory=Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/"

    def script(self, *replies: Reply) -> None:
        """These one after the other, the last one for ever."""
        left = list(replies)
        self.choose = lambda number, earlier: left.pop(0) if len(left) > 1 else left[0]

    def reply_to(self, request: dict[str, Any], key: str | None) -> Reply:
        with self.lock:
            number = number_of(image_in(request))
            earlier = self.calls[number]
            self.calls[number] += 1
            self.requests.append(request)
            self.keys.append(key)
            return self.choose(number, earlier)


@contextmanager
def describing(host: VisionHost) -> Iterator[VisionHost]:
    """Listens, on the port that the host had before if it had one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            models = {"object": "list", "data": [{"id": model, "object": "model"} for model in host.models]}
            _send(self, Reply(body=json.dumps(models).encode()))

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            _send(self, host.reply_to(request, self.headers.get("Authorization")))

        def log_message(self, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that does not wait for a slow answer is no error."""

    server = Server(("127.0.0.1", host.port), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    host.port = server.server_port
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    body = reply.body if reply.body is not None else json.dumps(_completion(reply)).encode()
    if reply.cut_at == -1:
        return _drop(handler)
    handler.send_response(reply.status)
    for name, value in {"content-type": "application/json", **reply.headers}.items():
        handler.send_header(name, value)
    handler.send_header("connection", "close")  # when this host stops, it is gone at once
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    if reply.seconds_between_bytes:
        for byte in body:
            handler.wfile.write(bytes([byte]))
            time.sleep(reply.seconds_between_bytes)
        return None
    handler.wfile.write(body[: reply.cut_at])
    return _drop(handler) if reply.cut_at is not None else None


def _drop(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.flush()
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    handler.connection.close()


def _completion(reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.content}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "llava",
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def image_in(request: dict[str, Any]) -> bytes:
    """The image that a chat request carries as a data URI."""
    for message in request["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "image_url":
                head, _, data = part["image_url"]["url"].partition(",")
                assert head == "data:image/jpeg;base64"
                return base64.b64decode(data)
    raise AssertionError("no image in the request")


def number_of(jpeg: bytes) -> int:
    mean = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), dtype=float).mean(axis=(0, 1))
    high, low, _ = (round((channel - 40) / STEP) for channel in mean)
    return high * 10 + low


def tinted(number: int, size: tuple[int, int] = (160, 120)) -> Image.Image:
    """A photograph that carries a number from 0 to 99, and some noise so that it passes for one."""
    noise = np.random.default_rng(number).integers(-20, 21, (size[1] // 8, size[0] // 8, 3))
    noise -= noise.mean(axis=(0, 1)).round().astype(int)
    colour = np.array([40 + STEP * (number // 10), 40 + STEP * (number % 10), 120])
    pixels = np.kron(noise, np.ones((8, 8, 1), dtype=int)) + colour
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def a_tinted_jpeg(path: Path, number: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    tinted(number).save(path, "JPEG", quality=92)
    return path
