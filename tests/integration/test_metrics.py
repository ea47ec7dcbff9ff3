"""What the orchestrator tells Prometheus, and what it never puts into a label."""

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import open_engine, open_sessions
from orchestrator.metrics import archive as figures
from orchestrator.metrics.committed import after_commit
from orchestrator.rendering import static_version
from orchestrator.results import ResultApplier
from shared.contracts.answers import Failed, Failure
from tests.archive import Archive, a_pair
from tests.relaying import HandheldBroker, a_conversion, a_hold, an_answer, opened, queued, relaying, run_of, until
from tests.scraping import Scrape
from tests.site import Site


async def scrape(site: Site) -> Scrape:
    site.app.state.archive_figures = figures.Archive()  # nothing of what it read before
    answer = await site.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return Scrape(answer.text)


async def test_requests_count_under_the_template_of_their_route(site: Site) -> None:
    before = await scrape(site)
    for photo in (41, 42):
        assert (await site.client.get(f"/api/photos/{photo}")).status_code == 404
    assert (await site.client.get(f"/static/{static_version()}/base.css")).status_code == 200
    await site.client.request("BREW", "/pot-of-tea")
    after = await scrape(site)
    name = "keepers_orchestrator_http_seconds_count"
    labels = {"method": "GET", "route": "/api/photos/{photo_id}", "status": "4xx"}
    assert after.value(name, **labels) == before.value(name, **labels) + 2
    assert {"method": "other", "route": "none", "status": "4xx"} in after.labels(name)
    assert {"method": "GET", "route": "static", "status": "2xx"} in after.labels(name)
    assert [found for found in after.labels(name) if "41" in found["route"] or "tea" in str(found)] == []


async def test_what_waits_counts_by_stage_and_state(site: Site) -> None:
    await queued(site, 3)
    await queued(site, state="failed")
    seen = await scrape(site)
    assert seen.value("keepers_archive_runs", stage="convert", state="queued") == 3
    assert seen.value("keepers_archive_runs", stage="convert", state="failed") == 1
    assert seen.value("keepers_orchestrator_database_up") == 1


async def test_the_age_of_the_outbox_is_that_of_what_could_go_out(site: Site) -> None:
    (old,) = await queued(site)
    await queued(site, stage="embed")
    async with site.session() as session:
        await session.execute(
            text("UPDATE stage_runs SET queued_at = now() - interval '2 hours' WHERE id = :id"), {"id": old.id}
        )
        await session.commit()
    age = "keepers_archive_outbox_oldest_seconds"
    assert 7_000 < (await scrape(site)).value(age, stage="convert") < 8_000
    assert (await site.client.post("/api/stages/convert/pause")).is_success
    seen = await scrape(site)
    assert ({"stage": "convert"} in seen.labels(age), {"stage": "embed"} in seen.labels(age)) == (False, True)
    assert seen.value("keepers_archive_stage_paused", stage="convert") == 1


async def test_an_open_breaker_shows_its_kind_but_not_its_address(site: Site) -> None:
    await opened(site, "vision:http://somebody.example:11434:llava")
    await opened(site, "root:7")
    seen = await scrape(site)
    kinds = {found["kind"] for found in seen.labels("keepers_archive_breakers_open")}
    assert kinds == {"vision", "root"}
    assert seen.value("keepers_archive_breaker_age_seconds", stage="convert", kind="root") < 60


async def test_answers_count_by_what_became_of_them(site: Site, applier: ResultApplier) -> None:
    done, failed, held = await queued(site, 3, state="published")
    before = await scrape(site)
    failure = Failure(op="convert", error_type="CorruptFile", message="Broken.")
    last = Failed(stage="convert", run_id=failed.run_id, attempt=1, max_attempts=3, final=True, failure=failure)
    await applier.apply([a_conversion(done), an_answer(last), a_hold(held.run_id)])
    await applier.apply([a_conversion(done)])
    after = await scrape(site)
    name = "keepers_orchestrator_results_total"
    risen = {
        found["outcome"]: after.value(name, **found) - before.value(name, **found)
        for found in after.labels(name)
        if found["stage"] == "convert"
    }
    assert {outcome: n for outcome, n in risen.items() if n} == {"done": 1, "failed": 1, "held": 1, "stale": 1}


