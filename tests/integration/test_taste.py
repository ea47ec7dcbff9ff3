"""Learning a taste: when it is trained, what comes into force, and that every photo is scored by it."""

from pathlib import Path

from orchestrator.models import TasteModel
from orchestrator.taste.scoring import IN_FLIGHT
from shared.claims import path_of
from tests.connoisseur import WINDOW_SECONDS, Connoisseur


async def test_nineteen_ratings_train_nothing_and_the_twentieth_does(person: Connoisseur) -> None:
    photos = await person.photos(30)
    await person.rate(photos[:19])
    await person.turn()
    seen = await person.taste()
    assert (seen["n"], seen["needed"], seen["state"], seen["model"]) == (19, 1, "waiting", None)
    assert seen["sentence"].startswith("1 more rating, and Keepers begins to learn your taste.")
    refused = await person.site.client.post("/api/taste/train")
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "too_few_ratings")
    await person.rate(photos[19:20])
    await person.turn()
    assert (await person.taste())["state"] == "training"


async def test_a_training_comes_into_force_and_every_photo_is_scored_by_it(person: Connoisseur) -> None:
    photos = await person.photos(60)
    await person.rate(photos[:40])
    assert await person.train() == 1
    await person.settle()
    seen = await person.seen(lambda taste: taste["rescored"] == 60)
    assert (seen["state"], seen["activation"], seen["total"]) == ("idle", 1, 60)
    assert seen["model"]["n"] == 40
    assert sum(seen["histogram"]) == 60
    assert await person.activations() == {1: 60}
    low, high = seen["model"]["interval"]
    assert seen["is_trusted"] == (low > 0.5)
    assert low <= seen["model"]["pair_order"] <= high
    assert await person.sql("SELECT 1 FROM stage_runs WHERE stage IN ('train', 'score')") == []
    assert list((person.site.claims.folder / "taste/jobs").iterdir()) == []


async def test_rated_photos_carry_what_was_predicted_without_their_own_rating(person: Connoisseur) -> None:
    photos = await person.photos(40)
    await person.rate(photos)
    await person.train()
    await person.settle()
    async with person.site.session() as session:
        version = await session.get(TasteModel, 1)
    assert version is not None
    taste = await person.site.services.artifacts.load(version)
    rows = await person.sql("SELECT preference_score AS s FROM photos ORDER BY id")
    assert [row["s"] for row in rows] == taste.out_of_fold_scores().tolist()
    assert [row["s"] for row in rows] != taste.scores(taste.vectors).tolist()


async def test_ratings_given_during_a_training_are_in_the_next_one_a_window_later(person: Connoisseur) -> None:
    photos = await person.photos(40)
    await person.rate(photos[:25])
    await person.turn()
    answers = await person.answers("train")
    await person.rate(photos[25:30])
    await person.apply(answers)
    await person.turn()
    assert (await person.taste())["model"]["n"] == 25
    person.wait(WINDOW_SECONDS - 30)
    await person.rate(photos[30:31])  # does not push it back
    await person.turn()
    assert (await person.taste())["state"] != "training"
    person.wait(31)
    assert await person.train() == 2
    assert (await person.taste())["model"]["n"] == 31
    assert (await person.state())["due_at"] is None


async def test_two_hours_of_ratings_train_in_every_window(person: Connoisseur) -> None:
    window_seconds, ratings = 600, 24
    person.restart(window_seconds=window_seconds)
    photos = await person.photos(20 + ratings)
    await person.rate(photos[:20])
    assert await person.train() == 1
    for photo_id in photos[20:]:
        person.wait(2 * 3600 / ratings)
        await person.rate([photo_id])  # more often than the window is long, all the time
        await person.turn()
        await person.work("train")
        await person.turn()
    (row,) = await person.sql("SELECT count(*) AS n FROM taste_models WHERE state = 'ready'")
    assert row["n"] == 1 + 2 * 3600 / window_seconds
    assert (await person.taste())["model"]["n"] == len(photos)


async def test_asking_twice_trains_once_and_does_not_wait_for_the_window(person: Connoisseur) -> None:
    photos = await person.photos(30)
    await person.rate(photos[:20])
    await person.train()
    await person.settle()
    await person.rate(photos[20:22])
    await person.turn()
    assert (await person.taste())["state"] == "due"
    for _ in range(2):
        assert (await person.site.client.post("/api/taste/train")).status_code == 200
    await person.turn()
    assert (await person.site.client.post("/api/taste/train")).json()["state"] == "training"
    assert await person.work("train") == 1
    await person.turn()
    await person.turn()
    assert (await person.taste())["model"]["version"] == 2
    assert await person.work("train") == 0


async def test_killed_before_every_step_it_goes_on_and_the_model_in_force_stays(person: Connoisseur) -> None:
    photos = await person.photos(45)
    await person.rate(photos[:40])
    await person.train()
    await person.settle()
    await person.rate(photos[40:])
    person.wait(WINDOW_SECONDS)
    path = [person.turn, lambda: person.work("train"), person.turn, lambda: person.work("score"), person.turn]
    for number, step in enumerate(path):
        person.restart()
        await step()
        assert (await person.taste())["model"]["version"] == (1 if number < 2 else 2)
    assert await person.activations() == {2: 45}


