"""Asking for photos in more pixels than their previews have, as the loupe does."""

import asyncio
import io
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from orchestrator.photos import sweeper
from orchestrator.renditions import keeping
from tests.archive import Archive, reject, sweep, with_new_metadata
from tests.pictures import saved, scene

SIZE = (2640, 660)


async def imported(archive: Archive, *names: str, size: tuple[int, int] = SIZE) -> list[int]:
    for seed, name in enumerate(names):
        (archive.photos / name).write_bytes(saved(scene(*size, seed), "JPEG", quality=80))
    await archive.imported()
    rows = await archive.sql("SELECT id, file_name FROM photos ORDER BY file_name")
    assert [row["file_name"] for row in rows] == list(names)
    return [row["id"] for row in rows]


async def ask(archive: Archive, ids: list[int], size: str = "view", **wishes: int) -> dict[str, Any]:
    answer = await archive.site.client.post("/api/renditions", json={"ids": ids, "size": size, **wishes})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def shown(archive: Archive, answer: dict[str, Any]) -> Image.Image:
    (ready,) = answer["ready"]
    response = await archive.site.client.get(ready["url"])
    assert response.status_code == 200
    assert "immutable" in response.headers["cache-control"]
    image = Image.open(io.BytesIO(response.content))
    assert image.size == (ready["width"], ready["height"])
    return image


async def waiting(archive: Archive) -> list[tuple[str, str]]:
    """Subject and state of the renditions that are not made, in the order in which they will be."""
    rows = await archive.sql(
        "SELECT subject, state FROM stage_runs WHERE stage = 'render' AND state <> 'done' ORDER BY priority, id"
    )
    return [(row["subject"], row["state"]) for row in rows]


async def stages_shown(archive: Archive, photo: int) -> dict[str, str]:
    detail = (await archive.site.client.get(f"/api/photos/{photo}")).json()
    assert {run["stage"]: run["state"] for run in detail["runs"]} == detail["stages"]
    return dict(detail["stages"])


