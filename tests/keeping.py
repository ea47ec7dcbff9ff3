"""An archive that is closed and opened again, and the command line in between."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from orchestrator.__main__ import main
from orchestrator.db import migrate, open_engine, plain_dsn
from shared.settings import Settings
from tests import factories
from tests.archive import Archive
from tests.site import open_site

DERIVED = {"alembic_version", "broker_epoch", "decision_log", "events"}  # not in a backup


@dataclass(frozen=True)
class Said:
    status: int
    out: str
    err: str


class Safe:
    """A home and a database. `keepers` types a command; Keepers has to be closed for some of them."""

    def __init__(self, folder: Path, database_url: str, type_: Callable[..., Said]) -> None:
        self.settings = Settings(keepers_home=folder / "home", database_url=database_url)
        self.keepers = type_
        self._folder = folder
        self.url = plain_dsn(database_url)
        self.database = database_url.rpartition("/")[2]
        self.before = f"{self.database}_before_restore"

    @property
    def backups(self) -> list[Path]:
        return sorted((self.settings.keepers_home / "backups").glob("*"))

    async def archive_id(self) -> str:
        ((found,),) = await self.sql("SELECT archive FROM backup_state")
        return str(found)

    def backed_up(self) -> Path:
        """A new backup."""
        before = set(self.backups)
        said = self.keepers("backup")
        assert said.status == 0, said.err
        (made,) = set(self.backups) - before
        return made

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Archive]:
        async with open_site(self.settings) as site:
            yield Archive(site, self._folder)

    async def wipe(self) -> None:
        """Nothing is left of the database, nor of what lies beside it; backups are elsewhere."""
        await self.sql("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
        shutil.rmtree(self.settings.claims_folder, ignore_errors=True)

    async def empty(self) -> None:
        """A database as a first start makes it."""
        await self.wipe()
        engine = open_engine(self.url)
        await migrate(engine)
        await engine.dispose()

    async def everything(self) -> dict[str, list[str]]:
        """All rows of all tables that are in a backup."""
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
        names = [row[0] for row in await self.sql(tables) if row[0] not in DERIVED]
        return {name: sorted(map(repr, await self.sql(f"SELECT * FROM {name}"))) for name in names}

    async def databases(self) -> list[str]:
        """Those of this archive: restoring makes some beside it."""
        rows = await self.sql("SELECT datname FROM pg_database ORDER BY 1")
        return [row[0] for row in rows if row[0].startswith(self.database)]

    async def sql(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """The rows of the last one."""
        connection = await asyncpg.connect(self.url, database=database or self.database)
        try:
            for statement in statements:
                rows = await connection.fetch(statement)
            return [tuple(row) for row in rows]
        finally:
            await connection.close()


@pytest.fixture
def safe(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Safe:
    monkeypatch.setenv("KEEPERS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    (tmp_path / "home").mkdir()

    def type_(*words: str | os.PathLike[str]) -> Said:
        status = main([os.fspath(word) for word in words])
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return Safe(tmp_path, database_url, type_)


async def an_archive(safe: Safe, photos: int = 3) -> list[int]:
    """A few photos without pictures; their numbers."""
    async with safe.opened() as archive, archive.site.services.sessions.begin() as session:
        root = await factories.a_root(session)
        return [(await factories.a_photo(session, root, f"{n}.jpg", user_rating=n + 1)).id for n in range(photos)]
