"""An orchestrator that is killed at one exact place: `serve --fd N --die PLACE`."""

import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from orchestrator.app import create_app
from orchestrator.broker import Broker
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
    else:
        sys.exit(f"no such place: {place}")
    config = uvicorn.Config(create_app(Settings()), access_log=False)
    uvicorn.Server(config).run(sockets=[socket.socket(fileno=listening)])


def _dying(method: Callable[..., Awaitable[Any]], *, before: bool) -> Callable[..., Awaitable[Any]]:
    async def die(*arguments: Any) -> None:
        if not before:
            await method(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

    return die


if __name__ == "__main__":
    main()
