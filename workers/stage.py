"""What a stage is, and how the stages in `workers.stages` are found."""

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contracts import Message
from shared.errors import Verdict
from workers.tools import Tools

# Requests in, as many answers out, in the same order. Raising a Verdict answers for all of them;
# anything else raised is a bug of the one that is worked alone.
Handle = Callable[[Sequence[Any], Tools], Sequence[Message | Verdict]]  # Any: the stage's own Request


@dataclass(frozen=True)
class Stage:
    """One kind of work. `batch` is how many requests are handled together at most."""

    name: str
    request: type[Message]
    result: type[Message]
    handle: Handle
    batch: int = 1
    deadline_seconds: float = 300
    max_attempts: int = 5


def one_by_one(handle: Callable[[Any, Tools], Message]) -> Handle:  # Any: the stage's own Request
    """A handler of many from a handler of one."""

    def handle_all(requests: Sequence[Any], tools: Tools) -> list[Message | Verdict]:
        return [_answer(handle, request, tools) for request in requests]

    return handle_all


def _answer(handle: Callable[[Any, Tools], Message], request: Any, tools: Tools) -> Message | Verdict:
    try:
        return handle(request, tools)
    except Verdict as verdict:
        return verdict


def load(name: str, package: str = "workers.stages") -> Stage:
    """The stage defined as `stage` in `<package>.<name>`; its module is imported now, its engines later."""
    stage = importlib.import_module(f"{package}.{name}").stage
    if not isinstance(stage, Stage) or stage.name != name:
        raise TypeError(f"{package}.{name} defines no stage of that name")
    return stage
