"""While somebody looks through photos, bulk work of the heavy stages leaves the machine to them."""

from functools import partial

import pytest
from sqlalchemy import text

from orchestrator import attention
from orchestrator.models import StageRun
from orchestrator.outbox import Relay
from tests.relaying import HandheldBroker, queued, relaying, run_of, until
from tests.site import Site


class Workers(HandheldBroker):
    """Eight of them: without anybody there, eight requests would be out."""

    async def queue_state(self, queue: str) -> tuple[int, int]:
        return 0, 8


async def say(site: Site, word: str) -> None:
    assert (await site.client.post(f"/api/review/{word}")).status_code == 204


async def answered(site: Site, relay: Relay, run: StageRun) -> None:
    async with site.services.sessions.begin() as session:
        found = await session.get_one(StageRun, run.id)
        found.state = "done"
    relay.wake()


async def is_out(site: Site, run: StageRun) -> bool:
    return (await run_of(site, run)).state == "published"


async def test_one_at_a_time_is_out_while_somebody_is_there_and_all_of_them_again_afterwards(site: Site) -> None:
    runs = await queued(site, 12)
    broker = Workers()
    await say(site, "here")
    async with relaying(site, broker) as relay:
        await until(lambda: is_out(site, runs[0]), "the first to be out")
        await answered(site, relay, runs[0])
        await until(lambda: is_out(site, runs[1]), "the second to follow")
        assert [message.run_id for message in broker.published] == [runs[0].run_id, runs[1].run_id]
        await say(site, "gone")
        relay.wake()
        await until(lambda: len(broker.published) >= 9, "as many as the workers have use for")


async def test_urgent_requests_go_out_all_the_same(site: Site) -> None:
    (bulk,) = await queued(site)
    broker = Workers()
    await say(site, "here")
    async with relaying(site, broker) as relay:
        await until(lambda: is_out(site, bulk), "the first to be out")
        later = await queued(site, 3)
        urgent = await queued(site, 3, priority=-1)
        relay.wake()
        for run in urgent:
            await until(partial(is_out, site, run), "what is urgent to be out")
        assert {message.run_id for message in broker.published} == {bulk.run_id, *(run.run_id for run in urgent)}
        assert [(await run_of(site, run)).state for run in later] == ["queued"] * 3


@pytest.mark.parametrize(("stage", "yields"), [("convert", True), ("embed", True), ("curate", False), ("score", False)])
async def test_the_stages_say_that_they_go_easy(site: Site, stage: str, yields: bool) -> None:
    await queued(site, stage=stage, request={})

    async def said() -> bool:
        items = (await site.client.get("/api/stages")).json()["items"]
        return next(bool(item["yields"]) for item in items if item["stage"] == stage)

    assert not await said()
    await say(site, "here")
    assert await said() == yields
    await say(site, "gone")
    assert not await said()


async def test_silence_ends_it(site: Site) -> None:
    await say(site, "here")
    async with site.services.sessions.begin() as session:
        assert await attention.is_there(session)
        # As if the page had said so for the last time a good minute ago.
        await session.execute(text("UPDATE attention SET lasts_until = lasts_until - make_interval(secs => 60)"))
    async with site.session() as session:
        assert not await attention.is_there(session)
    await say(site, "here")
    async with site.session() as session:
        assert await attention.is_there(session)
