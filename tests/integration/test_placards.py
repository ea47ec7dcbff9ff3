"""A photo dropped to be described: what is taken, what is refused, and that it stays out of the archive."""

import asyncio
import hashlib
import io
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pillow_heif
import pytest
from PIL import Image

from orchestrator.broker import Incoming
from orchestrator.curation import service as curation
from orchestrator.failures.filing import DeadLetterFiler
from orchestrator.photos import sweeper
from orchestrator.pipeline import PIPELINE, stages
from orchestrator.placards.uploads import MOST_BYTES
from shared.contracts.answers import Failed, Failure
from shared.settings import Settings
from shared.topology import topology
from tests.archive import Archive, sweep
from tests.disks import small_disk
from tests.pictures import Rgb, dng, exif_block, saved, scene
from tests.placards import described
from tests.site import Site, open_site

CAMERA = exif_block({0x010F: "Canon", 0x0110: "Canon EOS R5"}, {0x829D: 2.8, 0x829A: 1 / 250, 0x8827: 400})
JPEG = saved(scene(), "JPEG", quality=90, exif=CAMERA)


def heic(pixels: Rgb) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(buffer, quality=90)
    return buffer.getvalue()


async def dropped(site: Site, data: bytes = JPEG, name: str = "IMG_1.jpg") -> int:
    answer = await site.client.post("/api/placards", params={"name": name}, content=data)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


