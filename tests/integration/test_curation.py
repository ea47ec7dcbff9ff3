"""Who may see the photos, who describes them, and what becomes of the descriptions: the orchestrator's side."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import text

from orchestrator import breakers
from orchestrator.broker import Broker, Incoming
from orchestrator.curation import again, service
from orchestrator.curation.results import follow
from orchestrator.curation.watching import Lookout, count_calls
from orchestrator.models import Photo
from orchestrator.outbox import Relay
from orchestrator.pipeline import PIPELINE, limited
from orchestrator.results import ResultApplier
from orchestrator.throughput import Throughput
from shared.contracts import curate
from shared.contracts.answers import Done, Held
from shared.settings import Settings
from tests import factories
from tests.doubles.vision_host import MARKUP, VisionHost, describing
from tests.relaying import HandheldBroker, until
from tests.site import Site, open_site

REMOTE = "https://api.x.com/v1/"
NOWHERE = "http://127.0.0.1:9/v1/"

Open = Callable[..., AbstractAsyncContextManager[Site]]


@pytest.fixture
def opened(database_url: str, tmp_path: Any) -> Open:
    """A site started with these settings: what `create_app` settles before anything is published is settled."""

    @asynccontextmanager
    async def open_with(**fields: Any) -> AsyncIterator[Site]:
        known = {"keepers_home": tmp_path, "database_url": database_url, "llm_default_base_url": NOWHERE}
        settings = Settings(**{**known, "probe_seconds": 0, **fields})
        async with open_site(settings) as site:
            async with site.services.sessions.begin() as session:
                await service.prepare(session, settings)
            yield site

    return open_with


async def photos(site: Site, count: int = 1, **fields: Any) -> list[Photo]:
    async with site.services.sessions.begin() as session:
        root = await factories.a_root(session, f"/{uuid.uuid4().hex}")
        return [await factories.a_photo(session, root, f"{n}.jpg", **fields) for n in range(count)]


async def described(site: Site, photo: Photo, by: str = "llava", **fields: Any) -> None:
    """The worker's answer to the run of this photo is applied."""
    (run,) = await sql(site, "SELECT run_id FROM stage_runs WHERE photo_id = :id AND stage = 'curate'", id=photo.id)
    result = curate.Result(
        photo_id=photo.id,
        **{"described_by": by, "prompt_version": 1, "subject": "A dog", "content_type": "other", **fields},
    )
    answer = Done(stage="curate", run_id=run["run_id"], attempt=1, result=result.model_dump(mode="json"))
    await applied(site, answer)


async def applied(site: Site, answer: Done | Held) -> None:
    applier = ResultApplier(site.services.sessions, PIPELINE, Throughput(), 5, lambda: None)
    await applier.apply([Incoming(answer.model_dump_json().encode(), str(answer.run_id), "results", {})])


async def sql(site: Site, statement: str, **parameters: Any) -> list[dict[str, Any]]:
    async with site.services.sessions.begin() as session:
        result: Any = await session.execute(text(statement), parameters)
        return [dict(row) for row in result.mappings()] if result.returns_rows else []


async def asked_again(site: Site, **wishes: Any) -> int:
    answer = await site.client.post("/api/curation/redescribe", json=wishes)
    assert answer.status_code == 202, answer.text
    queued: int = answer.json()["queued"]
    return queued


async def requests_of(site: Site) -> list[dict[str, Any]]:
    rows = await sql(site, "SELECT request FROM stage_runs WHERE stage = 'curate' ORDER BY photo_id")
    return [row["request"] for row in rows]


