"""An orchestrator that is killed at one exact place: `serve --fd N --die PLACE`."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

from orchestrator.app import create_app
from orchestrator.broker import Broker
from orchestrator.imports import scan
from orchestrator.results import ResultApplier
from shared.settings import Settings


def main() -> None:
    listening, place = int(sys.argv[3]), sys.argv[5]
    if place == "before-publish":
        Broker.publish = _dying(Broker.publish, before=True)  # type: ignore[method-assign]  # the point of this double
    elif place == "after-publish":
        Broker.publish = _dying(Broker.publish, before=False)  # type: ignore[method-assign]
    elif place == "after-apply":
        ResultApplier.apply = _dying(ResultApplier.apply, before=False)  # type: ignore[method-assign]
    elif place == "in-scan":
        scan.record = _dying_in_a_scan(scan.record)
    else:
        sys.exit(f"no such place: {place}")
    config = uvicorn.Config(create_app(Settings()), access_log=False, lifespan="on")
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=listening)])


def _dying(method: Callable[..., Awaitable[Any]], *, before: bool) -> Callable[..., Awaitable[Any]]:
    async def die(*arguments: Any) -> None:
        if not before:
            await method(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    return die


def _dying_in_a_scan(record: Callable[..., Awaitable[int]]) -> Callable[..., Awaitable[int]]:
    """At the third folder, of which the first is the one that holds the others, once the file `die` is there."""
    folders = iter(range(1, 1_000))

    async def die(*arguments: Any, **more: Any) -> int:
        if next(folders) == 3:
            await asyncio.to_thread(_wait_for, Path(os.environ["KEEPERS_HOME"], "die"))
            os.kill(os.getpid(), signal.SIGKILL)
        return await record(*arguments, **more)

    return die


def _wait_for(file: Path) -> None:
    while not file.exists():
        time.sleep(0.02)


if __name__ == "__main__":
    main()