async def shown(site: Site, placard: int) -> dict[str, Any]:
    answer = await site.client.get(f"/api/placards/{placard}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def uploads(site: Site) -> list[Path]:
    """Every file that an upload left, finished or not."""
    return [path for name in ("placards", "tmp") for path in (site.claims.folder / name).rglob("*") if path.is_file()]


async def test_a_full_disk_takes_no_photo_and_says_so(site: Site) -> None:
    with small_disk(site.claims.scratch):
        refused = await site.client.post("/api/placards", params={"name": "a.jpg"}, content=JPEG + bytes(40_000))
    assert (refused.status_code, refused.json()["error"]["type"]) == (507, "no_space")
    assert uploads(site) == []
    assert (await site.client.get("/api/placards")).json()["items"] == []
    await dropped(site)


@pytest.mark.parametrize(
    ("data", "name", "status", "sentence"),
    [
        (b"", "a.jpg", 400, "This file is empty: it has no bytes."),
        (b"Dear diary", "a.jpg", 415, "This is not a photo: its content is of an unknown kind."),
        (b"%PDF-1.7 " + bytes(200), "a.jpg", 415, "This is not a photo: it holds a PDF."),
        (b"<html></html>" + bytes(100), "a.heic", 415, "This is not a photo: it holds a web page or other text."),
        (dng(scene(60, 40)), "a.jpg", 415, "This is a RAW or TIFF file. Import its folder instead"),
        (b"FUJIFILMCCD-RAW " + bytes(99), "a.raf", 415, "This is a RAW or TIFF file. Import its folder instead"),
        (saved(scene(60, 40), "TIFF"), "a.tif", 415, "This is a RAW or TIFF file. Import its folder instead"),
        (saved(scene(60, 40), "BMP"), "a.png", 415, "This is a file of type BMP. Import its folder instead"),
        (saved(scene(60, 40), "GIF"), "a.jpg", 415, "This is not a photo: it holds a GIF."),
    ],
)
async def test_what_is_no_photo_is_refused_with_a_sentence(
    site: Site, data: bytes, name: str, status: int, sentence: str
) -> None:
    answer = await site.client.post("/api/placards", params={"name": name}, content=data)
    assert answer.status_code == status
    assert sentence in answer.json()["error"]["message"]
    assert uploads(site) == []
    assert (await site.client.get("/api/placards")).json() == {"items": [], "next": None}


@pytest.mark.parametrize("length", [None, "10"])
async def test_the_limit_holds_whatever_length_is_announced(site: Site, length: str | None) -> None:
    sent = 0

    async def too_much() -> AsyncIterator[bytes]:
        nonlocal sent
        yield JPEG
        while sent < 2 * MOST_BYTES:
            sent += 1_000_000
            yield bytes(1_000_000)

    headers = {"content-length": length} if length else {}
    answer = await site.client.post("/api/placards", content=too_much(), headers=headers)
    assert answer.status_code == 413
    assert answer.json()["error"]["message"] == "This file is over the limit of 50 MB. Import its folder instead."
    assert sent <= MOST_BYTES + 1_000_000, "what is over the limit is not read"
    assert uploads(site) == []


async def test_a_length_over_the_limit_is_refused_before_anything_is_read(site: Site) -> None:
    answer = await site.client.post("/api/placards", content=JPEG, headers={"content-length": "60000000"})
    assert answer.status_code == 413


async def test_an_upload_that_breaks_off_leaves_nothing(site: Site, served: str) -> None:
    address = urlsplit(served)
    head = f"POST /api/placards HTTP/1.1\r\nhost: {address.netloc}\r\ncontent-length: {len(JPEG)}\r\n\r\n".encode()

    def half() -> None:
        with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
            connection.sendall(head + JPEG[: len(JPEG) // 2])
            deadline = time.monotonic() + 30
            while not uploads(site):
                assert time.monotonic() < deadline

    await asyncio.to_thread(half)
    deadline = time.monotonic() + 30
    while uploads(site):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.01)
    assert (await site.client.get("/api/placards")).json()["items"] == []


async def test_two_photos_in_a_form_are_refused(site: Site) -> None:
    files = [("photo", ("a.jpg", JPEG)), ("photo", ("b.jpg", JPEG))]
    answer = await site.client.post("/api/placards", files=files)
    assert answer.status_code == 415
    assert "Send one photo" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (JPEG, "a.png"),
        (saved(scene(), "PNG"), "a.jpg"),
        (saved(scene(), "WEBP"), "a.txt"),
        (heic(scene()), "no extension"),
    ],
)
async def test_a_photo_is_taken_whatever_it_is_called(archive: Archive, data: bytes, name: str) -> None:
    placard = await dropped(archive.site, data, name)
    await archive.work()
    seen = await shown(archive.site, placard)
    assert (seen["file_name"], seen["convert"]) == (name, {"state": "done", "sentence": None})
    picture = await archive.site.client.get(seen["preview_url"])
    assert picture.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("name", "shown_as"),
    [
        ("/home/me/a.jpg", "a.jpg"),
        ("C:\\Photos\\a.jpg", "a.jpg"),
        ("a\n\u202egpj.exe", "agpj.exe"),
        ("..", ".."),
        ("", "photo"),
    ],
)
async def test_a_name_is_words_and_never_a_path(site: Site, name: str, shown_as: str) -> None:
    placard = await dropped(site, name=name)
    assert (await shown(site, placard))["file_name"] == shown_as
    digest = hashlib.sha256(JPEG).hexdigest()
    assert uploads(site) == [site.claims.folder / "placards" / digest[:2] / f"{digest}.jpg"]


async def test_a_placard_appears_piece_by_piece(archive: Archive) -> None:
    placard = await dropped(archive.site)
    seen = await shown(archive.site, placard)
    assert (seen["convert"]["state"], seen["preview_url"], seen["exif"], seen["words"]) == ("waiting", None, None, None)
    await archive.work()
    seen = await shown(archive.site, placard)
    assert (seen["convert"]["state"], seen["curate"]["state"], seen["words"]) == ("done", "waiting", None)
    assert (seen["exif"]["camera_model"], seen["exif"]["aperture"]) == ("Canon EOS R5", 2.8)
    await described(archive, artistic_mood="calm", suggested_tags=["red", "corner"])
    seen = await shown(archive.site, placard)
    assert seen["curate"]["state"] == "done"
    assert (seen["words"]["subject"], seen["words"]["described_by"]) == ("A red corner", "llava")
    assert (seen["words"]["artistic_mood"], seen["words"]["suggested_tags"]) == ("calm", ["red", "corner"])