async def test_nothing_leaves_the_machine_before_one_yes(opened: Open) -> None:
    async with opened(llm_base_url=REMOTE) as site:
        await photos(site, 3)
        await asked_again(site)
        async with site.services.sessions.begin() as session:
            await count_calls(session, site.services.settings)
        shown = (await site.client.get("/api/curation")).json()
        assert (shown["host"], shown["is_remote"], shown["consent"], shown["waiting"]) == ("api.x.com", True, False, 3)
        (stage,) = [s for s in (await site.client.get("/api/stages")).json()["items"] if s["stage"] == "curate"]
        assert stage["health"] == "held"
        assert stage["hold"]["cause"].startswith("Photos would be sent to api.x.com: 3 calls. Say yes to that")
        assert stage["hold"]["next_try"] is None
        answer = await site.client.post("/api/curation/consent", json={"host": "api.x.com"})
        assert answer.json()["consent"] is True
        assert await sql(site, "SELECT key FROM breakers") == []
    async with opened(llm_base_url=REMOTE) as site:
        assert (await site.client.get("/api/curation")).json()["consent"] is True
        assert await sql(site, "SELECT key FROM breakers") == []


async def test_a_yes_is_for_the_host_that_was_shown(opened: Open) -> None:
    async with opened(llm_base_url=REMOTE) as site:
        answer = await site.client.post("/api/curation/consent", json={"host": "api.y.com"})
        assert (answer.status_code, answer.json()["error"]["type"]) == (409, "other_host")
        assert len(await sql(site, "SELECT key FROM breakers")) == 1
    async with opened(llm_base_url="http://localhost:1234/v1") as site:
        assert await sql(site, "SELECT key FROM breakers") == []
        answer = await site.client.post("/api/curation/consent", json={"host": "localhost"})
        assert answer.status_code == 409


async def test_a_yes_can_be_taken_back_and_then_not_even_a_probe_leaves_the_machine(opened: Open) -> None:
    async with opened(llm_base_url=REMOTE) as site:
        await site.client.post("/api/curation/consent", json={"host": "api.x.com"})
        await photos(site, 3)
        await asked_again(site)
        runs = await sql(site, "SELECT run_id FROM stage_runs ORDER BY photo_id")
        key, cause = "vision:https://api.x.com/v1/:llava", "It is down."

        async def held(run: dict[str, Any]) -> None:
            await applied(site, Held(stage="curate", run_id=run["run_id"], attempt=1, key=key, cause=cause))

        async def is_probed() -> bool:
            async with site.services.sessions.begin() as session:
                later = datetime.now(UTC) + timedelta(hours=1)
                return await breakers.begin_probe(session, key, later, ["curate"], []) is not None

        await held(runs[0])
        answer = await site.client.delete("/api/curation/consent?host=api.y.com")
        assert (answer.status_code, answer.json()["error"]["type"]) == (409, "other_host")
        answer = await site.client.delete("/api/curation/consent?host=api.x.com")
        assert (answer.status_code, answer.json()["consent"]) == (200, False)
        assert await sql(site, "SELECT key FROM breakers") == [{"key": "consent:api.x.com"}]
        waiting = await sql(site, "SELECT DISTINCT state, hold_key FROM stage_runs")
        assert waiting == [{"state": "queued", "hold_key": None}], (
            "none waits for the host, all for the breaker of the yes"
        )
        await held(runs[2])  # was with a worker when the yes was taken back
        assert not await is_probed()
        await site.client.post("/api/curation/consent", json={"host": "api.x.com"})
        assert await is_probed()


async def test_a_request_says_where_its_photo_may_go_also_after_a_change_of_settings(opened: Open) -> None:
    async with opened() as site:
        await photos(site, 1, focal_length_mm=35.0)
        await asked_again(site)
        (request,) = await requests_of(site)
        assert (request["host"], request["may_fall_back"], request["focal_length_mm"]) == ("127.0.0.1", True, 35)
        assert curate.Request.model_validate(request).captured_at == factories.EPOCH
    async with opened(llm_base_url=REMOTE) as site:
        (request,) = await requests_of(site)
        assert (request["host"], request["may_fall_back"]) == ("api.x.com", False)


