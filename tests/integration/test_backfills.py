"""Filling in what photos of the archive lack: which ones, in which order, counted, paused, cancelled, begun again."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.backfills import service
from orchestrator.backfills.feeding import Portion, feed_all
from orchestrator.embedding import service as embedding
from orchestrator.models import PhotoVector
from tests import factories
from tests.archive import Archive
from tests.photos import some_photos
from tests.site import Site
from tests.stack import a_jpeg

FEW = Portion(in_work=3, at_once=2, looked_at=2)


async def imported(archive: Archive, count: int, folder: str = "") -> None:
    for n in range(count):
        a_jpeg(archive.photos / folder / f"{n}.jpg", seed=n + len(folder) * 100, size=(64, 48))
    await archive.imported()


async def begin(archive: Archive, kind: str = "quality", *where: str, **wish: Any) -> dict[str, Any]:
    answer = await archive.site.client.post("/api/backfills", json={"kind": kind, "where": list(where), **wish})
    assert answer.status_code == 202, answer.text
    seen: dict[str, Any] = answer.json()
    return seen


async def seen(archive: Archive, backfill: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = (await archive.site.client.get(f"/api/backfills/{backfill['id']}")).json()
    assert answer["done"] + answer["failed"] + answer["skipped"] + answer["in_work"] <= answer["total"]
    return answer


async def act(archive: Archive, backfill: dict[str, Any], action: str) -> dict[str, Any]:
    answer = await archive.site.client.post(f"/api/backfills/{backfill['id']}/{action}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def feed(archive: Archive, portion: Portion = FEW) -> bool:
    return await feed_all(archive.site.services.sessions, portion)


async def worked(archive: Archive) -> None:
    """Until nothing moves any more."""
    while await feed(archive):
        await archive.work()


async def test_what_is_missing_is_filled_in_some_at_a_time_and_counted(archive: Archive) -> None:
    await imported(archive, 5)
    before = await archive.sql("SELECT * FROM photos ORDER BY id")
    await archive.sql("UPDATE photos SET technical_score = NULL WHERE id <> (SELECT min(id) FROM photos)")
    backfill = await begin(archive)
    assert (backfill["total"], backfill["state"], backfill["where"]) == (4, "running", ["missing"])
    archive.converted = 0
    await feed(archive)
    assert len(await archive.sql("SELECT 1 FROM stage_runs WHERE stage = 'convert' AND state = 'queued'")) == 1
    await worked(archive)
    now = await seen(archive, backfill)
    assert (now["state"], now["done"], now["failed"], now["skipped"], now["in_work"]) == ("done", 4, 0, 0, 0)
    assert now["finished_at"] is not None
    assert archive.converted == 4
    assert await archive.sql("SELECT * FROM photos ORDER BY id") == before
    await archive.check_books()


async def test_what_comes_out_the_same_changes_nothing_and_no_later_stage_works_again(archive: Archive) -> None:
    """The photo is decided about, described and embedded; another reading leaves all of that alone."""
    await imported(archive, 1)
    photo = await archive.photo()
    for stage in ("embed", "curate"):
        await archive.sql("UPDATE stage_runs SET state = 'done', finished_at = now() WHERE stage = :stage", stage=stage)
    await archive.sql(
        "INSERT INTO photo_vectors SELECT photo_id, request->>'model', array_fill(0.1, ARRAY[768])::halfvec"
        " FROM stage_runs WHERE stage = 'embed'"
    )
    await archive.sql("UPDATE photos SET user_rating = 5, tags = '{mine}', subject = 'A dog', described_by = 'llava'")
    before = await archive.sql("SELECT photos.*, photos.xmin::text AS version FROM photos")
    await begin(archive, "exif", "all")
    await worked(archive)
    assert await archive.sql("SELECT photos.*, photos.xmin::text AS version FROM photos") == before
    assert await archive.sql("SELECT stage FROM stage_runs WHERE state <> 'done'") == []
    assert archive.site.claims.verify(photo["preview"])
    await archive.check_books()


async def test_a_backfill_begun_again_goes_on_and_does_nothing_twice(archive: Archive) -> None:
    await imported(archive, 5)
    backfill = await begin(archive, "hash", "all")
    archive.converted = 0
    await feed(archive)
    await archive.work()
    again = await begin(archive, "hash", "all")  # the one who asked was interrupted, and asks again
    assert again["id"] == backfill["id"]
    await worked(archive)
    assert (await seen(archive, backfill))["done"] == archive.converted == 5
    another = await begin(archive, "hash")
    assert another["id"] != backfill["id"]
    await worked(archive)
    assert ((await seen(archive, another))["total"], archive.converted) == (0, 5)


async def test_new_photos_go_first(archive: Archive) -> None:
    await imported(archive, 3)
    await begin(archive, "quality", "all")
    await feed(archive)
    a_jpeg(archive.photos / "new.jpg", seed=900)
    await archive.scanned(await archive.start())
    rows = await archive.sql(
        "SELECT file_name FROM stage_runs JOIN photos ON photos.id = photo_id WHERE stage = 'convert'"
        " AND state = 'queued' ORDER BY priority, stage_runs.id"
    )
    assert [row["file_name"] for row in rows] == ["new.jpg", "0.jpg", "1.jpg"]


async def test_a_paused_backfill_begins_nothing_more_and_goes_on_where_it_was(archive: Archive) -> None:
    await imported(archive, 5)
    backfill = await begin(archive, "quality", "all")
    await feed(archive)
    (given,) = (await archive.queued())[:1]  # one has a worker, and the other one waits
    await archive.sql(
        "UPDATE stage_runs SET state = 'queued' WHERE run_id <> :run AND state = 'published'", run=given.run_id
    )
    assert (await act(archive, backfill, "pause"))["state"] == "paused"
    await archive.apply(archive.answer([given]))
    await feed(archive)
    assert await archive.queued() == []
    now = await seen(archive, backfill)
    assert (now["done"], now["in_work"], now["state"]) == (1, 1, "paused")
    assert (await act(archive, backfill, "resume"))["state"] == "running"
    await archive.work()
    await worked(archive)
    assert (await seen(archive, backfill))["done"] == 5
    await archive.check_books()


async def test_a_cancelled_backfill_leaves_runs_as_they_were(archive: Archive) -> None:
    await imported(archive, 3)
    before = await archive.sql("SELECT * FROM stage_runs ORDER BY id")
    backfill = await begin(archive, "exif", "all")
    await feed(archive)
    assert (await act(archive, backfill, "cancel"))["state"] == "cancelled"
    assert await archive.sql("SELECT * FROM stage_runs ORDER BY id") == before
    assert await feed(archive) is False
    assert (await act(archive, backfill, "resume"))["state"] == "cancelled"
    await archive.check_books()


async def test_a_cancelled_backfill_of_another_model_begins_anew(archive: Archive) -> None:
    """Else the photos that it had come past would keep the words of the first one."""
    await imported(archive, 3)
    backfill = await begin(archive, "curate", "all")
    await act(archive, backfill, "cancel")
    assert (await begin(archive, "curate", "all"))["id"] == backfill["id"]
    await act(archive, backfill, "cancel")
    async with archive.site.services.sessions.begin() as session:
        anew = await service.begin(session, "curate", ["all"], None, describer="a-better-one")
    assert anew.id != backfill["id"]
    await archive.check_books()


async def test_a_cancelled_backfill_goes_on_where_it_was_unless_it_is_to_begin_anew(archive: Archive) -> None:
    await imported(archive, 7)
    backfill = await begin(archive, "quality", "all")
    archive.converted = 0
    await feed(archive)
    await archive.work()
    await feed(archive)  # two are done, and two wait
    await act(archive, backfill, "cancel")
    again = await begin(archive, "quality", "all")
    assert (again["id"], again["state"], again["done"], again["total"]) == (backfill["id"], "running", 2, 7)
    await worked(archive)
    assert (await seen(archive, backfill))["done"] == archive.converted == 7
    assert (await begin(archive, "quality", "all"))["id"] != backfill["id"], "what came to its end begins again"
    await feed(archive)
    anew = await begin(archive, "quality", "all", from_start=True)
    assert (anew["done"], anew["total"]) == (0, 7)
    await act(archive, anew, "cancel")
    assert (await begin(archive, "quality", "all", from_start=True))["id"] != anew["id"]
    await worked(archive)
    await archive.check_books()


async def test_a_cancelled_backfill_takes_requests_back_that_there_were_not_before(archive: Archive) -> None:
    await imported(archive, 2)
    await archive.sql("DELETE FROM stage_runs WHERE stage = 'embed'")
    backfill = await begin(archive, "embed")
    await feed(archive)
    assert len(await archive.sql("SELECT 1 FROM stage_runs WHERE stage = 'embed' AND priority = 2")) == 2
    await act(archive, backfill, "cancel")
    assert await archive.sql("SELECT 1 FROM stage_runs WHERE stage = 'embed'") == []
    await archive.check_books()


async def test_photos_that_cannot_be_read_any_more_are_counted_as_failed(archive: Archive) -> None:
    await imported(archive, 2)
    (archive.photos / "0.jpg").unlink()
    backfill = await begin(archive, "hash", "all")
    await worked(archive)
    now = await seen(archive, backfill)
    assert (now["done"], now["failed"], now["total"]) == (1, 1, 2)
    assert len(await archive.sql("SELECT 1 FROM photos WHERE preview IS NOT NULL")) == 2


async def test_photos_under_way_and_on_a_drive_that_is_away_are_left_out(archive: Archive) -> None:
    await imported(archive, 2)
    await archive.sql("UPDATE stage_runs SET state = 'queued' WHERE id = (SELECT min(id) FROM stage_runs)")
    backfill = await begin(archive, "hash", "all")
    await feed(archive)
    assert ((await seen(archive, backfill))["skipped"], (await seen(archive, backfill))["in_work"]) == (1, 1)
    await archive.sql("UPDATE roots SET state = 'offline'")
    away = await begin(archive, "quality", "all")
    await feed(archive)
    assert (await seen(archive, away))["in_work"] == 0


async def test_only_photos_in_a_folder_are_done_wherever_its_drive_is_later(archive: Archive, tmp_path: Path) -> None:
    await imported(archive, 2)
    await imported(archive, 1, "Été #1")
    for source, total in [(archive.photos / "Été #1", 1), (archive.photos, 3), (tmp_path, 3)]:
        assert (await begin(archive, "quality", "all", source=str(source)))["total"] == total
    answer = await archive.site.client.post("/api/backfills", json={"kind": "embed", "source": "/nowhere"})
    assert (answer.status_code, answer.json()["error"]["message"]) == (
        404, "No photos of the archive lie in /nowhere.",
    )  # fmt: skip


async def test_conditions_choose_photos(site: Site) -> None:
    """One photo is described and embedded, one was converted long ago and embedded by CLIP, one has nothing yet."""
    known = {"content_hash": "a" * 64, "perceptual_hash": "0" * 16, "camera_model": "Z 6"}
    first, second, _ = await some_photos(
        site,
        {**known, "described_by": "llava", "content_type": "portrait"},
        {**known, "technical_score": None, "content_type": "portrait"},
        {"captured_at": None},
    )
    async with site.services.sessions.begin() as session:
        await embedding.choose(session, site.services.settings)
        newest = await embedding.newest(session)
        for photo, model in ((first, newest), (second, "clip:ViT-L-14/x")):
            session.add(PhotoVector(photo_id=photo.id, model=model, vector=np.ones(768)))
        await factories.a_run(session, second, finished_at=datetime(2023, 6, 1, tzinfo=UTC))
    for kind, where, total in (
        ("embed", ["missing"], 2),
        ("embed", ["model=starter"], 1),
        ("embed", ["model=clip:ViT-L-14/x", "content-type=portrait"], 1),
        ("embed", ["model=clip:other"], 0),
        ("curate", [], 2),
        ("curate", ["model=llava"], 1),
        ("curate", ["all", "content-type=portrait"], 2),
        ("quality", [], 1),
        ("quality", ["older-than=2024-01-01"], 1),
        ("quality", ["older-than=2023-01-01"], 0),
        ("exif", [], 1),
        ("hash", [], 1),
        ("hash", ["all"], 3),
    ):
        answer = await site.client.post("/api/backfills", json={"kind": kind, "where": where})
        assert answer.json()["total"] == total, (kind, where)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"kind": "embed", "where": ["newer"]}, "There is no condition newer. They are: missing, all, model=NAME, "),
        ({"kind": "quality", "where": ["model=llava"]}, "No model makes this: model= is for embed and curate, not"),
        ({"kind": "embed", "where": ["older-than=yesterday"]}, "yesterday is no date. Write it as 2026-01-31."),
        ({"kind": "embed", "where": ["content-type=cats"]}, "There is no content type cats. They are: portrait, "),
        ({"kind": "curate", "where": ["model=a", "model=b"]}, "model= can be named once."),
        ({"kind": "embed", "where": ["\x00"]}, "There is no condition without a name. They are: "),
        ({"kind": "faces"}, "kind: input should be 'embed', 'quality', 'exif', 'hash' or 'curate'."),
        ({"kind": "embed", "source": "photos"}, "Name a folder by its whole path, beginning with /."),
        ({"kind": "embed", "source": "/a\x00b"}, "Name a folder by its whole path, beginning with /."),
    ],
)
async def test_a_wish_that_cannot_be_understood_is_refused(
    archive: Archive, body: dict[str, Any], sentence: str
) -> None:
    as_json = {"content": json.dumps(body), "headers": {"content-type": "application/json"}}
    answer = await archive.site.client.post("/api/backfills", **as_json)
    assert answer.status_code == 422
    assert answer.json()["error"]["message"].startswith(sentence)
    assert await archive.sql("SELECT 1 FROM backfills") == []


async def test_a_backfill_that_this_version_does_not_know_keeps_no_other_from_going_on(archive: Archive) -> None:
    await imported(archive, 1)
    await archive.sql("INSERT INTO backfills (kind, state, last_id, total) VALUES ('faces', 'running', 9, 9)")
    backfill = await begin(archive, "quality", "all")
    with pytest.raises(KeyError):
        await feed(archive)
    assert (await seen(archive, backfill))["in_work"] == 1
    listed = (await archive.site.client.get("/api/backfills")).json()["items"]
    assert [one["id"] for one in listed] == [backfill["id"]]


async def test_a_backfill_says_what_it_waits_for(archive: Archive) -> None:
    await imported(archive, 1)
    await archive.site.client.post("/api/stages/convert/pause")
    backfill = await begin(archive, "quality", "all")
    assert backfill["why"] == "The stage convert is paused. Resume it in the pipeline."
    for _ in range(20):
        newest = await begin(archive, "quality", "missing")
        assert newest["state"] == "done"
    listed = (await archive.site.client.get("/api/backfills")).json()["items"]
    assert [one["id"] for one in listed[:2]] == [backfill["id"], newest["id"]]
    answer = await archive.site.client.post("/api/backfills/999/pause")
    assert (answer.status_code, answer.json()["error"]["message"]) == (404, "There is no backfill with this number.")
