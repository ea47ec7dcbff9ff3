"""Vectors of two models are never compared: the new model comes into force when its set is complete."""

from collections.abc import AsyncIterator

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import open_engine, open_sessions
from orchestrator.embedding import results, service
from orchestrator.models import StageRun
from orchestrator.stage_results import Applied
from shared import embedding_models
from shared.contracts import embed
from shared.settings import Settings
from tests.factories import a_photo, a_root


@pytest.fixture
async def session(database_url: str) -> AsyncIterator[AsyncSession]:
    engine = open_engine(database_url)
    async with open_sessions(engine)() as opened:
        yield opened
    await engine.dispose()


async def an_answer(session: AsyncSession, photo_id: int, model: str) -> None:
    """The embed stage has answered for this photo."""
    await session.execute(
        text("UPDATE stage_runs SET state = 'done' WHERE stage = 'embed' AND photo_id = :photo"), {"photo": photo_id}
    )
    vector = np.eye(embed.DIMENSIONS)[photo_id % embed.DIMENSIONS]
    result = embed.Result(photo_id=photo_id, model=model, vector=vector)
    await results.apply(session, [Applied(StageRun(stage="embed", subject=str(photo_id)), result)])


async def test_the_starter_is_in_force_until_clip_is_here(session: AsyncSession) -> None:
    await service.choose(session, Settings())
    await service.choose(session, Settings())
    assert await service.in_force(session) == embedding_models.starter_name()
    assert await service.newest(session) == embedding_models.starter_name()


async def test_a_new_model_comes_into_force_when_its_last_vector_is_there(session: AsyncSession) -> None:
    await service.choose(session, Settings())
    root = await a_root(session)
    first, second = [await a_photo(session, root, f"{n}.jpg") for n in (1, 2)]
    starter, clip = embedding_models.starter_name(), "clip:test/one"
    await service.start_building(session, clip)
    await service.start_building(session, clip)
    assert await service.newest(session) == clip
    requests = await session.execute(text("SELECT request->>'model', state FROM stage_runs WHERE stage = 'embed'"))
    assert [tuple(row) for row in requests] == [(clip, "queued"), (clip, "queued")]
    await an_answer(session, first.id, clip)
    assert await service.in_force(session) == starter
    await an_answer(session, second.id, clip)
    assert await service.in_force(session) == clip
    states = await session.execute(text("SELECT name, state FROM embedding_models ORDER BY name"))
    assert [tuple(row) for row in states] == [(clip, "current"), (starter, "retired")]


async def test_an_empty_archive_switches_at_once(session: AsyncSession) -> None:
    await service.choose(session, Settings())
    await service.start_building(session, "clip:test/two")
    assert await service.in_force(session) == "clip:test/two"
