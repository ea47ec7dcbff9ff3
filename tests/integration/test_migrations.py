"""The migrations and the models say the same."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlmodel import SQLModel

import orchestrator.models  # noqa: F401  # fills the metadata
from orchestrator.db import migrate, open_engine


async def test_a_migrated_empty_database_equals_the_models(database_url: str) -> None:
    engine = open_engine(database_url)
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), SQLModel.metadata)
        )
    await engine.dispose()
    assert [d for d in differences if not (d[0] == "remove_table" and d[1].name == "alembic_version")] == []


async def test_migrating_twice_keeps_what_is_there(database_url: str) -> None:
    engine = open_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("INSERT INTO projects (name) VALUES ('Iceland')"))
    await migrate(engine)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT name FROM projects"))).scalars().all() == ["Iceland"]
    await engine.dispose()
