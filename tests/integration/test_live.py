"""The event stream, over a real web server: a page is told of what changed, and resumes where it was."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from sqlalchemy import text

from orchestrator import events
from orchestrator.live import Live
from tests import factories
from tests.site import Site, serve

DEADLINE_SECONDS = 40


class Stream:
    """An open event stream and what it said so far."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()
        self._told: dict[str, set[int]] = defaultdict(set)

    async def event(self) -> dict[str, Any]:
        """The next event: its fields, with `data` decoded."""
        fields: dict[str, Any] = {}
        async with asyncio.timeout(DEADLINE_SECONDS):
            async for line in self._lines:
                if line and not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = json.loads(value) if name == "data" else value
                elif fields:
                    return fields
        raise EOFError

    async def until(self, kind: str, ids: set[int]) -> dict[str, Any]:
        """The event by which all of `ids` were told."""
        event: dict[str, Any] = {}
        while not ids <= self._told[kind]:
            event = await self.event()
            for name in ("photos", "imports", "failures"):
                self._told[name].update(event["data"].get(name, ()))
        return event


@asynccontextmanager
async def stream(address: str, **headers: str) -> AsyncIterator[Stream]:
    async with (
        httpx.AsyncClient(timeout=DEADLINE_SECONDS) as client,
        client.stream("GET", f"{address}/api/events", headers=headers) as response,
    ):
        assert response.headers["content-type"].startswith("text/event-stream")
        opened = Stream(response)
        yield opened


async def test_a_change_reaches_every_open_page(site: Site, served: str) -> None:
    async with stream(served) as one, stream(served) as other:
        await one.event()
        await other.event()
        async with site.session() as session:
            await factories.tell(session, events.PHOTOS, 7, 8)
            await factories.tell(session, events.FAILURES, 3)
        for page in (one, other):
            await page.until("photos", {7, 8})
        await one.until("failures", {3})


async def test_a_page_that_comes_back_is_told_what_it_missed(site: Site, served: str) -> None:
    async with stream(served) as page:
        await page.event()
        async with site.session() as session:
            await factories.tell(session, events.PHOTOS, 1)
        known = (await page.until("photos", {1}))["id"]
    async with site.session() as session:
        await factories.tell(session, events.PHOTOS, 2)
    async with stream(served, **{"last-event-id": known}) as page:
        await page.until("photos", {2})


async def test_a_page_that_was_away_too_long_starts_over(site: Site, served: str) -> None:
    async with site.session() as session:
        for number in range(3):
            await factories.tell(session, events.PHOTOS, number)
        await session.execute(text("DELETE FROM events WHERE id <= 2"))
        await session.commit()
    async with stream(served, **{"last-event-id": "1"}) as page:
        assert (await page.event())["event"] == "reset"


async def test_a_page_that_missed_more_than_is_read_at_once_starts_over(site: Site, served: str) -> None:
    async with site.session() as session:
        many = """INSERT INTO events (kind, data) SELECT 'photos', '{"ids": [1]}' FROM generate_series(1, 1050)"""
        await session.execute(text(many))
        await events.record(session, events.PHOTOS, [2])
        await session.commit()
    async with stream(served, **{"last-event-id": "1"}) as page:
        assert (await page.event())["event"] == "reset"


async def test_a_page_that_cannot_keep_up_is_told_to_start_over(site: Site, served: str) -> None:
    async with stream(served) as page:
        await page.event()
        async with site.session() as session:
            for start in (0, 900):
                await events.record(session, events.PHOTOS, list(range(start, start + 900)))
            await session.commit()
        while (event := await page.event()).get("event") != "reset":
            assert len(event["data"]["photos"]) <= 1_000


async def test_more_than_a_page_is_told_one_by_one_is_told_as_all(site: Site, served: str) -> None:
    async with stream(served) as page:
        await page.event()
        async with site.session() as session:
            await events.record(session, events.PHOTOS, list(range(10_000)))
            await session.commit()
        while not (frame := (await page.event())["data"]).get("all"):
            assert frame["photos"] == []
        assert frame["photos"] == []
        await factories.tell(session, events.PHOTOS, 1)
        while (frame := (await page.event())["data"])["photos"] != [1]:
            pass
        assert "all" not in frame, "one change later it is one again"


async def test_a_transaction_that_commits_late_is_told_too(site: Site, served: str) -> None:
    async with stream(served) as page:
        await page.event()
        async with site.session() as slow, site.session() as quick:
            await events.record(slow, events.PHOTOS, [1])
            await factories.tell(quick, events.PHOTOS, 2)
            await page.until("photos", {2})
            await slow.commit()
        await page.until("photos", {1})


async def test_a_page_that_was_open_before_anybody_listened_is_told_what_came_meanwhile(site: Site) -> None:
    hub = Live(site.services.sessions, site.services.settings.database_url or "")
    frames = hub.frames(None)
    await anext(frames)
    async with site.session() as session:
        await factories.tell(session, events.PHOTOS, 5)
    await hub.start()
    async with asyncio.timeout(DEADLINE_SECONDS):
        assert (await anext(frames)).data["photos"] == [5]
    await frames.aclose()
    await hub.stop()


async def test_what_was_preferred_before_anybody_listened_is_heard_of(site: Site) -> None:
    hub, heard = Live(site.services.sessions, site.services.settings.database_url or ""), asyncio.Event()
    hub.heed(events.PREFERENCES, heard.set)
    await site.client.patch("/api/preferences", json={"auto_advance": True})
    await hub.start()
    async with asyncio.timeout(DEADLINE_SECONDS), site.session() as session:
        await heard.wait()
        frames = hub.frames(None)
        await anext(frames)
        await factories.tell(session, events.PHOTOS, 5)
        await anext(frames)  # it listens by now, and can be stopped at once
    await frames.aclose()
    await hub.stop()


async def test_streams_go_on_after_the_database_cut_the_connection(site: Site, served: str) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    async with stream(served) as page:
        await page.event()
        async with site.session() as session:
            await session.execute(text(cut + " AND pid <> pg_backend_pid()"))
            await session.commit()
            await factories.tell(session, events.PHOTOS, 5)
        await page.until("photos", {5})


async def test_open_streams_do_not_keep_the_server_from_stopping(site: Site) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        async with serve(site) as address:
            client = httpx.AsyncClient(timeout=DEADLINE_SECONDS)
            opened = await client.send(client.build_request("GET", f"{address}/api/events"), stream=True)
        await opened.aread()
        await client.aclose()
