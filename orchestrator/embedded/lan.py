"""`keepers up --lan`: a password when there is none, and how a phone finds the page."""

import asyncio
import io
import socket

import psutil
import segno

from orchestrator.access import service
from orchestrator.access.passwords import easy_to_type
from orchestrator.db import open_engine, open_sessions
from orchestrator.embedded.progress import Reporter
from shared.settings import Settings


def introduce(settings: Settings, database_url: str, port: int, reporter: Reporter) -> None:
    """Say how to reach the page from the network. A password that is made here is shown once."""
    made = None if settings.keepers_password else asyncio.run(_made_password(database_url))
    host = lan_address()
    if host is None:
        reporter.say("This machine is in no network: nobody else can open Keepers now.")
    else:
        address = f"http://{host}:{port}"
        reporter.say(f"In your network Keepers is open at {address}\n\n{qr_code(address)}")
    if made is None:
        reporter.say("It asks for your password; `keepers password` changes it.")
    else:
        reporter.say(f"Password: {made}\nWrite it down, it is not shown again. `keepers password` changes it.")


def qr_code(text: str) -> str:
    """As lines of half blocks, for a terminal."""
    lines = io.StringIO()
    segno.make(text, micro=False).terminal(out=lines, border=2, compact=True)
    return lines.getvalue()


def lan_address() -> str | None:
    """This machine's address in the network that leads out, else in any other; None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: nothing is sent, a route is looked up
            return str(probe.getsockname()[0])
        except OSError:
            pass
    addresses = [one for of_interface in psutil.net_if_addrs().values() for one in of_interface]
    found = (str(one.address) for one in addresses if one.family == socket.AF_INET)
    return next((address for address in found if not address.startswith("127.")), None)


async def _made_password(database_url: str) -> str | None:
    engine = open_engine(database_url)
    try:
        async with open_sessions(engine).begin() as session:
            if await service.has_password(session):
                return None
            password = easy_to_type()
            await service.set_password(session, password)
            return password
    finally:
        await engine.dispose()