async def test_an_older_version_is_restored_in_the_middle_of_a_re_score(person: Connoisseur) -> None:
    person.restart(per_batch=7)
    photos = await person.photos(100)
    await person.rate(photos[:20])
    await person.train()
    await person.settle()
    await person.rate(photos[20:25])
    person.wait(WINDOW_SECONDS)
    assert await person.train() == 2
    late = await person.answers("score")
    assert len(late) == IN_FLIGHT
    await person.apply(late[:1])
    answer = await person.site.client.post("/api/taste/1/activate")
    assert answer.json()["model"]["version"] == 1
    await person.apply(late[1:])
    person.restart()
    await person.settle()
    assert await person.activations() == {3: 100}
    assert (await person.taste())["state"] == "idle"
    assert await person.sql("SELECT 1 FROM stage_runs WHERE stage = 'score'") == []


async def test_a_model_whose_file_is_gone_or_cut_short_cannot_be_used(person: Connoisseur) -> None:
    photos = await person.photos(30)
    await person.rate(photos[:20])
    await person.train()
    await person.rate(photos[20:22])
    await person.site.client.post("/api/taste/train")
    await person.train()
    await person.settle()
    old = await _artifact(person, 1)
    old.write_bytes(old.read_bytes()[:-100])
    refused = await person.site.client.post("/api/taste/1/activate")
    assert refused.status_code == 409
    assert refused.json()["error"]["message"] == "The file of version 1 is damaged. It cannot be used."
    old.unlink()
    refused = await person.site.client.post("/api/taste/1/activate")
    assert refused.json()["error"]["message"] == "The file of version 1 is not there any more. It cannot be used."
    assert (await person.taste())["model"]["version"] == 2
    unknown = await person.site.client.post("/api/taste/99/activate")
    assert unknown.status_code == 404


async def test_a_model_in_force_that_loses_its_file_is_trained_again_at_once(person: Connoisseur) -> None:
    photos = await person.photos(30)
    await person.rate(photos[:20])
    await person.train()
    await person.settle()
    before = await person.sql("SELECT preference_score FROM photos ORDER BY id")
    (await _artifact(person, 1)).unlink()
    await person.turn()
    seen = await person.taste()
    assert seen["state"] == "training"
    why = await person.site.client.get(f"/api/photos/{photos[-1]}/why")
    assert why.status_code == 409
    assert await person.sql("SELECT preference_score FROM photos ORDER BY id") == before
    assert await person.work("train") == 1
    await person.turn()
    assert (await person.taste())["model"]["version"] == 2


async def test_a_training_that_fails_leaves_the_model_and_is_tried_again_a_few_times(person: Connoisseur) -> None:
    photos = await person.photos(30)
    await person.rate(photos[:20])
    await person.train()
    await person.settle()
    await person.rate(photos[20:22])
    for _ in range(6):
        person.wait(WINDOW_SECONDS)
        await person.turn()
        await person.sql(
            "UPDATE stage_runs SET state = 'failed', error = 'The worker died.'"
            " WHERE stage = 'train' AND state = 'queued'"
        )
        await person.turn()
    seen = await person.taste()
    assert seen["model"]["version"] == 1
    assert [version["state"] for version in seen["versions"]] == ["failed", "failed", "failed", "ready"]
    assert seen["problem"] == "The worker died."
    await person.rate(photos[22:23])
    assert await person.train() == 5
    assert await person.sql("SELECT 1 FROM stage_runs WHERE stage = 'train'") == []


async def test_a_training_whose_run_is_lost_is_started_again(person: Connoisseur) -> None:
    photos = await person.photos(20)
    await person.rate(photos)
    await person.turn()
    await person.sql("DELETE FROM stage_runs WHERE stage = 'train'")
    person.wait(WINDOW_SECONDS)
    await person.turn()
    assert await person.train() == 2


async def test_ratings_that_are_all_equal_give_a_model_that_nobody_trusts(person: Connoisseur) -> None:
    photos = await person.photos(30)
    await person.rate(photos[:25], stars=4)
    await person.train()
    await person.settle()
    seen = await person.taste()
    assert seen["sentence"].startswith("All 25 ratings are alike")
    assert not seen["is_trusted"]
    items = (await person.site.client.get("/api/photos")).json()["items"]
    assert not any(item["is_match"] for item in items)


async def test_ratings_without_a_pattern_are_called_guessing_and_make_no_match(person: Connoisseur) -> None:
    photos = await person.photos(30)
    for place, photo_id in enumerate(photos):
        await person.rate([photo_id], stars=1 + place % 5)
    await person.train()
    await person.settle()
    seen = await person.taste()
    assert not seen["is_trusted"]
    assert "not yet better than guessing" in seen["sentence"]
    items = (await person.site.client.get("/api/photos")).json()["items"]
    assert not any(item["is_match"] for item in items)


async def test_a_rating_whose_vector_comes_later_is_learned_from_then(person: Connoisseur) -> None:
    photos = await person.photos(25)
    (late,) = await person.photos(1, has_vector=False)
    await person.rate(photos)
    await person.rate([late], stars=5)
    await person.train()
    await person.settle()
    assert (await person.state())["due_at"] is None
    await person.embedded(late)
    await person.turn()
    assert (await person.state())["due_at"] is not None
    person.wait(WINDOW_SECONDS)
    await person.settle()
    await person.work("train")
    await person.settle()
    assert (await person.taste())["model"]["n"] == 26
    assert await person.activations() == {2: 26}


async def _artifact(person: Connoisseur, version: int) -> Path:
    (row,) = await person.sql("SELECT artifact FROM taste_models WHERE version = :v", v=version)
    return person.site.claims.folder / path_of(row["artifact"])
