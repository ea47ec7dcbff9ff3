"""Bursts are looked for in the archive's rows, when it is time, and taken in with as few changes as possible."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from orchestrator.bursts import detection
from orchestrator.models import Photo, StageRun
from shared.contracts.answers import Failed, Failure
from tests import factories
from tests.frames import look
from tests.shoot import Shoot


async def test_a_search_groups_what_was_taken_together_and_looks_alike(shoot: Shoot) -> None:
    burst = await shoot.photos(0, 0.25, 0.5)
    await shoot.photo(0.75, degrees=90)
    await shoot.photo(400)
    await shoot.search()
    found = await shoot.bursts()
    assert found["totals"] == {"photos": 3, "groups": 1, "brackets": 0}
    (item,) = found["items"]
    assert (item["kind"], item["size"], [frame["id"] for frame in item["frames"]]) == ("burst", 3, burst)
    assert item["started_at"] == "2024-05-04T10:00:00"
    assert item["frames"][1]["captured_at"] == "2024-05-04T10:00:00.250000"
    assert item["frames"][0]["thumbnail_url"]
    assert (await shoot.card(burst[0]))["burst"] == {"id": item["id"], "kind": "burst", "size": 3, "is_best": True}


async def test_single_photos_are_never_handed_to_a_worker(shoot: Shoot) -> None:
    pair = await shoot.photos(0, 4)
    await shoot.photos(10, 20, 30)
    await shoot.photo(1, captured_at=None)
    await shoot.photo(1, camera_model="another camera")
    await shoot.site.client.post("/api/bursts/detect")
    await shoot.tick()
    (row,) = await shoot.sql("SELECT request FROM stage_runs WHERE stage = 'bursts'")
    with shoot.site.claims.open(row["request"]["file_path"]) as file, np.load(file) as columns:
        assert columns["photo_ids"].tolist() == pair
        assert columns["vectors"].dtype == np.float16
        assert np.allclose(columns["vectors"], np.tile(look(0), (2, 1)))
        assert np.isnan(columns["exposure_bias_ev"]).all()


async def test_photos_without_a_capture_time_are_in_no_burst(shoot: Shoot) -> None:
    await shoot.photos(0, 1, captured_at=None)
    await shoot.search()
    assert (await shoot.bursts())["totals"]["groups"] == 0


async def test_rejected_and_removed_photos_take_no_part(shoot: Shoot) -> None:
    stays = await shoot.photos(0, 1)
    await shoot.photo(0.5, rejected_at=factories.minutes_ago(1))
    await shoot.photo(0.6, deleted_at=factories.minutes_ago(1))
    await shoot.search()
    assert await shoot.groups() == [stays]


async def test_a_bracket_is_labelled(shoot: Shoot) -> None:
    for second, bias in enumerate((0, -1, 1)):
        await shoot.photo(second, exposure_bias_ev=bias)
    await shoot.search()
    assert (await shoot.only())["kind"] == "bracket"
    assert (await shoot.bursts())["totals"]["brackets"] == 1


async def test_gap_and_likeness_can_be_set_and_hold_until_they_are_set_again(shoot: Shoot) -> None:
    await shoot.photo(0)
    await shoot.photo(8)
    await shoot.photo(9, degrees=28)  # a cosine of .88
    await shoot.search()
    assert len((await shoot.only())["frames"]) == 2
    await shoot.search(gap_seconds=10)
    assert len((await shoot.only())["frames"]) == 3
    await shoot.search(least_cosine=0.9)
    assert len((await shoot.only())["frames"]) == 2
    search = (await shoot.bursts())["search"]
    assert (search["gap_seconds"], search["least_cosine"], search["is_own_cosine"]) == (10, 0.9, True)
    await shoot.search(least_cosine=None)
    assert len((await shoot.only())["frames"]) == 3
    assert (await shoot.bursts())["search"]["is_own_cosine"] is False


async def test_a_likeness_chosen_for_one_embedder_is_not_used_for_another(shoot: Shoot) -> None:
    await shoot.search(least_cosine=1.0)
    await shoot.sql("UPDATE embedding_models SET name = 'clip:ViT-L-14/laion2b_s32b_b82k'")
    assert (await shoot.bursts())["search"]["least_cosine"] == 0.95


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"gap_seconds": 301}, "gap_seconds"),
        ({"gap_seconds": -1}, "gap_seconds"),
        ({"least_cosine": 0.7}, "least_cosine"),
        ({"least_cosine": "very"}, "least_cosine"),
        ({"gap": 5}, "gap"),
    ],
)
async def test_a_wish_out_of_range_is_refused_with_a_sentence(shoot: Shoot, wish: dict[str, Any], field: str) -> None:
    status, kind, message = await shoot.refusal("/api/bursts/detect", **wish)
    assert (status, kind) == (422, "invalid")
    assert message.startswith(f"{field}: ")


async def test_a_list_of_bursts_comes_in_pages(shoot: Shoot) -> None:
    for minute in range(5):
        await shoot.photos(60 * minute, 60 * minute + 1)
    await shoot.search()
    seen: list[str] = []
    after: str | None = None
    while True:
        page = await shoot.bursts(limit=2, **({"after": after} if after else {}))
        seen += [item["started_at"][-5:] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert seen == ["04:00", "03:00", "02:00", "01:00", "00:00"]


async def test_a_long_burst_is_shown_in_part_in_a_list_and_in_full_by_its_number(shoot: Shoot) -> None:
    frames = await shoot.photos(*range(35))
    sharp = await shoot.photo(35, sharpness_score=99)
    await shoot.search()
    item = await shoot.only()
    assert [frame["id"] for frame in item["frames"]] == [*frames[:30], sharp]
    assert item["size"] == 36
    one = (await shoot.site.client.get(f"/api/bursts/{item['id']}")).json()
    assert [frame["id"] for frame in one["frames"]] == [*frames, sharp]


# When


async def test_a_search_waits_until_imports_and_their_vectors_are_settled(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1)
    async with shoot.site.services.sessions.begin() as session:
        await detection.request_around(session, photos)
        photo = await session.get_one(Photo, photos[0])
        waiting: StageRun = await factories.a_run(session, photo, "embed", state="queued")
    await shoot.tick()
    assert await shoot.sql("SELECT 1 FROM stage_runs WHERE stage = 'bursts'") == []
    await shoot.sql("UPDATE stage_runs SET state = 'done' WHERE id = :id", id=waiting.id)
    await shoot.tick()
    assert len(await shoot.sql("SELECT 1 FROM stage_runs WHERE stage = 'bursts' AND state = 'queued'")) == 1


@pytest.mark.parametrize("why", ["the import is paused", "the stage is paused", "the drive is away"])
async def test_what_may_wait_for_ever_is_not_waited_for(shoot: Shoot, why: str) -> None:
    photos = await shoot.photos(0, 1)
    async with shoot.site.services.sessions.begin() as session:
        await detection.request_around(session, photos)
        paused = await factories.an_import(session, shoot.root, state="paused" if "import" in why else "running")
        state = "held" if "drive" in why else "queued"
        photo = await session.get_one(Photo, photos[0])
        await factories.a_run(session, photo, "embed", state=state, import_id=paused.id)
        if "stage" in why:
            await session.execute(text("INSERT INTO stage_pauses (stage) VALUES ('embed')"))
    await shoot.tick()
    assert len(await shoot.sql("SELECT 1 FROM stage_runs WHERE stage = 'bursts'")) == 1


async def test_one_search_runs_at_a_time_and_a_wish_meanwhile_is_not_lost(shoot: Shoot) -> None:
    await shoot.photos(0, 1)
    await shoot.site.client.post("/api/bursts/detect")
    await shoot.tick()
    runs = "SELECT run_id, request->>'gap_seconds' AS gap FROM stage_runs WHERE stage = 'bursts'"
    first = await shoot.sql(runs)
    await shoot.site.client.post("/api/bursts/detect", json={"gap_seconds": 10})
    await shoot.tick()
    assert await shoot.sql(runs) == first
    await shoot.work()
    await shoot.tick()
    (second,) = await shoot.sql(runs)
    assert (second["run_id"] != first[0]["run_id"], second["gap"]) == (True, "10.0")
    await shoot.work()
    await shoot.tick()
    assert not (await shoot.bursts())["search"]["is_running"]


async def test_a_search_that_failed_is_not_repeated_for_the_same_wish_and_blocks_no_other(shoot: Shoot) -> None:
    await shoot.photos(0, 1)
    await shoot.site.client.post("/api/bursts/detect")
    await shoot.tick()
    (row,) = await shoot.sql("SELECT run_id FROM stage_runs WHERE stage = 'bursts'")
    failure = Failure(op="bursts", error_type="Bug", message="It went wrong.")
    failed = Failed(stage="bursts", run_id=row["run_id"], attempt=3, max_attempts=3, final=True, failure=failure)
    await shoot.answer(failed.model_dump_json(), row["run_id"])
    await shoot.tick()
    assert [row["state"] for row in await shoot.sql("SELECT state FROM stage_runs WHERE stage = 'bursts'")] == [
        "failed"
    ]
    assert not (await shoot.bursts())["search"]["is_running"]
    await shoot.search()
    assert (await shoot.bursts())["totals"]["groups"] == 1


async def test_an_answer_that_was_not_taken_in_before_a_kill_is_taken_in_after_it(shoot: Shoot) -> None:
    await shoot.photos(0, 1)
    await shoot.site.client.post("/api/bursts/detect")
    await shoot.tick()
    await shoot.work()
    assert (await shoot.bursts())["totals"]["groups"] == 0
    await shoot.tick()
    assert (await shoot.bursts())["totals"]["groups"] == 1


async def test_a_finding_that_was_lost_on_disk_stops_nothing(shoot: Shoot) -> None:
    await shoot.photos(0, 1)
    await shoot.site.client.post("/api/bursts/detect")
    await shoot.tick()
    await shoot.work()
    for path in (shoot.site.claims.folder / "bursts").glob("found-*"):
        path.write_bytes(b"bit rot")
    await shoot.tick()
    assert (await shoot.bursts())["totals"]["groups"] == 0
    await shoot.search()
    assert (await shoot.bursts())["totals"]["groups"] == 1


async def test_the_files_of_a_search_go_when_it_is_over(shoot: Shoot) -> None:
    await shoot.photos(0, 1)
    await shoot.search()
    await shoot.tick()
    assert await shoot.frame_files() == []


async def test_an_archive_without_neighbours_needs_no_worker(shoot: Shoot) -> None:
    await shoot.photos(0, 100, 200)
    await shoot.site.client.post("/api/bursts/detect")
    await shoot.tick()
    assert await shoot.sql("SELECT 1 FROM stage_runs WHERE stage = 'bursts'") == []
    assert not (await shoot.bursts())["search"]["is_running"]


# Finding again


async def test_a_burst_keeps_its_number_when_a_frame_joins_or_leaves(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1, 2)
    await shoot.search()
    before = (await shoot.only())["id"]
    late = await shoot.photo(3)
    await shoot.search()
    assert ((await shoot.only())["id"], await shoot.groups()) == (before, [[*photos, late]])
    await shoot.sql("UPDATE photos SET captured_at = NULL WHERE id = :id", id=photos[0])
    await shoot.search()
    assert ((await shoot.only())["id"], await shoot.groups()) == (before, [[*photos[1:], late]])
    assert (await shoot.card(photos[0]))["burst"] is None


async def test_a_burst_that_falls_apart_leaves_its_number_to_the_larger_part(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 2, 8, 9, 10)
    await shoot.search(gap_seconds=10)
    before = (await shoot.only())["id"]
    await shoot.search(gap_seconds=5)
    assert await shoot.groups() == [photos[:2], photos[2:]]
    small, large = reversed((await shoot.bursts())["items"])
    assert large["id"] == before != small["id"]


async def test_finding_the_same_again_changes_no_row(shoot: Shoot) -> None:
    await shoot.photos(0, 1, 50, 51)
    await shoot.search()
    rows = "SELECT id, xmin::text FROM photos UNION ALL SELECT id, xmin::text FROM bursts ORDER BY 1, 2"
    before = await shoot.sql(rows)
    await shoot.search()
    assert await shoot.sql(rows) == before


async def test_a_photo_rejected_while_bursts_are_looked_for_joins_none(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1)
    await shoot.site.client.post("/api/bursts/detect")
    await shoot.tick()
    await shoot.post(f"/api/photos/{photos[0]}/reject")
    await shoot.work()
    await shoot.tick()
    assert (await shoot.bursts())["totals"]["groups"] == 0


async def test_pages_are_told_of_the_bursts_and_photos_that_changed(shoot: Shoot) -> None:
    photos = await shoot.photos(0, 1)
    await shoot.search()
    told = dict(await _events(shoot))
    assert told["bursts"] == [(await shoot.only())["id"]]
    assert told["photos"] == photos


async def _events(shoot: Shoot) -> Sequence[tuple[str, list[int]]]:
    rows = await shoot.sql("SELECT kind, data FROM events WHERE kind IN ('bursts', 'photos') ORDER BY id")
    return [(row["kind"], row["data"]["ids"]) for row in rows if row["data"]["ids"]]
