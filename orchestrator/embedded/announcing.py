"""Where commands of this machine find an orchestrator that `keepers up` has not opened: one in a container."""

import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.embedded.home import Home
from shared.settings import Settings


@contextmanager
def announced(settings: Settings, port: int) -> Iterator[None]:
    """Say so in the home while the block runs. A `keepers up` that has said it there before keeps its say."""
    home = Home(settings.keepers_home)
    if "database_url" in home.services() or port == 0:  # any port: whoever asked for that knows better
        yield
        return
    token = settings.local_token
    known = {"token": token.get_secret_value()} if token else {}
    said = {"address": f"http://127.0.0.1:{port}", "host": socket.gethostname(), **known}
    home.remember_services(said)
    # uvicorn raises the signal that ended it once more at its end, which would end this process before the last line.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        yield
    finally:
        if home.services() == said:  # and not what one in another container has said since, which shares the home
            home.forget_services()
