"""`keepers password`, on the terminal."""

import sys
from getpass import getpass
from typing import TextIO

from orchestrator.access import service
from orchestrator.access.passwords import UnusablePassword, checked
from orchestrator.db import migrate, open_engine, open_sessions


async def store(database_url: str, password: str | None) -> None:
    """None removes it."""
    engine = open_engine(database_url)
    try:
        await migrate(engine)  # it may be set before Keepers was ever opened
        async with open_sessions(engine).begin() as session:
            await service.set_password(session, password)
    finally:
        await engine.dispose()


def asked(source: TextIO | None = None) -> str:
    """The new password: typed twice on a terminal, else the first line of standard input. Raises UnusablePassword."""
    read_from = source or sys.stdin
    if not read_from.isatty():
        return checked(read_from.readline().rstrip("\r\n"))
    password = checked(getpass("New password: "))
    if getpass("The same again: ") != password:
        raise UnusablePassword("These are two different passwords. Nothing was changed.")
    return password
