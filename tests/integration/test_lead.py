"""One orchestrator of those on a database leads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from sqlalchemy import text

from orchestrator import outbox
from orchestrator.broker import Broker
from orchestrator.lead import Lead
from orchestrator.models import StageRun
from orchestrator.outbox import Relay
from orchestrator.pipeline import PIPELINE
from orchestrator.throughput import Throughput
from tests.relaying import HandheldBroker, queued, until
from tests.site import Site


class Orchestrator:
    """Notes what it does: `leads`, `follows` or nothing; and how often it was rung."""

    def __init__(self, database_url: str) -> None:
        self.does: str | None = None
        self.has_led = 0
        self.rings = 0
        self.stumble = asyncio.Event()
        self.mistake: BaseException = RuntimeError("a mistake")
        self.lead = Lead(database_url, [self._lead], [self._follow], self._ring)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Orchestrator"]:
        task = asyncio.create_task(self.lead.run())
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert self.does is None

    async def _lead(self) -> None:
        self.has_led += 1
        await self._do("leads")

    async def _follow(self) -> None:
        await self._do("follows")

    async def _do(self, what: str) -> None:
        self.does = what
        try:
            await self.stumble.wait()
        finally:
            self.does = None
        self.stumble.clear()
        raise self.mistake

    def _ring(self) -> None:
        self.rings += 1


async def test_the_second_leads_once_the_first_has_ended(site: Site, database_url: str) -> None:
    first, second = Orchestrator(database_url), Orchestrator(database_url)
    async with first.running():
        await until(lambda: first.does == "leads", "the first to lead")
        async with second.running():
            await until(lambda: second.does == "follows", "the second to follow")
            assert first.does == "leads"
    async with second.running():
        await until(lambda: second.does == "leads", "the second to lead")


async def test_who_loses_the_connection_leads_no_more(site: Site, database_url: str) -> None:
    first, second = Orchestrator(database_url), Orchestrator(database_url)
    async with first.running():
        await until(lambda: first.does == "leads", "the first to lead")
        async with second.running(), site.session() as session:
            await until(lambda: second.does == "follows", "the second to follow")
            await session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                )
            )
            await until(lambda: first.has_led + second.has_led == 2, "one of them to lead again")
            await until(lambda: {first.does, second.does} == {"leads", "follows"}, "only one to lead")


async def test_a_ring_reaches_the_one_that_leads(site: Site, database_url: str) -> None:
    first, second = Orchestrator(database_url), Orchestrator(database_url)
    async with first.running():
        await until(lambda: first.does == "leads", "the first to lead")
        first.lead.ring()
        assert first.rings == 1
        async with second.running():
            await until(lambda: second.does == "follows", "the second to follow")
            second.lead.ring()
            await until(lambda: first.rings == 2, "the first to hear it")


@pytest.mark.parametrize("mistake", [RuntimeError("a mistake"), asyncio.CancelledError()])
async def test_a_duty_that_ends_by_a_mistake_is_taken_up_again(
    site: Site, database_url: str, mistake: BaseException
) -> None:
    async with Orchestrator(database_url).running() as only:
        await until(lambda: only.does == "leads", "it to lead")
        only.mistake = mistake
        only.stumble.set()
        await until(lambda: only.has_led == 2, "it to lead again")


class Deserted(HandheldBroker):
    """Nobody takes its messages."""

    async def queue_state(self, queue: str) -> tuple[int, int]:
        return 0, 0


async def test_one_that_looks_on_publishes_nothing_and_knows_how_the_stages_do(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "CONSUMERS_SECONDS", 0.01)
    monkeypatch.setattr(outbox, "PATIENCE_SECONDS", 0)
    first, *_ = await queued(site, 3)
    broker, throughput = Deserted(), Throughput()
    relay = Relay(site.services.sessions, PIPELINE, throughput)
    looking = asyncio.create_task(relay.look_on(cast(Broker, broker)))
    await until(lambda: relay.stages_without_workers() == {"convert"}, "it to see that nobody converts")
    async with site.services.sessions.begin() as session:
        (await session.get_one(StageRun, first.id)).state = "done"
    await until(lambda: throughput.per_second("convert") > 0, "it to see an answer")
    looking.cancel()
    await asyncio.gather(looking, return_exceptions=True)
    assert broker.published == []