async def test_a_breaker_of_another_endpoint_says_nothing_any_more(opened: Open) -> None:
    async with opened(llm_base_url="http://localhost:1/v1") as site:
        await photos(site)
        await asked_again(site)
        (run,) = await sql(site, "SELECT run_id FROM stage_runs")
        key, cause = "vision:http://localhost:1/v1/:llava", "It is down."
        await applied(site, Held(stage="curate", run_id=run["run_id"], attempt=1, key=key, cause=cause))
        assert await sql(site, "SELECT key, cause FROM breakers") == [{"key": key, "cause": cause}]
    async with opened(llm_base_url="http://localhost:1/v1") as site:
        assert len(await sql(site, "SELECT key FROM breakers")) == 1
    async with opened(llm_base_url="http://localhost:2/v1") as site:
        assert await sql(site, "SELECT key FROM breakers") == []
        assert await sql(site, "SELECT state FROM stage_runs") == [{"state": "queued"}]


async def test_a_description_is_on_the_photo_and_leaves_the_persons_tags_alone(opened: Open) -> None:
    async with opened() as site:
        (photo,) = await photos(site, tags=["mine"])
        await asked_again(site)
        words = {"subject": f"A dog {MARKUP}", "lighting_critique": "Flat.", "artistic_mood": "calm"}
        await described(site, photo, **words, suggested_tags=("dog", "sofa"), content_type="family")
        shown = (await site.client.get(f"/api/photos/{photo.id}")).json()
        assert shown["subject"] == f"A dog {MARKUP}"
        assert shown["description"] == {
            **words,
            "content_type": "family",
            "tags": ["mine"],
            "suggested_tags": ["dog", "sofa"],
            "described_by": "llava",
        }
        assert shown["stages"] == {"curate": "done"}


async def test_pixels_never_take_the_place_of_a_models_words(opened: Open) -> None:
    async with opened() as site:
        (photo,) = await photos(site, described_by="gpt", subject="A dog on a sofa")
        await asked_again(site)
        await described(site, photo, curate.BUILT_IN, subject="Landscape-format photograph, mostly green")
        shown = (await site.client.get(f"/api/photos/{photo.id}")).json()
        assert (shown["subject"], shown["description"]["described_by"]) == ("A dog on a sofa", "gpt")


async def test_one_photo_is_described_again_before_all_others(opened: Open) -> None:
    async with opened() as site:
        first, second = await photos(site, 2)
        (waiting,) = await photos(site, preview=None)
        await asked_again(site)
        assert (await site.client.post(f"/api/photos/{second.id}/describe")).json() == {"queued": 1}
        order = "SELECT photo_id FROM stage_runs WHERE state = 'queued' ORDER BY priority, id"
        assert [row["photo_id"] for row in await sql(site, order)] == [second.id, first.id]
        assert (await site.client.post(f"/api/photos/{waiting.id}/describe")).status_code == 409
        assert (await site.client.post("/api/photos/999/describe")).status_code == 404


async def test_photos_of_older_words_or_models_are_described_again(opened: Open) -> None:
    async with opened() as site:
        await photos(site, described_by="llava", prompt_version=curate.PROMPT_VERSION)
        (older,) = await photos(site, described_by="llava", prompt_version=curate.PROMPT_VERSION - 1)
        (other,) = await photos(site, described_by="gpt", prompt_version=curate.PROMPT_VERSION)
        (never,) = await photos(site)
        await photos(site, described_by="gpt", deleted_at=factories.minutes_ago(1), prompt_version=1)
        assert await asked_again(site, described_by="gpt") == 1
        assert await asked_again(site) == 2
        assert await asked_again(site) == 0
        rows = await sql(site, "SELECT photo_id FROM stage_runs ORDER BY photo_id")
        assert [row["photo_id"] for row in rows] == [older.id, other.id, never.id]
        shown = (await site.client.get("/api/curation")).json()
        assert (shown["waiting"], [(d["described_by"], d["photos"]) for d in shown["described"]]) == (
            3,
            [("gpt", 1), ("llava", 1), ("llava", 1)],
        )


