"""Counts as a log of differences: exact before, while and after it is folded."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import tallies
from orchestrator.db import Sessions, open_engine, open_sessions


@pytest.fixture
async def sessions(database_url: str) -> AsyncIterator[Sessions]:
    engine = open_engine(database_url)
    yield open_sessions(engine)
    await engine.dispose()


async def change(session: AsyncSession, statement: str) -> None:
    await session.execute(text(statement))


async def test_counts_follow_every_change_and_survive_folding(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        for i in range(6):
            await change(session, "INSERT INTO stage_runs (stage, subject, run_id, state)"
                                  f" VALUES ('convert', '{i}', gen_random_uuid(), 'queued')")  # fmt: skip
        await change(session, "UPDATE stage_runs SET state = 'published' WHERE subject < '4'")
        await change(session, "UPDATE stage_runs SET attempt = 2")
        await change(session, "DELETE FROM stage_runs WHERE subject IN ('0', '5')")
        before = {state: n for state, n in (await tallies.of_stages(session))["convert"].items() if n}
        await tallies.fold(session)
        after = dict((await tallies.of_stages(session))["convert"])
        rows = (await session.execute(text("SELECT count(*) FROM tallies"))).scalar_one()
    assert before == after == {"published": 3, "queued": 1}
    assert rows == 2


async def test_two_folds_at_once_lose_nothing(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await change(
            session, "INSERT INTO tallies (kind, state, n) SELECT 'convert', 'done', 1 FROM generate_series(1, 9)"
        )
    async with sessions.begin() as first, sessions.begin() as second:
        await tallies.fold(first)
        await tallies.fold(second)
    async with sessions.begin() as session:
        await tallies.fold(session)
        assert dict((await tallies.of_stages(session))["convert"]) == {"done": 9}


async def test_folding_what_is_folded_writes_nothing(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await change(
            session, "INSERT INTO tallies (kind, state, n) VALUES ('convert', 'done', 7), ('embed', 'done', 7)"
        )
        ids = "SELECT id FROM tallies ORDER BY id"
        before = (await session.execute(text(ids))).scalars().all()
        await tallies.fold(session)
        assert (await session.execute(text(ids))).scalars().all() == before
