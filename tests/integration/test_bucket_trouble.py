"""A bucket of originals that refuses, is gone, in trouble or silent is no photo's fault: what needs it waits."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from shared.claims import claim_of
from shared.contracts import convert, render
from shared.contracts.answers import Done, Failed, Held
from shared.settings import Settings
from tests.archive import Archive
from tests.deliveries import delivered, done
from tests.doubles.object_host import ObjectHost, Trouble, serving
from tests.objects import settings_for
from tests.pictures import saved, scene
from tests.site import open_site
from workers.runner import Outcome
from workers.stages.convert import stage as convert_stage
from workers.stages.render import stage as render_stage
from workers.tools import Tools

ROOT = "s3://archive/photos"
PICTURE = saved(scene(120, 80), "JPEG")
SENTENCES: list[tuple[Trouble, str]] = [
    (403, f"The object store refuses {ROOT} at http://127.0.0.1:"),
    (404, f"There is no bucket for {ROOT} at http://127.0.0.1:"),
    (503, f"The object store has trouble with {ROOT} at http://127.0.0.1:"),
    ("silent", f"The object store did not answer within 0.3 seconds: {ROOT} at http://127.0.0.1:"),
    ("breaks off", f"The object store broke off: {ROOT} at http://127.0.0.1:"),
]


@pytest.fixture
def host() -> Iterator[ObjectHost]:
    objects = {f"/archive/photos/{name}.jpg": PICTURE for name in "abc"}
    with serving(ObjectHost(objects=objects)) as host:
        yield host


@pytest.fixture
def settings(request: pytest.FixtureRequest, host: ObjectHost, tmp_path: Path) -> Settings:
    """Much patience, for a busy machine, but where the store is to say nothing."""
    seconds = 0.3 if "silent" in request.node.name else 60
    named = settings_for(host.url, claims_url=None, claims_timeout_seconds=seconds)
    return Settings(keepers_home=tmp_path / "home", photo_libraries=f"{tmp_path}:{ROOT}", **named)


@pytest.fixture
def tools(settings: Settings) -> Iterator[Tools]:
    tools = Tools(settings)
    yield tools
    tools.close()


def wish(name: str = "a.jpg", companion: str | None = None) -> convert.Request:
    return convert.Request(
        photo_id=1,
        file_path=claim_of(f"{ROOT}/{name}"),
        root=claim_of(ROOT),
        root_key="root:7",
        companion=companion and claim_of(f"{ROOT}/{companion}"),
    )


def fetched_files(settings: Settings) -> list[Path]:
    return list(settings.originals_folder.rglob("*"))


def failed(outcome: Outcome) -> str:
    assert isinstance(outcome.answer, Failed), outcome.answer
    return outcome.answer.failure.message


@pytest.mark.parametrize(("trouble", "sentence"), SENTENCES)
def test_a_photo_waits_for_its_bucket_and_says_why(
    host: ObjectHost, tools: Tools, trouble: Trouble, sentence: str
) -> None:
    host.trouble = trouble
    outcome = delivered(convert_stage, wish(), tools)
    assert isinstance(outcome.answer, Held), outcome.answer
    assert (outcome.answer.key, outcome.retry) == ("root:7", False)
    assert outcome.answer.cause.startswith(sentence)
    assert "never-to-be-shown" not in outcome.answer.model_dump_json()
    host.trouble = None
    assert done(delivered(convert_stage, wish(), tools), convert.Result).size == len(PICTURE)
    assert fetched_files(tools.settings) == []


def test_a_refusal_asks_for_no_more_rights_than_are_needed(host: ObjectHost, tools: Tools) -> None:
    host.trouble = 403
    outcome = delivered(convert_stage, wish(), tools)
    assert isinstance(outcome.answer, Held)
    assert outcome.answer.cause.endswith("AWS_SECRET_ACCESS_KEY, and that they may list and read there.")


def test_one_object_that_is_refused_keeps_nothing_from_the_others(host: ObjectHost, tools: Tools) -> None:
    host.trouble, host.about = 403, "/a.jpg"
    assert failed(delivered(convert_stage, wish(), tools)).startswith("The object store refuses a.jpg: ")
    assert isinstance(delivered(convert_stage, wish("b.jpg"), tools).answer, Done)


def test_an_object_in_an_archive_is_told_from_a_key_without_rights(host: ObjectHost, tools: Tools) -> None:
    host.objects = {"/archive/photos/a.jpg": PICTURE}  # no other to compare with
    host.trouble, host.about, host.said = 403, "/a.jpg", b"<Error><Code>InvalidObjectState</Code></Error>"
    assert failed(delivered(convert_stage, wish(), tools)).startswith("The object store refuses a.jpg: ")


def test_an_object_that_is_gone_fails_its_photo_alone(tools: Tools) -> None:
    assert failed(delivered(convert_stage, wish("z.jpg"), tools)) == "z.jpg is not there any more."


def test_a_companion_that_cannot_be_had_is_none(host: ObjectHost, tools: Tools) -> None:
    result = done(delivered(convert_stage, wish("a.jpg", companion="gone.jpg"), tools), convert.Result)
    assert result.companion_content_hash is None


def test_originals_and_previews_may_lie_in_one_store(host: ObjectHost, settings: Settings) -> None:
    tools = Tools(settings.model_copy(update={"claims_url": "s3://archive/previews"}))
    try:
        result = done(delivered(convert_stage, wish(), tools), convert.Result)
        assert tools.claims.read(result.preview)[:2] == b"\xff\xd8"
        assert [file for file in settings.cache_folder.rglob("*") if file.is_file()] == []
    finally:
        tools.close()


def test_nothing_outside_the_libraries_is_asked_for(host: ObjectHost, tools: Tools) -> None:
    elsewhere = wish().model_copy(update={"file_path": claim_of("s3://archive/private/a.jpg")})
    assert "outside" in failed(delivered(convert_stage, elsewhere, tools))
    assert host.asked == []


def test_a_decoder_that_dies_leaves_nothing_of_the_original(tools: Tools) -> None:
    tools.settings.decode_seconds = 0.001
    assert failed(delivered(convert_stage, wish(), tools)).startswith("The decoder failed on a.jpg: it took longer")
    assert fetched_files(tools.settings) == []


def test_what_a_killed_worker_left_is_cleared_by_the_next(tools: Tools) -> None:
    left = tools.settings.originals_folder / "left" / "a.jpg"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    os.utime(left.parent, (0, 0))
    done(delivered(convert_stage, wish(), tools), convert.Result)
    assert fetched_files(tools.settings) == []


def test_a_photo_in_more_pixels_comes_out_of_the_bucket(tools: Tools) -> None:
    seen = done(delivered(convert_stage, wish(), tools), convert.Result)
    request = render.Request(**wish().model_dump(), size="full", long_edge=120, preview=seen.preview)
    assert done(delivered(render_stage, request, tools), render.Result).width == 120
    assert fetched_files(tools.settings) == []


@pytest.fixture
async def archive(database_url: str, settings: Settings, tmp_path: Path) -> AsyncIterator[Archive]:
    async with open_site(settings.model_copy(update={"database_url": database_url})) as site:
        yield Archive(site, tmp_path)


@pytest.mark.parametrize(("trouble", "sentence"), SENTENCES)
async def test_an_import_waits_for_its_bucket_says_why_and_goes_on(
    archive: Archive, host: ObjectHost, trouble: Trouble, sentence: str
) -> None:
    await archive.site.scanning.stop()
    import_id = await archive.start(ROOT)
    host.trouble = trouble
    archive.site.scanning.take_up()
    rows = await archive.until(lambda seen: seen[0]["error"], "SELECT error FROM imports WHERE id = :id", id=import_id)
    assert rows[0]["error"].startswith(sentence)
    host.trouble = None
    seen = await archive.scanned(import_id)
    assert (seen["found"], seen["error"]) == (3, None)


async def test_a_bucket_that_is_back_is_taken_up_by_the_next_import(archive: Archive) -> None:
    await archive.imported(ROOT)
    await archive.sql("UPDATE roots SET state = 'offline', problem = 'it did not answer'")
    (chip,) = [chip for chip in (await archive.site.client.get("/api/roots")).json()["items"] if chip["path"] == ROOT]
    assert (chip["state"], chip["problem"]) == ("offline", f"{ROOT} does not answer")
    assert (await archive.imported(ROOT))["skipped"] == len("abc")
    assert await archive.sql("SELECT state, problem FROM roots") == [{"state": "online", "problem": None}]


@pytest.mark.parametrize(("trouble", "sentence"), SENTENCES)
async def test_a_bucket_in_trouble_is_not_begun_to_be_imported(
    archive: Archive, host: ObjectHost, trouble: Trouble, sentence: str
) -> None:
    host.trouble = trouble
    answer = await archive.site.client.post("/api/imports", json={"path": ROOT})
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "folder_refused")
    assert answer.json()["error"]["message"].startswith(sentence)


def test_the_command_line_says_what_is_wrong_with_a_bucket_before_anything_is_started(
    host: ObjectHost, settings: Settings
) -> None:
    host.trouble = 403
    named = settings.model_dump(mode="json", include={"keepers_home", "aws_endpoint_url", "aws_access_key_id"})
    environment = os.environ | {name.upper(): value for name, value in named.items()}
    environment |= {"AWS_SECRET_ACCESS_KEY": "never-to-be-shown"}
    command = [sys.executable, "-m", "orchestrator", "up", "--photos", ROOT, "--once"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.startswith(SENTENCES[0][1])) == (2, True), ended.stderr
    assert "never-to-be-shown" not in ended.stderr
