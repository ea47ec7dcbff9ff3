"""Exports that run: two at once, one that is stopped, and those that an outage or a kill ends."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.export import pictures, records
from orchestrator.export import service as exports
from orchestrator.export.disk import locked
from orchestrator.export.photo import Photo
from shared.jpeg import Picture
from tests.exporting import Desk
from tests.relaying import until
from tests.site import Site

KILL = """UPDATE exports SET seen = seen || '{"state": "running"}', said_at = now() - interval '1 minute'"""
LOSE_THE_LOCKS = """SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@contextmanager
def slow_exports(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Every export goes on until the event is set."""
    may_end = threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(exports, "export", lambda *_: may_end.wait(60))
        yield may_end
    may_end.set()


async def test_a_folder_that_another_process_exports_to_is_left_to_it(desk: Desk) -> None:
    await desk.photo()
    desk.target.mkdir()
    with locked(desk.target):
        seen = await desk.export()
    assert seen["state"] == "failed"
    assert seen["error"] == f"Another export into {desk.target} is running."
    assert desk.files == []


async def test_of_two_exports_at_once_one_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the first one has lost its lock, with its connection."""
    await desk.photo()
    with slow_exports(monkeypatch) as may_end:
        first = (await desk.start()).json()["id"]
        for statement in ("SELECT 1", LOSE_THE_LOCKS):
            await desk.sql(statement)
            answer = await desk.start()
            assert (answer.status_code, answer.json()["error"]["type"]) == (409, "export_running")
            assert (await desk.seen(first))["state"] == "running"
        may_end.set()
        await desk.finished(first)


async def test_an_export_that_is_stopped_keeps_what_it_has_and_goes_on_when_it_is_started_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        await desk.photo(name)
    picture_of, may_go_on, at_second = pictures.picture_of, threading.Event(), threading.Event()

    def slow_picture(photo: Photo, *rest: Any, **wishes: Any) -> Picture:
        if photo.file_name == "b.jpg":
            at_second.set()
            assert may_go_on.wait(60)
        return picture_of(photo, *rest, **wishes)

    monkeypatch.setattr(pictures, "picture_of", slow_picture)
    made = (await desk.start()).json()["id"]
    await asyncio.to_thread(at_second.wait, 60)
    assert (await desk.site.client.post(f"/api/exports/{made}/stop")).status_code == 202
    may_go_on.set()
    seen = await desk.finished(made)
    assert seen["error"] == "The export was stopped. What was exported stays; export again, and it goes on."
    assert (seen["state"], desk.files) == ("failed", ["a.jpg", "b.jpg", "photos.json"])
    assert [entry["filename"] for entry in desk.entries] == ["a.jpg", "b.jpg"]
    again = await desk.export()
    assert (again["exported"], again["already"], len(desk.entries)) == (1, 2, 3)
    assert (await desk.site.client.post(f"/api/exports/{again['id']}/stop")).json()["state"] == "done"


async def test_an_export_whose_orchestrator_was_killed_is_shown_as_stopped_while_another_runs(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.photo()
    killed = (await desk.export())["id"]
    await desk.sql(KILL)
    with slow_exports(monkeypatch) as may_end:
        services = desk.site.services
        other = exports.Exports(services.sessions, services.claims, services.settings, services.wake, lambda _: None)
        alive = await other.start(exports.Wish(desk.target))
        seen = await desk.seen(killed)
        assert seen["state"] == "failed"
        assert seen["error"].startswith("Keepers was stopped during this export.")
        await desk.sql(LOSE_THE_LOCKS)
        assert (await desk.seen(alive.id))["state"] == "running"

        async def has_them_again() -> bool:
            async with desk.site.session() as session:
                return not await records.take_the_locks(session, "another")

        await until(has_them_again, "the one that lost its connection to hold its locks again")
        assert (await desk.start()).status_code == 409
        may_end.set()
        assert (await desk.finished(alive.id))["state"] == "done"
    assert (await desk.export())["state"] == "done"


async def test_an_export_that_outlives_an_outage_holds_its_locks_again_and_tells_how_it_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, tries, is_away = records.take_the_locks, list[str](), threading.Event()

    async def refused_while_away(session: AsyncSession, export_id: str) -> bool:
        tries.append(export_id)
        if is_away.is_set():
            raise ConnectionRefusedError
        return await take(session, export_id)

    async def is_locked() -> bool:
        async with desk.site.session() as session:
            return not await take(session, "another")

    await desk.photo()
    with slow_exports(monkeypatch) as may_end:
        made = (await desk.start()).json()["id"]
        monkeypatch.setattr(records, "take_the_locks", refused_while_away)
        is_away.set()
        await desk.sql(LOSE_THE_LOCKS)
        await until(lambda: bool(tries), "a try to take the locks again, which fails")
        is_away.clear()
        await until(is_locked, "the next try")
        is_away.set()
        tries.clear()
        may_end.set()
        await until(lambda: len(tries) > 1, "a try to say that it has ended, which fails")
        is_away.clear()
        assert (await desk.finished(made))["state"] == "done"


async def test_the_locks_of_a_machine_without_power_are_given_up_soon(site: Site) -> None:
    async with site.session() as session:
        asked_for = await session.scalar(
            text("SELECT reset_val FROM pg_settings WHERE name = 'tcp_keepalives_idle' AND source = 'client'")
        )
    assert asked_for == "10"


async def test_an_export_elsewhere_that_ends_between_two_looks_is_done(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.photo()
    made = (await desk.export())["id"]
    await desk.sql(KILL)
    assert (await desk.seen(made))["error"].startswith("Keepers was stopped during this export.")

    async def ends(*_: object) -> bool:
        await desk.sql("""UPDATE exports SET seen = seen || '{"state": "done"}'""")
        return False

    monkeypatch.setattr(records, "_is_made", ends)
    assert (await desk.seen(made))["state"] == "done"


async def test_an_export_that_is_not_known_says_why(desk: Desk) -> None:
    answer = await desk.site.client.get("/api/exports/0123")
    assert answer.status_code == 404
    assert "Export again, and it goes on." in answer.json()["error"]["message"]