async def test_a_view_is_made_once_and_shown(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    assert await ask(archive, [photo]) == {"ready": [], "pending": [photo], "failed": [], "waits_for": None}
    await archive.work("render")
    answer = await ask(archive, [photo])
    assert (await shown(archive, answer)).size == (2560, 640)
    assert answer["ready"][0]["source"] == "original"
    assert await archive.queued("render") == []
    assert "render" not in await stages_shown(archive, photo)
    await archive.check_books()


async def test_full_shows_every_pixel(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    await ask(archive, [photo], "full")
    await archive.work("render")
    assert (await shown(archive, await ask(archive, [photo], "full"))).size == SIZE


async def test_a_photo_that_is_smaller_than_the_size_is_kept_once(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg", size=(2000, 500))
    for size in ("view", "dense", "full"):
        await ask(archive, [photo], size)
    assert await waiting(archive) == [(f"{photo}:full", "queued")]
    await archive.work("render")
    answers = [await ask(archive, [photo], size) for size in ("view", "dense", "full")]
    assert [(await shown(archive, answer)).size for answer in answers] == [(2000, 500)] * 3
    assert (
        len({answer["ready"][0]["url"] for answer in answers}) == 1
    )  # it is fetched once, and known to be all there is


async def test_what_holds_up_the_pictures_is_said(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    assert (await ask(archive, [photo]))["waits_for"] is None
    await archive.site.client.post("/api/stages/render/pause")
    assert (await ask(archive, [photo]))["waits_for"] == "Views are paused. Resume them in the pipeline."
    await archive.site.client.post("/api/stages/render/resume")
    nobody = "No worker is there for this."
    archive.site.app.state.services = replace(archive.site.services, trouble_of=lambda stage: nobody)
    assert (await ask(archive, [photo]))["waits_for"] == nobody
    await archive.work("render")
    assert (await ask(archive, [photo]))["waits_for"] is None


async def test_a_preview_that_has_all_pixels_is_the_answer(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg", size=(900, 600))
    answer = await ask(archive, [photo], "full")
    assert "/preview.jpg?" in answer["ready"][0]["url"]
    assert (await shown(archive, answer)).size == (900, 600)
    assert await waiting(archive) == []


async def test_renditions_are_urgent_and_in_the_order_asked_for(archive: Archive) -> None:
    first, second, third = await imported(archive, "a.jpg", "b.jpg", "c.jpg")
    assert (await ask(archive, [third, first, second]))["pending"] == [third, first, second]
    assert [subject for subject, _ in await waiting(archive)] == [f"{id_}:view" for id_ in (third, first, second)]
    assert await archive.sql("SELECT 1 FROM stage_runs WHERE stage = 'render' AND priority >= 0") == []


async def test_what_the_newest_wish_does_not_name_comes_later_and_is_given_up(archive: Archive) -> None:
    first, second, third = await imported(archive, "a.jpg", "b.jpg", "c.jpg")
    await ask(archive, [first, second])
    await ask(archive, [third, second])
    assert [subject for subject, _ in await waiting(archive)] == [f"{id_}:view" for id_ in (third, second, first)]
    await ask(archive, [first], "full")  # of another size: overtakes nothing
    assert len(await waiting(archive)) == 4
    await archive.sql("UPDATE stage_runs SET queued_at = queued_at - interval '1 minute' WHERE stage = 'render'")
    await ask(archive, [third])
    states = dict(await waiting(archive))
    assert states[f"{third}:view"] == states[f"{first}:full"] == "queued"
    assert states[f"{first}:view"] == states[f"{second}:view"] == "cancelled"
    assert (await ask(archive, [first]))["pending"] == [first]
    await archive.work("render")
    assert (await ask(archive, [first]))["ready"]
    await archive.check_books()


async def test_photos_that_are_smaller_than_the_size_are_overtaken_too(archive: Archive) -> None:
    first, second, third = await imported(archive, "a.jpg", "b.jpg", "c.jpg", size=(2000, 500))
    await ask(archive, [first, second])
    await ask(archive, [third])
    assert [subject for subject, _ in await waiting(archive)] == [f"{id_}:full" for id_ in (third, first, second)]


async def test_asking_again_makes_no_second_run(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    await ask(archive, [photo])
    (run,) = await archive.queued("render")
    assert (await ask(archive, [photo]))["pending"] == [photo]
    assert await archive.queued("render") == []
    await archive.apply(archive.answer([run, run], "render"))  # delivered twice
    assert (await ask(archive, [photo]))["ready"]
    await archive.check_books()


async def test_a_file_that_is_missing_on_disk_is_made_again(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    await ask(archive, [photo])
    await archive.work("render")
    (ready,) = (await ask(archive, [photo]))["ready"]
    (row,) = await archive.sql("SELECT claim FROM renditions")
    archive.site.claims.path(row["claim"]).unlink()
    assert (await archive.site.client.get(ready["url"])).status_code == 410
    assert (await ask(archive, [photo]))["pending"] == [photo]
    await archive.work("render")
    await shown(archive, await ask(archive, [photo]))
    await archive.check_books()


async def test_a_photo_with_other_bytes_is_rendered_again(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    await ask(archive, [photo], "full")
    await archive.work("render")
    with_new_metadata(archive.photos / "a.jpg", "Ansel")
    await archive.imported()
    assert (await ask(archive, [photo], "full"))["pending"] == [photo]
    await archive.work("render")
    assert (await ask(archive, [photo], "full"))["ready"]
    await archive.check_books()


async def test_a_rendition_of_what_changed_meanwhile_is_not_kept(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    await ask(archive, [photo])
    late = await archive.queued("render")
    answers = archive.answer(late, "render")
    with_new_metadata(archive.photos / "a.jpg", "Ansel")
    await archive.imported()
    await archive.apply(answers)
    assert await archive.sql("SELECT 1 FROM renditions") == []
    assert (await ask(archive, [photo]))["pending"] == [photo]
    await archive.check_books()


async def test_a_photo_that_is_removed_meanwhile_keeps_no_rendition(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    await ask(archive, [photo])
    runs = await archive.queued("render")
    await archive.sql("UPDATE photos SET deleted_at = now()")
    await archive.apply(archive.answer(runs, "render"))
    assert await archive.sql("SELECT 1 FROM renditions") == []
    assert len(await archive.sql("SELECT 1 FROM orphan_candidates WHERE claim LIKE 'renditions/%'")) == 1
    assert [one["id"] for one in (await ask(archive, [photo, 4711]))["failed"]] == [photo, 4711]


async def test_a_rejected_photo_can_still_be_looked_at(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    await reject(archive)
    assert (await ask(archive, [photo]))["pending"] == [photo]


async def test_a_file_that_vanished_fails_alone_and_is_no_failure_of_the_import(archive: Archive) -> None:
    first, second = await imported(archive, "a.jpg", "b.jpg")
    (archive.photos / "a.jpg").unlink()
    await ask(archive, [first, second])
    await archive.work("render")
    answer = await ask(archive, [first, second])
    assert [one["id"] for one in answer["ready"]] == [second]
    assert answer["failed"] == [{"id": first, "message": "a.jpg is not there any more."}]
    assert await archive.sql("SELECT 1 FROM import_items WHERE state <> 'done'") == []
    assert (await stages_shown(archive, first))["render"] == "failed"
    (archive.photos / "a.jpg").write_bytes(saved(scene(*SIZE, 0), "JPEG", quality=80))
    await archive.sql("UPDATE stage_runs SET queued_at = queued_at - interval '2 minutes' WHERE stage = 'render'")
    assert (await ask(archive, [first]))["pending"] == [first]
    await archive.work("render")
    assert (await ask(archive, [first]))["ready"]


async def test_while_the_drive_is_away_the_answer_says_so(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    away = archive.photos.rename(archive.photos.with_name("away"))
    await ask(archive, [photo])
    await archive.work("render")
    (failed,) = (await ask(archive, [photo]))["failed"]
    assert "is not connected" in failed["message"]
    away.rename(archive.photos)
    (breaker,) = await archive.sql("SELECT key FROM breakers")
    await archive.sql("DELETE FROM breakers")
    await archive.sql(
        "UPDATE stage_runs SET state = 'queued', hold_key = NULL WHERE hold_key = :key", key=breaker["key"]
    )
    await archive.work("render")
    assert (await ask(archive, [photo]))["ready"]


async def test_a_corrupt_file_costs_one_photo(archive: Archive) -> None:
    first, second = await imported(archive, "a.jpg", "b.jpg")
    (archive.photos / "a.jpg").write_bytes(b"no picture at all" * 100)
    await ask(archive, [first, second])
    await archive.work("render")
    answer = await ask(archive, [first, second])
    assert [one["id"] for one in answer["ready"]] == [second]
    assert "a.jpg is not a photograph" in answer["failed"][0]["message"]


async def test_pages_are_told(archive: Archive) -> None:
    first, second = await imported(archive, "a.jpg", "b.jpg")
    (archive.photos / "b.jpg").unlink()
    await ask(archive, [first, second])
    await archive.work("render")
    told = await archive.sql("SELECT data FROM events WHERE kind = 'renditions' ORDER BY id")
    assert sorted(id_ for row in told for id_ in row["data"]["ids"]) == [first, second]


async def test_an_answer_can_wait_for_the_first(archive: Archive) -> None:
    photos = await imported(archive, "a.jpg", "b.jpg", "c.jpg")
    answers = []
    for photo in photos:
        assert (await ask(archive, [photo], wait_ms=60))["pending"] == [photo]
        made = archive.answer(await archive.queued("render"), "render")
        asked = asyncio.create_task(ask(archive, [photo], wait_ms=2_000))
        await archive.apply(made)
        answers.append(await asked)
    assert any(answer["ready"] for answer in answers)  # a slow machine may be late for one
    assert (await ask(archive, photos, wait_ms=2_000))["pending"] == []


@pytest.mark.parametrize(
    "body",
    [
        {"ids": [], "size": "view"},
        {"ids": list(range(61)), "size": "view"},
        {"ids": [1], "size": "huge"},
        {"ids": [1]},
        {"ids": ["a"], "size": "view"},
    ],
)
async def test_what_cannot_be_asked_for_is_refused(archive: Archive, body: dict[str, Any]) -> None:
    assert (await archive.site.client.post("/api/renditions", json=body)).status_code == 422


async def test_a_rendition_that_was_never_asked_for_is_not_there(archive: Archive) -> None:
    (photo,) = await imported(archive, "a.jpg")
    for size in ("view", "dense", "full"):
        assert (await archive.site.client.get(f"/photos/{photo}/{size}.jpg")).status_code == 404


async def drop(archive: Archive, most_bytes: int, in_use_seconds: float = 0) -> None:
    async with archive.site.services.sessions.begin() as session:
        await keeping.drop(session, archive.site.claims, most_bytes, in_use_seconds)


async def kept(archive: Archive) -> list[int]:
    """The photos that have renditions, each with its file and no file without one."""
    rows = await archive.sql("SELECT photo_id, claim FROM renditions ORDER BY photo_id")
    folder = archive.settings.claims_folder
    assert {row["claim"] for row in rows} == {
        str(path.relative_to(folder)) for path in (folder / "renditions").glob("*/*")
    }
    return [row["photo_id"] for row in rows]


async def test_the_longest_unseen_go_when_there_are_too_many(archive: Archive) -> None:
    first, second, third = photos = await imported(archive, "a.jpg", "b.jpg", "c.jpg")
    await ask(archive, photos)
    await archive.work("render")
    await archive.sql("UPDATE renditions SET used_at = now() - make_interval(hours => photo_id::int)")
    (row,) = await archive.sql("SELECT sum(bytes)::bigint AS n, max(bytes) AS one FROM renditions")
    await drop(archive, most_bytes=row["n"])
    assert await kept(archive) == photos
    await ask(archive, [third])  # it is looked at
    await drop(archive, most_bytes=row["n"] - 1)
    assert await kept(archive) == [first, third]
    await drop(archive, most_bytes=0, in_use_seconds=600)
    assert await kept(archive) == [third]
    assert (await ask(archive, [second]))["pending"] == [second]
    await archive.work("render")
    assert await kept(archive) == [second, third]
    await archive.check_books()


async def test_renditions_of_removed_and_changed_photos_go(archive: Archive) -> None:
    first, _, third = photos = await imported(archive, "a.jpg", "b.jpg", "c.jpg")
    await ask(archive, photos)
    await archive.work("render")
    await archive.sql("UPDATE photos SET deleted_at = now() WHERE id = :id", id=first)
    with_new_metadata(archive.photos / "b.jpg", "Ansel")
    await archive.imported()
    await drop(archive, most_bytes=10**9)
    assert await kept(archive) == [third]


async def test_the_sweeper_leaves_renditions_that_are_kept_and_finds_those_that_are_not(archive: Archive) -> None:
    first, second = photos = await imported(archive, "a.jpg", "b.jpg")
    await ask(archive, photos)
    await archive.work("render")
    rows = await archive.sql("SELECT photo_id, claim FROM renditions")
    await archive.sql("INSERT INTO orphan_candidates (claim) SELECT claim FROM renditions")
    await sweep(archive, older_than_seconds=0)
    assert await kept(archive) == photos
    await archive.sql("DELETE FROM renditions WHERE photo_id = :id", id=first)  # told to nobody
    async with archive.site.services.sessions.begin() as session:
        for row in rows:
            await sweeper.nominate(session, archive.site.claims, row["claim"].split("/")[1], older_than_seconds=0)
    await sweep(archive, older_than_seconds=0)
    assert await kept(archive) == [second]
