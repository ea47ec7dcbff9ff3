"""The engine, sessions, and the migration to the newest schema."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from shared.errors import Hold, KeepersError
from shared.originals_bucket import OriginalsBuckets

Sessions = async_sessionmaker[AsyncSession]

BUCKETS = "buckets"

_PASSING = ("08", "40", "53", "57P")  # SQLSTATE: connection, rolled back for another, resources, shutting down
# A machine that lost its power or its network is given up by PostgreSQL after 25 s, and its locks with it.
NOTICE_DEATH = {"tcp_keepalives_idle": "10", "tcp_keepalives_interval": "5", "tcp_keepalives_count": "3"}
_MIGRATING = 0x6B656570  # advisory lock: one process migrates


class DatabaseIsNewer(KeepersError):
    """The database was written by a newer Keepers."""


def open_engine(database_url: str) -> AsyncEngine:
    url = database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    settings = {"server_settings": NOTICE_DEATH}
    return create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True, connect_args=settings)


def plain_dsn(database_url: str) -> str:
    """The same address for a connection of asyncpg itself."""
    return database_url.replace("postgresql+asyncpg://", "postgresql://", 1)


def open_sessions(engine: AsyncEngine, buckets: OriginalsBuckets | None = None) -> Sessions:
    """`buckets`: where originals may be as well; `orchestrator.places.opening` asks the session for them."""
    return async_sessionmaker(engine, expire_on_commit=False, info={BUCKETS: buckets})


def is_passing_trouble(error: BaseException) -> bool:
    """Whether the database is away, or ended a transaction for the sake of another, or the place of previews is away:
    the same again may pass."""
    if isinstance(error, (OperationalError, InterfaceError, OSError, Hold)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
    return state.startswith(_PASSING)


async def migrate(
    engine: AsyncEngine, *, revision: str = "head", before_upgrade: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Bring the schema to the newest revision, or to another that is not older. Safe to call from two processes at
    once. `before_upgrade` is awaited first where there is a schema already, and an older one.
    Raises DatabaseIsNewer."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATING})
        await connection.commit()
        try:
            await _refuse_newer(connection)
            if before_upgrade and await _is_behind(connection):
                await before_upgrade()
            await _upgrade(connection, revision)
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATING})
            await connection.commit()


def is_known_revision(revision: str) -> bool:
    """Whether this Keepers can read a database of that schema: it is not of a newer one."""
    return revision in {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def head_revision() -> str | None:
    """Of the schema that this Keepers works with."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def _refuse_newer(connection: AsyncConnection) -> None:
    there = await _revision(connection)
    if there is not None and not is_known_revision(there):
        raise DatabaseIsNewer(
            f"This archive was last opened by a newer Keepers: its database is of revision {there}, and this one knows"
            f" up to {head_revision()}. Install the newer Keepers, or restore a backup of before. Nothing was changed."
        )


async def _is_behind(connection: AsyncConnection) -> bool:
    return await _revision(connection) not in (None, head_revision())


async def _revision(connection: AsyncConnection) -> str | None:
    there = await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())
    await connection.commit()
    return there


async def _upgrade(connection: AsyncConnection, revision: str) -> None:
    config = _config()

    def upgrade(sync_connection: object) -> None:
        config.attributes["connection"] = sync_connection
        command.upgrade(config, revision)

    await connection.run_sync(upgrade)
    await connection.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