async def test_its_requests_are_worked_before_those_of_an_import(archive: Archive) -> None:
    for number in range(3):
        (archive.photos / f"{number}.jpg").write_bytes(saved(scene(seed=number), "JPEG"))
    await archive.scanned(await archive.start())
    await dropped(archive.site)
    order = "SELECT subject, priority FROM stage_runs WHERE stage = 'convert' ORDER BY priority, id"
    assert (await archive.sql(order))[0] == {"subject": "placard:1", "priority": -1}
    await archive.work()
    order = "SELECT subject, priority FROM stage_runs WHERE stage = 'curate' ORDER BY priority, id"
    assert (await archive.sql(order))[0] == {"subject": "placard:1", "priority": -1}


async def test_the_same_bytes_are_the_same_placard(archive: Archive) -> None:
    first = await dropped(archive.site, name="a.jpg")
    await archive.work()
    await described(archive)
    assert await dropped(archive.site, name="b.jpg") == first
    seen = await shown(archive.site, first)
    assert (seen["file_name"], seen["convert"]["state"], seen["curate"]["state"]) == ("a.jpg", "done", "done")
    assert archive.converted == 1
    assert len((await archive.site.client.get("/api/placards")).json()["items"]) == 1


async def test_nothing_of_a_placard_reaches_the_archive(archive: Archive) -> None:
    (archive.photos / "mine.jpg").write_bytes(saved(scene(seed=2), "JPEG"))
    placard = await dropped(archive.site)
    imported = await archive.imported()
    await described(archive, suggested_tags=["corner"])
    assert (imported["found"], imported["done"]) == (1, 1)
    assert (await shown(archive.site, placard))["words"]["subject"] == "A red corner"

    get = archive.site.client.get
    assert [item["file_name"] for item in (await get("/api/photos")).json()["items"]] == ["mine.jpg"]
    assert (await get("/api/photos/counts")).json()["all"] == 1
    assert len((await get("/api/photos?q=corner")).json()["items"]) == 1, "the words of the imported photo alone"
    assert (await get(f"/api/photos/{-placard}")).status_code in (404, 422)
    assert [photo["id"] for photo in await archive.sql("SELECT id FROM photos")] == [1]
    for table in ("photo_files", "photo_words", "import_items", "photo_vectors", "rating_events", "roots"):
        (rows,) = await archive.sql(f"SELECT count(*) AS n FROM {table}")
        assert rows["n"] <= 1, table
    embedded = await archive.sql("SELECT subject FROM stage_runs WHERE stage NOT IN ('convert', 'curate')")
    assert [row["subject"] for row in embedded] == ["1"]
    review = await archive.site.client.post("/api/review/passes", json={"pass": "cull"})
    assert review.status_code == 200, review.text
    assert review.json()["n"] == 1
    await archive.check_books()
    by = (await get("/api/curation")).json()["described"]
    assert by == [{"described_by": "llava", "prompt_version": 1, "photos": 1}]


async def test_bytes_that_are_in_the_archive_already_name_their_photo(archive: Archive) -> None:
    (archive.photos / "mine.jpg").write_bytes(JPEG)
    await archive.imported()
    placard = await dropped(archive.site)
    photo = await archive.photo()
    assert (await shown(archive.site, placard))["photo_id"] == photo["id"]
    await archive.sql("UPDATE photos SET deleted_at = now()")
    assert (await shown(archive.site, placard))["photo_id"] is None


async def test_an_import_of_the_same_bytes_makes_a_photo_of_its_own(archive: Archive) -> None:
    placard = await dropped(archive.site)
    await archive.work()
    (archive.photos / "mine.jpg").write_bytes(JPEG)
    assert (await archive.imported())["done"] == 1
    photo = await archive.photo()
    seen = await shown(archive.site, placard)
    assert seen["photo_id"] == photo["id"]