async def test_a_wish_for_many_photos_is_queued_part_by_part_and_survives_a_restart(opened: Open) -> None:
    async with opened() as site:
        await photos(site, 5, described_by="gpt")
        async with site.services.sessions.begin() as session:
            assert await again.begin(session, site.services.settings, "gpt", at_once=2) == 5
        assert len(await requests_of(site)) == 2
        assert (await site.client.post("/api/curation/redescribe", json={})).status_code == 409
    async with opened() as site:
        for expected in (4, 5, 5):
            async with site.services.sessions.begin() as session:
                await again.go_on(session, site.services.settings, at_once=2)
            assert len(await requests_of(site)) == expected
        assert await asked_again(site) == 0


async def test_photos_described_without_a_model_are_described_again_once_one_is_there(opened: Open) -> None:
    with describing(VisionHost(models=["phi"])) as host:
        async with opened(llm_default_base_url=host.url) as site:
            look = Lookout(site.services.settings)
            plain = await photos(site, 3, described_by=curate.BUILT_IN, prompt_version=1)
            (queued,) = await photos(site, 1)
            await asked_again(site, described_by="nobody")
            await site.client.post(f"/api/photos/{queued.id}/describe")
            await upkeep(site, look)
            assert len(await requests_of(site)) == 1, "the model is not in the list yet"
            host.models = ["phi", "llava:latest"]
            await upkeep(site, look)
            await upkeep(site, look)
            assert [request["photo_id"] for request in await requests_of(site)] == [*(p.id for p in plain), queued.id]
            assert {request["may_fall_back"] for request in await requests_of(site)} == {False}
            await described(site, plain[0])
            await upkeep(site, look)
            assert (await site.client.get("/api/curation")).json()["waiting"] == 3


async def test_a_model_that_described_one_photo_is_waited_for_ever_after(opened: Open) -> None:
    async with opened() as site:
        first, _ = await photos(site, 2)
        await asked_again(site)
        await described(site, first, curate.BUILT_IN)
        await upkeep(site, Lookout(site.services.settings))
        assert (await site.client.get("/api/curation")).json()["falls_back"] is True
        await asked_again(site)
        await described(site, first)
        await upkeep(site, Lookout(site.services.settings))
        assert (await site.client.get("/api/curation")).json()["falls_back"] is False
        assert [request["may_fall_back"] for request in await requests_of(site)] == [True, False]
    async with opened(llm_base_url=REMOTE) as site:
        pass
    async with opened() as site:
        assert (await site.client.get("/api/curation")).json()["falls_back"] is False


async def upkeep(site: Site, look: Lookout) -> None:
    async with site.services.sessions.begin() as session:
        await look(session)


async def test_a_preview_that_is_made_again_is_not_described_twice(opened: Open) -> None:
    async with opened() as site:
        (photo,) = await photos(site)
        await asked_again(site)
        await described(site, photo)
        async with site.services.sessions.begin() as session:
            assert await follow(session, [photo.id]) == []
        await sql(site, "UPDATE photos SET preview = 'previews/other.jpg'")
        async with site.services.sessions.begin() as session:
            assert [photo_id for photo_id, _ in await follow(session, [photo.id])] == [photo.id]


async def test_no_more_descriptions_are_out_than_are_wanted_at_a_time(opened: Open) -> None:
    async with opened() as site:
        first, *_ = await photos(site, 4)
        await asked_again(site)
        broker = HandheldBroker()
        relay = Relay(site.services.sessions, limited(PIPELINE, {"curate": 2}), Throughput())
        running = asyncio.create_task(relay.run(cast(Broker, broker)))
        await until(lambda: len(broker.published) > 0, "the first requests to be out")
        assert len(broker.published) == 2
        await described(site, first)
        relay.wake()
        await until(lambda: len(broker.published) > 2, "another one to follow")
        assert len(broker.published) == 3
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
