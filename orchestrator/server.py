"""The web server, which ends the event streams before it stops."""

import socket

import uvicorn

from orchestrator.live import Live


class Server(uvicorn.Server):
    """uvicorn waits for open answers before the application may shut down; an event stream never ends by itself."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.end()
        await super().shutdown(sockets)