async def test_a_broken_photo_says_so_by_its_name_and_is_tried_again(archive: Archive) -> None:
    placard = await dropped(archive.site, JPEG[:200] + bytes(500), "holiday.jpg")
    await archive.work()
    seen = await shown(archive.site, placard)
    assert seen["convert"] == {"state": "failed", "sentence": "holiday.jpg is broken and shows no picture."}
    again = await archive.site.client.post(f"/api/placards/{placard}/again")
    assert again.json()["convert"]["state"] == "waiting"
    await archive.work()
    assert await dropped(archive.site, JPEG[:200] + bytes(500), "holiday.jpg") == placard
    assert (await shown(archive.site, placard))["convert"]["state"] == "waiting", "dropped again, it is tried again"


async def test_a_description_that_failed_is_tried_again_and_a_good_one_is_made_anew(archive: Archive) -> None:
    placard = await dropped(archive.site)
    await archive.work()
    (run,) = await archive.sql("UPDATE stage_runs SET state = 'published' WHERE stage = 'curate' RETURNING run_id")
    failure = Failure(op="describe", error_type="InvalidReply", message="llava gave no description.")
    answer = Failed(stage="curate", run_id=run["run_id"], attempt=1, max_attempts=1, final=True, failure=failure)
    await archive.apply([Incoming(answer.model_dump_json().encode(), str(run["run_id"]), "results", {})])
    seen = await shown(archive.site, placard)
    assert seen["curate"] == {"state": "failed", "sentence": "llava gave no description."}
    assert (await archive.site.client.post(f"/api/placards/{placard}/again")).status_code == 202
    await described(archive)
    assert (await shown(archive.site, placard))["words"]["subject"] == "A red corner"
    assert (await archive.site.client.post(f"/api/placards/{placard}/again")).status_code == 202
    await described(archive, subject="A better one")
    assert (await shown(archive.site, placard))["words"]["subject"] == "A better one"
    assert archive.converted == 1


async def test_removing_takes_every_file_with_it(archive: Archive) -> None:
    placard = await dropped(archive.site)
    await archive.work()
    (archive.photos / "mine.jpg").write_bytes(saved(scene(seed=2), "JPEG"))
    await archive.imported()
    assert (await archive.site.client.delete(f"/api/placards/{placard}")).status_code == 204
    assert (await archive.site.client.get(f"/api/placards/{placard}")).status_code == 404
    assert (await archive.site.client.delete(f"/api/placards/{placard}")).status_code == 404
    assert await archive.sql("SELECT 1 FROM stage_runs WHERE subject LIKE 'placard%'") == []
    await archive.check_books()
    await sweep(archive, older_than_seconds=0)
    assert uploads(archive.site) == []
    await archive.check_books()  # the photo of the archive has its own


async def test_files_that_the_archive_or_a_new_drop_needs_stay(archive: Archive) -> None:
    (archive.photos / "mine.jpg").write_bytes(JPEG)
    await archive.imported()
    placard = await dropped(archive.site)
    await archive.work()
    assert (await archive.site.client.delete(f"/api/placards/{placard}")).status_code == 204
    again = await dropped(archive.site)
    await sweep(archive, older_than_seconds=0)
    assert len(uploads(archive.site)) == 1
    await archive.site.client.delete(f"/api/placards/{again}")
    await sweep(archive, older_than_seconds=0)
    assert uploads(archive.site) == []
    photo = await archive.photo()
    assert (archive.site.claims.folder / photo["preview"]).is_file()


async def test_an_upload_that_a_killed_process_left_is_found(archive: Archive) -> None:
    await dropped(archive.site)
    (kept,) = uploads(archive.site)
    lost = archive.site.claims.folder / "placards" / kept.parent.name / f"{kept.parent.name}{'0' * 62}.jpg"
    lost.write_bytes(JPEG)
    async with archive.site.services.sessions.begin() as session:
        await sweeper.nominate(session, archive.site.claims, kept.parent.name, older_than_seconds=0)
    await sweep(archive, older_than_seconds=0)
    assert uploads(archive.site) == [kept]


