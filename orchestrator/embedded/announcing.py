"""Where commands of this machine find an orchestrator that `keepers up` has not opened: one in a container."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.embedded.home import Home
from shared.settings import Settings


@contextmanager
def announced(settings: Settings, port: int) -> Iterator[None]:
    """Say so in the home while the block runs. A `keepers up` that has said it there before keeps its say."""
    home = Home(settings.keepers_home)
    if home.services() or port == 0:  # any port: whoever asked for that knows better
        yield
        return
    token = settings.local_token
    known = {"token": token.get_secret_value()} if token else {}
    home.remember_services({"address": f"http://127.0.0.1:{port}", **known})
    try:
        yield
    finally:
        home.forget_services()
