"""The database for one command: that of a Keepers that is open, or one that is started for the command alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.embedded.home import Home
from orchestrator.embedded.postgres import Server
from shared.errors import KeepersError
from shared.settings import Settings


@contextmanager
def reachable_database(settings: Settings) -> Iterator[str]:
    """The address of the database, whether Keepers is open or not."""
    url = settings.database_url or Home(settings.keepers_home).services().get("database_url")
    if url is not None:
        yield url
        return
    with own_database(settings, "Keepers is being started or stopped just now. Try again in a moment.") as url:
        yield url


@contextmanager
def own_database(settings: Settings, if_open: str) -> Iterator[str]:
    """The address of a database that no Keepers of this home works with, or is opened on meanwhile. Raises KeepersError
    with `if_open`. Of a server of one's own nobody knows here who is connected."""
    if settings.database_url is not None:
        yield settings.database_url
        return
    home = Home(settings.keepers_home)
    if not home.lock():
        raise KeepersError(if_open)
    server = Server(home.folder / "postgres", home.fresh_log("postgres"))
    try:
        yield server.start()
    finally:
        server.stop()
        home.unlock()
