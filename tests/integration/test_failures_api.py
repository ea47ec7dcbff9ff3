"""What went wrong, and how the stages are doing, as JSON and as pages."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.models import Breaker
from tests import factories
from tests.site import Site

NASTY = '<script>alert("x")</script>\n\u202egpj.exe'


async def test_failures_are_listed_newest_first_and_filtered(site: Site) -> None:
    async with site.session() as session:
        photo = await factories.a_photo(session, await factories.a_root(session), NASTY)
        upstream = {"upstream": {"status_code": 503, "message": "overloaded"}}
        await factories.a_failure(session, photo, stage="embed", error_type="TimedOut", detail=upstream)
        await factories.a_failure(session, None, attempt=2, final=True)
        await session.commit()
    newest, oldest = (await site.client.get("/api/failures")).json()["items"]
    assert (newest["stage"], newest["attempt"], newest["max_attempts"], newest["final"]) == ("convert", 2, 5, True)
    assert (oldest["status"], oldest["photo"]["file_name"]) == (503, NASTY)
    for question in ("stage=embed", "error_type=TimedOut", f"photo={photo.id}", "final=false"):
        (only,) = (await site.client.get(f"/api/failures?{question}")).json()["items"]
        assert only["id"] == oldest["id"]


async def test_failures_are_paged_without_gaps(site: Site) -> None:
    async with site.session() as session:
        for _ in range(5):
            await factories.a_failure(session, None)
        await session.commit()
    first = (await site.client.get("/api/failures?limit=3")).json()
    second = (await site.client.get(f"/api/failures?limit=3&after={first['next']}")).json()
    assert [item["id"] for item in first["items"] + second["items"]] == [5, 4, 3, 2, 1]
    assert second["next"] is None


async def test_dead_letters_show_a_body_that_is_not_text(site: Site) -> None:
    async with site.session() as session:
        await factories.a_dead_letter(session, None, run_id=None, reason="undecodable", body=b"\xff\x00hello")
        await factories.a_dead_letter(session, None, state="resolved")
        await session.commit()
    page = (await site.client.get("/api/dead-letters?state=open")).json()
    assert page["total"] == 1
    assert page["items"][0]["body"] == "\ufffd\x00hello"
    assert (await site.client.get("/dead-letters")).status_code == 200


async def test_stages_count_runs_and_say_what_holds_them(site: Site) -> None:
    async with site.session() as session:
        root = await factories.a_root(session)
        for state in ("queued", "queued", "held", "done", "failed"):
            await factories.a_run(session, await factories.a_photo(session, root), state=state)
        cause = "Drive Photos2 is not connected."
        session.add(Breaker(key="root:1", stage="convert", cause=cause, probe_at=datetime(2024, 5, 4, tzinfo=UTC)))
        await factories.a_dead_letter(session, None, run_id=None)
        await session.commit()
    stages = (await site.client.get("/api/stages")).json()
    by_name = {item["stage"]: item for item in stages["items"]}
    convert, embed = by_name["convert"], by_name["embed"]
    assert [convert[name] for name in ("queued", "held", "done", "failed")] == [2, 1, 1, 1]
    assert (convert["health"], convert["hold"]["cause"]) == ("held", cause)
    assert (embed["health"], embed["hold"]) == ("idle", None)
    assert stages["problems"] == 1  # the letter


async def test_a_stage_whose_last_attempts_all_ended_for_good_is_failing(site: Site) -> None:
    async with site.session() as session:
        for _ in range(3):
            await factories.a_failure(session, None, stage="embed", final=True)
        await session.commit()
    health = {item["stage"]: item["health"] for item in (await site.client.get("/api/stages")).json()["items"]}
    assert (health["convert"], health["embed"]) == ("idle", "failing")


async def test_text_from_files_is_never_markup_on_the_problem_pages(site: Site) -> None:
    async with site.session() as session:
        photo = await factories.a_photo(session, await factories.a_root(session), NASTY)
        await factories.a_failure(session, photo, message=NASTY, error_type=NASTY, detail={"op": NASTY})
        await factories.a_dead_letter(session, photo, message=NASTY, body=NASTY.encode(), headers={"type": NASTY})
        await session.commit()
    for address in ("/logs", "/dead-letters", "/gallery", "/logs/rows?newer_than=0"):
        page = await site.client.get(address)
        assert page.status_code == 200
        assert "<script>alert" not in page.text


async def test_the_page_fetches_only_rows_that_are_newer(site: Site) -> None:
    async with site.session() as session:
        old = await factories.a_failure(session, None, message="The old one.")
        await factories.a_failure(session, None, message="The new one.")
        await session.commit()
    rows = (await site.client.get(f"/logs/rows?newer_than={old.id}")).text
    assert "The new one." in rows
    assert "The old one." not in rows


async def stage(site: Site, name: str) -> dict[str, Any]:
    items = (await site.client.get("/api/stages")).json()["items"]
    found: dict[str, Any] = next(item for item in items if item["stage"] == name)
    return found


async def test_a_stage_is_paused_and_resumed_however_often_one_asks(site: Site) -> None:
    for _ in range(2):
        assert (await site.client.post("/api/stages/embed/pause")).status_code == 204
    paused = await stage(site, "embed")
    assert (paused["paused"], paused["health"], paused["seconds_left"]) == (True, "paused", None)
    assert paused["paused_since"] is not None
    assert (await stage(site, "convert"))["paused"] is False
    assert "Paused. What waits goes on when you resume it." in (await site.client.get("/logs")).text
    for _ in range(2):
        assert (await site.client.post("/api/stages/embed/resume")).status_code == 204
    assert (await stage(site, "embed"))["health"] == "idle"


@pytest.mark.parametrize("verb", ["pause", "resume"])
async def test_a_stage_that_is_not_there_is_said_so(site: Site, verb: str) -> None:
    answer = await site.client.post(f"/api/stages/nonsense/{verb}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"].startswith("There is no stage of this name. They are: convert, ")


async def test_a_stage_says_how_long_it_will_take(site: Site) -> None:
    async with site.session() as session:
        root = await factories.a_root(session)
        for state in ("queued", "published", "retrying", "held", "done"):
            await factories.a_run(session, await factories.a_photo(session, root), state=state)
        await session.commit()
    assert (await stage(site, "convert"))["seconds_left"] is None
    site.app.state.services = replace(site.services, rate_of=lambda stage: 0.5)
    assert (await stage(site, "convert"))["seconds_left"] == 6
    assert (await stage(site, "embed"))["seconds_left"] is None


async def test_an_import_says_that_its_stages_are_paused(site: Site) -> None:
    async with site.session() as session:
        root = await factories.a_root(session)
        job = await factories.an_import(session, root, state="running", scanned=True)
        for name, state in (("convert", "queued"), ("embed", "queued"), ("embed", "published")):
            photo = await factories.a_photo(session, root)
            await factories.a_run(session, photo, name, state=state, import_id=job.id)
            if name == "convert":
                await factories.an_item(session, job, photo, b"a")
        await session.commit()
    for name in ("convert", "embed"):
        await site.client.post(f"/api/stages/{name}/pause")
    seen = (await site.client.get(f"/api/imports/{job.id}")).json()
    assert (seen["state"], seen["held"]) == ("held", "Previews are paused. Resume them in the pipeline.")
    assert seen["stages"]["embed"] == {"done": 0, "pending": 1, "failed": 0, "held": 1, "paused": True}
