"""A stage that does nothing, to measure the system around it."""

from collections.abc import Sequence
from typing import ClassVar

from shared.claims import ClaimPath
from shared.contracts import Message
from workers.stage import Stage
from workers.tools import Tools


class Request(Message):
    kind: ClassVar[str] = "noop.request"
    photo_id: int
    file_path: ClaimPath


class Result(Message):
    kind: ClassVar[str] = "noop.result"
    photo_id: int


def handle(requests: Sequence[Request], tools: Tools) -> list[Result]:
    return [Result(photo_id=request.photo_id) for request in requests]


stage = Stage("noop", Request, Result, handle, batch=64)
