"""The web server, which ends the event streams before it stops."""

import socket
from collections.abc import Callable

import uvicorn

from orchestrator.live import Live


class Server(uvicorn.Server):
    """uvicorn waits for open answers before the application may shut down; an event stream never ends by itself."""

    def __init__(self, config: uvicorn.Config, live: Callable[[], Live]) -> None:
        super().__init__(config)
        self._live = live  # a call: it exists once the application has started

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live().end()
        await super().shutdown(sockets)
