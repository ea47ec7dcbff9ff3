"""What the decode child and its parent say to each other: one JSON object a line."""

import json
from collections.abc import Sequence
from typing import Any

from shared import errors
from shared.contracts import Message
from shared.errors import Hold, Retry, Verdict
from shared.settings import Settings

Reply = dict[str, Any]  # Any: JSON

READY: Reply = {"outcome": "ready"}
OUT_OF_MEMORY: Reply = {"outcome": "out of memory"}
FETCH_SECONDS = "fetch_seconds"  # beside every answer: what of the time was reading
# Only what decoding needs: no address and no password of a service.
_SETTINGS = {
    *("keepers_home", "photo_library", "photo_libraries"),
    *("max_megapixels", "raw_render", "decode_seconds", "decode_memory_mb"),
}


def line_of(message: Reply) -> str:
    return json.dumps(message) + "\n"


def settings_line(settings: Settings) -> str:
    return json.dumps(settings.model_dump(include=_SETTINGS), default=str) + "\n"


def settings_of(line: str) -> Settings:
    return Settings(**json.loads(line))


def request_line(request: Message) -> str:
    return line_of({"kind": request.kind, "request": request.model_dump(mode="json")})


def request_of(line: str, kinds: Sequence[type[Message]]) -> Message:
    """One of these kinds of requests."""
    said = json.loads(line)
    (kind,) = (kind for kind in kinds if kind.kind == said["kind"])
    return kind.model_validate(said["request"])


def done(result: Message) -> Reply:
    return {"outcome": "done", "result": result.model_dump(mode="json")}


def bug(traceback: str) -> Reply:
    return {"outcome": "bug", "traceback": traceback}


def refused(verdict: Verdict) -> Reply:
    return {
        "outcome": "refused",
        "verdict": type(verdict).__name__,
        "message": verdict.message,
        "context": json.loads(json.dumps(verdict.context, default=str)),
        "after_seconds": getattr(verdict, "after_seconds", None),
        "key": getattr(verdict, "key", None),
    }


def verdict_of(reply: Reply) -> Verdict:
    """The verdict that `refused` described."""
    kind: type[Verdict] = getattr(errors, reply["verdict"])
    context = reply["context"]
    if issubclass(kind, Hold):
        return kind(reply["message"], key=reply["key"], **context)
    if issubclass(kind, Retry):
        return kind(reply["message"], after_seconds=reply["after_seconds"], **context)
    return kind(reply["message"], **context)
