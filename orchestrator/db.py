"""The engine, sessions, and the migration to the newest schema."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

Sessions = async_sessionmaker[AsyncSession]

_PASSING = ("08", "40", "53", "57P")  # SQLSTATE: connection, rolled back for another, resources, shutting down
_MIGRATING = 0x6B656570  # advisory lock: one process migrates


def open_engine(database_url: str) -> AsyncEngine:
    url = database_url.replace("postgresql://", "postgresql+asyncpg://", 1)
    return create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)


def open_sessions(engine: AsyncEngine) -> Sessions:
    return async_sessionmaker(engine, expire_on_commit=False)


def is_passing_trouble(error: BaseException) -> bool:
    """Whether the database is away, or ended a transaction for the sake of another: the same again may pass."""
    if isinstance(error, (OperationalError, InterfaceError, OSError)):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    state = str(getattr(getattr(error, "orig", error), "sqlstate", None) or "")
    return state.startswith(_PASSING)


async def migrate(engine: AsyncEngine) -> None:
    """Bring the schema to the newest revision. Safe to call from two processes at once."""
    async with engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATING})
        await connection.commit()
        try:
            await _upgrade(connection)
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATING})
            await connection.commit()


async def _upgrade(connection: AsyncConnection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")

    def upgrade(sync_connection: object) -> None:
        config.attributes["connection"] = sync_connection
        command.upgrade(config, "head")

    await connection.run_sync(upgrade)
    await connection.commit()
