"""An object store that refuses, is in trouble or says nothing is no photo's fault: everything waits and says why."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from orchestrator.doctor.checks import Patient
from orchestrator.doctor.previews import previews
from shared.claims import CLAIMS_DISK, claim_of
from shared.contracts import bursts, convert, embed
from shared.contracts.answers import Held
from shared.errors import BucketAway
from shared.settings import Settings
from tests import factories
from tests.deliveries import delivered, done
from tests.doubles.object_host import ObjectHost, Trouble, serving
from tests.exporting import Desk
from tests.objects import settings_for
from tests.pictures import saved, scene
from tests.relaying import until
from tests.site import Site, open_site
from tests.stack import Stack, a_jpeg
from workers.runner import Outcome
from workers.stages.bursts import stage as bursts_stage
from workers.stages.convert import stage as convert_stage
from workers.stages.embed import stage as embed_stage
from workers.tools import Tools

SECRET = "never-to-be-shown"
SENTENCES: list[tuple[Trouble, str]] = [
    (401, "The object store refuses s3://keepers/previews at http://127.0.0.1:"),
    (403, "The object store refuses s3://keepers/previews at http://127.0.0.1:"),
    (404, "There is no bucket for s3://keepers/previews at http://127.0.0.1:"),
    (500, "The object store has trouble with s3://keepers/previews at http://127.0.0.1:"),
    (503, "The object store has trouble with s3://keepers/previews at http://127.0.0.1:"),
    (400, "The object store does not understand a request for s3://keepers/previews at http://127.0.0.1:"),
    ("silent", "The object store did not answer within 0.3 seconds: s3://keepers/previews at http://127.0.0.1:"),
    ("breaks off", "The object store broke off: s3://keepers/previews at http://127.0.0.1:"),
]


@pytest.fixture
def host() -> Iterator[ObjectHost]:
    with serving(ObjectHost()) as host:
        yield host


@pytest.fixture
def seconds(request: pytest.FixtureRequest) -> float:
    """Until a request is given up: many, for a busy machine, but where the store is to say nothing."""
    return 0.3 if "silent" in request.node.name else 60


@pytest.fixture
def tools(host: ObjectHost, seconds: float, tmp_path: Path) -> Iterator[Tools]:
    tools = Tools(Settings(keepers_home=tmp_path, **settings_for(host.url, claims_timeout_seconds=seconds)))
    yield tools
    tools.close()


def held(outcome: Outcome) -> str:
    """Why it waits; no attempt is used up, and nothing secret is said."""
    assert isinstance(outcome.answer, Held), outcome.answer
    assert not outcome.retry
    assert not outcome.dead_letter
    assert outcome.answer.key == CLAIMS_DISK
    assert SECRET not in outcome.answer.model_dump_json()
    return outcome.answer.cause


@pytest.mark.parametrize(("trouble", "sentence"), SENTENCES)
def test_work_waits_and_says_why(host: ObjectHost, tools: Tools, trouble: Trouble, sentence: str) -> None:
    request = bursts.Request(seq=1, model="starter:1", file_path="bursts/1.npz", gap_seconds=5, least_cosine=0.9)
    host.trouble = trouble
    assert held(delivered(bursts_stage, request, tools)).startswith(sentence)


def test_a_store_that_refuses_one_of_a_batch_is_not_asked_for_the_others(host: ObjectHost, tools: Tools) -> None:
    host.trouble = 403
    batch = [embed.Request(photo_id=n, file_path=f"previews/{n}.jpg", model="starter:1") for n in (1, 2, 3)]
    assert [type(answer) for answer in embed_stage.handle(batch, tools)] == [BucketAway] * 3
    assert len(host.asked) == 1


def test_nobody_at_the_address_is_told_apart(tmp_path: Path) -> None:
    tools = Tools(Settings(keepers_home=tmp_path, **settings_for("http://127.0.0.1:9")))
    request = bursts.Request(seq=1, model="starter:1", file_path="bursts/1.npz", gap_seconds=5, least_cosine=0.9)
    assert held(delivered(bursts_stage, request, tools)).startswith("Nobody answers for s3://keepers/previews")


def test_a_refusal_names_the_settings_to_look_at(host: ObjectHost, tools: Tools) -> None:
    host.trouble = 403
    request = bursts.Request(seq=1, model="starter:1", file_path="bursts/1.npz", gap_seconds=5, least_cosine=0.9)
    cause = held(delivered(bursts_stage, request, tools))
    assert "(403): check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in cause


def test_a_photo_whose_preview_cannot_be_stored_waits_and_is_converted_later(
    host: ObjectHost, tools: Tools, tmp_path: Path
) -> None:
    photo = a_jpeg(tmp_path / "photos" / "a.jpg", seed=1)
    request = convert.Request(photo_id=1, file_path=claim_of(photo), root=claim_of(photo.parent), root_key="root:1")
    host.trouble, host.methods = 503, ("PUT",)
    assert "(503)" in held(delivered(convert_stage, request, tools))
    host.trouble = None
    result = done(delivered(convert_stage, request, tools), convert.Result)
    for claim in (result.preview, result.thumbnail):
        assert tools.claims.read(claim)[:2] == b"\xff\xd8"
    assert [file for file in (tmp_path / "cache").rglob("*") if file.is_file()] == []


@pytest.fixture
async def site(host: ObjectHost, seconds: float, database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    named: dict[str, Any] = settings_for(host.url, claims_timeout_seconds=seconds)
    async with open_site(Settings(keepers_home=tmp_path / "home", database_url=database_url, **named)) as opened:
        yield opened


@pytest.mark.parametrize("trouble", [403, 404, 503, "silent"])
async def test_pages_say_that_previews_cannot_be_had_and_ask_for_nothing_new(
    site: Site, host: ObjectHost, trouble: Trouble
) -> None:
    async with site.services.sessions.begin() as session:
        photo = await factories.a_photo(session, await factories.a_root(session))
        await factories.a_file(session, photo, b"DSC_0001.jpg")
        photo_id = photo.id
    host.trouble = trouble
    answer = await site.client.get(f"/photos/{photo_id}/preview.jpg")
    assert answer.status_code == 503
    assert "s3://keepers/previews" in answer.text
    assert SECRET not in answer.text
    upload = await site.client.post("/api/placards?name=a.jpg", content=saved(scene(64, 48), "JPEG"))
    assert (upload.status_code, upload.json()["error"]["type"]) == (503, "claims_unavailable")
    async with site.session() as session:
        assert await session.scalar(text("SELECT count(*) FROM stage_runs")) == 0
        assert await session.scalar(text("SELECT count(*) FROM placards")) == 0


async def test_nothing_is_kept_from_others_while_the_store_is_waited_for(site: Site, host: ObjectHost) -> None:
    async with site.services.sessions.begin() as session:
        photo = await factories.a_photo(session, await factories.a_root(session))
        await factories.a_rendition(session, site.services.claims, photo, "view", factories.a_gradient())
        photo_id = photo.id
    host.asked.clear()
    host.trouble = "silent"
    asking = asyncio.create_task(site.client.post("/api/renditions", json={"ids": [photo_id], "size": "view"}))
    await until(lambda: bool(host.asked), "the store to be asked")
    async with site.session() as session:
        others = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE :state")
        assert await session.scalar(others, {"state": "idle in transaction%"}) == 0
    host.over.set()
    assert (await asking).status_code == 503


async def test_an_export_ends_with_the_reason_and_goes_on_when_asked_again(
    site: Site, host: ObjectHost, tmp_path: Path
) -> None:
    desk = Desk(site, tmp_path)
    await desk.photo("a.jpg")
    host.trouble = 503
    seen = await desk.export()
    assert (seen["state"], "(503)" in seen["error"]) == ("failed", True)
    host.trouble = None
    seen = await desk.export()
    assert (seen["state"], seen["exported"]) == ("done", 1)


async def test_the_doctor_names_a_store_that_refuses_and_one_that_is_well(host: ObjectHost, tmp_path: Path) -> None:
    patient = Patient(Settings(keepers_home=tmp_path, **settings_for(host.url, claims_timeout_seconds=60)))
    assert previews(patient).state == "ok"
    host.trouble = 403
    check = previews(patient)
    assert (check.state, "(403)" in check.sentence, SECRET in check.sentence) == ("missing", True, False)


@pytest.mark.timeout(240)
def test_a_photo_comes_from_a_folder_through_the_object_store_to_the_browser(
    stack: Stack, bucket_settings: dict[str, Any]
) -> None:
    stack.environment |= {name.upper(): value for name, value in bucket_settings.items()}
    a_jpeg(stack.photos / "a.jpg", seed=1, size=(2000, 1500))
    stack.orchestrator()
    stack.workers("convert", "render")
    seen = stack.settled(stack.start_import())
    assert (seen["done"], seen["failed"]) == (1, 0)
    (photo,) = stack.photos_shown()
    assert is_a_jpeg(stack, photo["preview_url"])
    larger = stack.wait(lambda: rendition(stack, photo["id"]), "the photo in more pixels")
    assert is_a_jpeg(stack, larger["url"])
    stack.wait(lambda: derived_files(stack) == [], "the worker to clear its desk: nothing stays on this machine")


def derived_files(stack: Stack) -> list[str]:
    """Of folders that may go meanwhile."""
    walked = [found for folder in ("claims", "cache") for found in os.walk(stack.home / folder)]
    return [name for _, _, names in walked for name in names if name.endswith(".jpg")]


def is_a_jpeg(stack: Stack, url: str) -> bool:
    answer = stack.client.get(url)
    return answer.status_code == 200 and answer.content[:2] == b"\xff\xd8"


def rendition(stack: Stack, photo_id: int) -> dict[str, Any] | None:
    answer = stack.client.post("/api/renditions", json={"ids": [photo_id], "size": "view"}).json()
    assert not answer["failed"], answer
    return next(iter(answer["ready"]), None)
