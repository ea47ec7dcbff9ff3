"""Whole databases beside each other: a new one for what is restored, and the exchange of the two."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from shared.errors import KeepersError

_MAINTENANCE = "postgres"  # the database that every server has, to connect to
_LONGEST_NAME = 63


class InUse(KeepersError):
    """Keepers is open, or another program is connected to its database. Stop it, then restore."""


class NoAnswer(KeepersError):
    """PostgreSQL does not answer."""


class NotAllowed(KeepersError):
    """PostgreSQL does not let this user restore."""


class NotRestored(KeepersError):
    """PostgreSQL could not restore the backup, for want of room perhaps."""


@dataclass(frozen=True)
class Names:
    current: str
    restoring: str
    before: str


@asynccontextmanager
async def server_of(database_url: str) -> AsyncIterator[tuple[asyncpg.Connection, Names]]:
    """A connection beside the database, and the names of the three. What PostgreSQL refuses is raised as ours."""
    url = make_url(database_url)
    current = url.database or url.username or _MAINTENANCE
    names = Names(current, *(current[: _LONGEST_NAME - len(end)] + end for end in ("_restoring", "_before_restore")))
    connection = await connect(with_database(database_url, _MAINTENANCE))
    try:
        yield connection, names
    except asyncpg.ObjectInUseError as exc:
        raise InUse from exc
    except (asyncpg.PostgresError, asyncpg.InterfaceError, DBAPIError) as exc:
        raise _ours(exc) from exc
    finally:
        await connection.close()


def _ours(error: Exception) -> KeepersError:
    wrapped = getattr(error, "orig", None)  # by SQLAlchemy, when a migration met it
    said = error if wrapped is None else wrapped.__cause__ or wrapped
    if isinstance(said, asyncpg.InsufficientPrivilegeError):
        return NotAllowed(
            f"PostgreSQL does not let this user restore: {said}. The user needs CREATEDB, the database must be its own,"
            " and in a new one it must be allowed to create the extension vector: as a superuser, or because"
            " vector.control says `trusted = true`."
        )
    return NotRestored(f"The backup was not restored. PostgreSQL said: {said}.")


async def connect(address: str, **server_settings: str) -> asyncpg.Connection:
    """Raises NoAnswer."""
    try:
        return await asyncpg.connect(address, server_settings=server_settings)
    except (OSError, asyncpg.PostgresError) as exc:
        raise NoAnswer(f"PostgreSQL does not let Keepers in: {exc}.") from exc


def with_database(database_url: str, name: str) -> str:
    """The same address with another database, as asyncpg reads it."""
    url = make_url(database_url).set(drivername="postgresql", database=name)
    return url.render_as_string(hide_password=False)


async def require_unused(server: asyncpg.Connection, names: Names) -> None:
    """Raises InUse when anybody is connected to the database: what they change now would be lost."""
    connected = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'"
        " AND pid <> pg_backend_pid() LIMIT 1"
    )
    if await server.fetchval(connected, names.current):
        raise InUse


async def create(server: asyncpg.Connection, names: Names) -> None:
    """An empty database for what is restored, instead of what an interrupted restore left."""
    await drop(server, names.restoring)
    await server.execute(f"CREATE DATABASE {_quoted(names.restoring)} TEMPLATE template0")


async def drop(server: asyncpg.Connection, name: str) -> None:
    await server.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


async def exchange(server: asyncpg.Connection, names: Names) -> None:
    """Put what was restored in the place of the database, which is kept under another name; the one kept before goes.
    Both names change at once or not at all."""
    await require_unused(server, names)
    await drop(server, names.before)
    async with server.transaction():
        if await server.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", names.current):
            await server.execute(f"ALTER DATABASE {_quoted(names.current)} RENAME TO {_quoted(names.before)}")
        await server.execute(f"ALTER DATABASE {_quoted(names.restoring)} RENAME TO {_quoted(names.current)}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