async def test_an_answer_about_a_removed_placard_leaves_nothing(archive: Archive) -> None:
    placard = await dropped(archive.site)
    answers = archive.answer(await archive.queued())
    await archive.site.client.delete(f"/api/placards/{placard}")
    await archive.apply(answers)
    await archive.check_books()
    await sweep(archive, older_than_seconds=0)
    assert [path for path in archive.site.claims.folder.rglob("*") if path.is_file()] == []


async def test_a_placard_waits_for_the_yes_to_a_host_far_away(database_url: str, tmp_path: Path) -> None:
    settings = Settings(keepers_home=tmp_path / "home", database_url=database_url, llm_base_url="https://api.x.com/v1/")
    async with open_site(settings) as site:
        archive = Archive(site, tmp_path)
        async with site.services.sessions.begin() as session:
            await curation.prepare(session, settings)
        placard = await dropped(site)
        await archive.work()
        await archive.sql("UPDATE stage_runs SET state = 'held', hold_key = 'consent:api.x.com' WHERE stage = 'curate'")
        seen = await shown(site, placard)
        assert seen["curate"]["state"] == "held"
        assert "Photos would be sent to api.x.com" in seen["curate"]["sentence"]
        (run,) = await archive.sql("SELECT request FROM stage_runs WHERE stage = 'curate'")
        assert run["request"]["host"] == "api.x.com"
        await site.client.post("/api/curation/consent", json={"host": "api.x.com"})
        assert (await shown(site, placard))["curate"] == {"state": "waiting", "sentence": None}


async def test_what_it_waits_for_is_said(archive: Archive) -> None:
    placard = await dropped(archive.site)
    assert (await archive.site.client.post("/api/stages/convert/pause")).status_code == 204
    seen = await shown(archive.site, placard)
    assert (seen["convert"]["state"], "paused" in seen["convert"]["sentence"]) == ("waiting", True)
    await archive.site.client.post("/api/stages/convert/resume")
    await archive.work()
    await archive.sql("INSERT INTO breakers (key, stage, cause) VALUES ('vision:x', 'curate', 'The model is away.')")
    await archive.sql("UPDATE stage_runs SET state = 'held', hold_key = 'vision:x' WHERE stage = 'curate'")
    assert (await shown(archive.site, placard))["curate"] == {"state": "held", "sentence": "The model is away."}


async def test_a_dead_letter_about_a_placard_is_put_back_and_goes_with_it(archive: Archive) -> None:
    placard = await dropped(archive.site, JPEG[:200] + bytes(500), "holiday.jpg")
    runs = await archive.queued()
    await archive.apply(archive.answer(runs))
    names = topology("test", stages(PIPELINE), [50])
    death = {"x-death": [{"reason": "rejected", "routing-keys": [names.urgent_queue("convert")]}]}
    letter = Incoming(b"{}", str(runs[0].run_id), names.urgent_queue("convert"), death)
    await DeadLetterFiler(archive.site.services.sessions, names).file([letter])
    (found,) = (await archive.site.client.get("/api/dead-letters")).json()["items"]
    assert found["photo"] is None
    assert (await archive.site.client.post(f"/api/dead-letters/{found['id']}/requeue")).is_success
    assert (await shown(archive.site, placard))["convert"]["state"] == "waiting"
    await archive.work()
    await archive.site.client.delete(f"/api/placards/{placard}")
    assert await archive.sql("SELECT state FROM dead_letters") == [{"state": "resolved"}]


async def test_the_first_words_of_a_model_are_remembered_as_its_being_there(archive: Archive) -> None:
    await dropped(archive.site)
    await archive.work()
    await described(archive)
    (state,) = await archive.sql("SELECT reached_at FROM curation_state")
    assert state["reached_at"] is not None