async def test_what_is_published_has_waited(site: Site) -> None:
    before = await scrape(site)
    (run,) = await queued(site)
    async with relaying(site, HandheldBroker()):
        await until(lambda: _is(site, run, "published"), "the run to be published")
    name = "keepers_orchestrator_outbox_wait_seconds_count"
    assert (await scrape(site)).value(name, stage="convert") == before.value(name, stage="convert") + 1


async def _is(site: Site, run: object, state: str) -> bool:
    return (await run_of(site, run)).state == state  # type: ignore[arg-type]


async def test_without_its_database_it_says_so_and_goes_on(site: Site) -> None:
    nowhere = open_engine("postgresql://keepers@127.0.0.1:9/keepers")
    site.app.state.services = replace(site.services, sessions=open_sessions(nowhere))
    seen = await scrape(site)
    assert seen.labels("keepers_orchestrator_database_up") == [{}]
    assert seen.value("keepers_orchestrator_database_up") == 0
    assert seen.labels("keepers_archive_runs") == []
    assert "keepers_orchestrator_event_streams" in seen.queryable


async def test_two_scrapers_cost_one_look_at_the_database(site: Site) -> None:
    await scrape(site)
    await queued(site)
    answers = await asyncio.gather(*(site.client.get("/metrics") for _ in range(3)))
    assert {
        Scrape(answer.text).value("keepers_archive_runs", stage="convert", state="queued") for answer in answers
    } == {0}


@pytest.mark.parametrize(
    ("header", "is_taken"),
    [("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", True), ("4bf92f3577b34da6a3ce929d0e0e4736", False)],
)
async def test_an_import_belongs_to_the_trace_of_its_request(
    site: Site, tmp_path: Path, header: str, is_taken: bool
) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos/IMG_1.jpg").write_bytes(b"no picture")
    answer = await site.client.post(
        "/api/imports", json={"path": str(tmp_path / "photos")}, headers={"traceparent": header}
    )
    async with site.session() as session:
        trace_id = (await session.execute(text("SELECT trace_id FROM imports"))).scalar_one()
    assert answer.status_code == 202
    assert (trace_id.hex == "4bf92f3577b34da6a3ce929d0e0e4736") is is_taken


async def test_what_follows_a_photo_belongs_to_the_trace_and_the_import_of_it(archive: Archive) -> None:
    a_pair(archive.photos)
    await archive.imported()
    (job,) = await archive.sql("SELECT id, trace_id FROM imports")
    runs = await archive.sql("SELECT stage, trace_id, import_id FROM stage_runs")
    assert {run["stage"] for run in runs} >= {"convert", "curate", "embed"}
    assert {(run["trace_id"], run["import_id"]) for run in runs} == {(job["trace_id"], job["id"])}


async def test_only_what_is_committed_as_a_whole_is_counted(site: Site) -> None:
    counted: list[str] = []

    def noted(session: AsyncSession, what: str) -> None:
        after_commit(session, partial(counted.append, what))

    async with site.session() as session:
        async with session.begin_nested():
            noted(session, "released and rolled back")
        await session.rollback()
        await session.execute(text("SELECT 1"))
        await session.commit()
    assert counted == []
    async with site.services.sessions.begin() as session:
        await session.execute(text("SELECT 1"))
        noted(session, "outside")
        async with session.begin_nested():
            noted(session, "released")
        async with session.begin_nested() as savepoint:
            noted(session, "given up")
            await savepoint.rollback()
        assert counted == []
    assert counted == ["outside", "released"]
