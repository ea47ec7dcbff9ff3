"""Learning a taste: when it is trained, what comes into force, and that every photo is scored by it."""

import asyncio
from pathlib import Path

from orchestrator.models import TasteModel
from orchestrator.taste import jobs
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


async def test_a_new_photo_is_scored_when_its_vector_lands_and_its_card_is_told(person: Connoisseur) -> None:
    photos = await person.photos(25)
    await person.rate(photos)
    await person.train()
    await person.settle()
    (new,) = await person.photos(1, has_vector=False)
    await person.embedded(new)
    await person.turn()
    await person.sql("DELETE FROM events")
    assert await person.work("score") == 1
    (event,) = await person.sql("SELECT data FROM events WHERE kind = 'photos'")
    assert event["data"] == {"ids": [new]}
    assert (await person.state())["due_at"] is None


async def test_a_whole_re_score_gives_one_notice_at_its_end(person: Connoisseur) -> None:
    person.restart(per_batch=10)
    photos = await person.photos(80)
    await person.rate(photos[:20])
    await person.train()
    await person.sql("DELETE FROM events")
    await person.settle()
    told = await person.sql("SELECT kind, data FROM events WHERE kind = 'taste' OR data <> '{\"ids\": []}'")
    assert told == [{"kind": "taste", "data": {"ids": [1]}}]


async def test_a_photo_whose_stars_are_cleared_is_scored_again(person: Connoisseur) -> None:
    photos = await person.photos(30)
    await person.rate(photos[:25])
    await person.train()
    await person.settle()
    await person.site.client.patch(f"/api/photos/{photos[0]}", json={"user_rating": None})
    person.wait(WINDOW_SECONDS)
    await person.train()
    await person.settle()
    assert (await person.taste())["model"]["n"] == 24
    assert await person.activations() == {2: 30}


async def test_another_embedding_model_is_learned_anew_and_never_judged_by_the_old_taste(person: Connoisseur) -> None:
    photos = await person.photos(30)
    await person.rate(photos[:25])
    await person.train()
    await person.settle()
    await person.sql("UPDATE embedding_models SET state = 'retired'")
    await person.sql("INSERT INTO embedding_models (name, state) VALUES ('clip:new', 'current')")
    await person.sql("INSERT INTO photo_vectors SELECT photo_id, 'clip:new', vector FROM photo_vectors")
    await person.sql("UPDATE photos SET score_activation = 0 WHERE id = :id", id=photos[-1])
    await person.turn()
    assert await person.work("score") == 0
    assert await person.work("train") == 1
    await person.turn()
    seen = await person.taste()
    assert (seen["model"]["version"], seen["model"]["embedding_model"]) == (2, "clip:new")
    refused = await person.site.client.post("/api/taste/1/activate")
    assert refused.json()["error"]["type"] == "other_embeddings"
    await person.settle()
    assert await person.activations() == {2: 30}


async def test_a_batch_that_fails_is_passed_over_and_can_be_tried_again(person: Connoisseur) -> None:
    person.restart(per_batch=10)
    photos = await person.photos(60)
    await person.rate(photos[:20])
    await person.train()
    await person.sql(
        "UPDATE stage_runs SET state = 'failed' WHERE id = (SELECT min(id) FROM stage_runs WHERE stage = 'score')"
    )
    await person.settle()
    assert await person.activations() == {None: 10, 1: 50}
    await person.sql("UPDATE stage_runs SET state = 'queued' WHERE stage = 'score' AND state = 'failed'")
    await person.settle()
    assert await person.activations() == {1: 60}


async def test_two_orchestrators_start_one_training(person: Connoisseur) -> None:
    photos = await person.photos(20)
    await person.rate(photos)
    first = person.keeper
    person.restart()
    await asyncio.gather(first.turn(), person.turn())
    assert await person.work("train") == 1
    assert await person.sql("SELECT version FROM taste_models") == [{"version": 1}]


async def test_a_photo_that_is_rated_while_its_batch_is_out_takes_that_score(person: Connoisseur) -> None:
    photos = await person.photos(30)
    await person.rate(photos[:20])
    await person.train()
    answers = await person.answers("score")
    await person.rate(photos[20:])
    await person.apply(answers)
    await person.settle()
    assert await person.activations() == {1: 30}
    assert await person.sql("SELECT 1 FROM photos WHERE preference_score IS NULL") == []


async def test_why_names_the_photos_that_pull_most_each_way(person: Connoisseur) -> None:
    photos = await person.photos(41)
    await person.rate(photos[:40])
    await person.train()
    await person.settle()
    seen = (await person.site.client.get(f"/api/photos/{photos[40]}/why")).json()
    (row,) = await person.sql("SELECT preference_score AS s FROM photos WHERE id = :id", id=photos[40])
    assert (seen["score"], seen["version"], seen["note"]) == (row["s"], 1, None)
    up, down = ([pull["pull"] for pull in seen[way]] for way in ("up", "down"))
    assert len(up) == len(down) == 3
    assert up == sorted(up, reverse=True)
    assert down == sorted(down)
    assert up[-1] > 0 > down[-1]
    assert all(pull["photo"]["user_rating"] for pull in [*seen["up"], *seen["down"]])
    own = (await person.site.client.get(f"/api/photos/{photos[0]}/why")).json()
    assert own["note"].startswith("You gave this photo")
    assert photos[0] not in [pull["photo"]["id"] for pull in [*own["up"], *own["down"]]]
    (row,) = await person.sql("SELECT preference_score AS s FROM photos WHERE id = :id", id=photos[0])
    assert own["score"] == row["s"]


async def test_why_says_what_is_missing(person: Connoisseur) -> None:
    photos = await person.photos(20)
    (unseen,) = await person.photos(1, has_vector=False)
    early = await person.site.client.get(f"/api/photos/{photos[0]}/why")
    assert (early.status_code, early.json()["error"]["type"]) == (409, "no_model")
    await person.rate(photos)
    await person.train()
    for photo_id, type_ in ((unseen, "no_vector"), (10**9, "unknown_photo")):
        refused = await person.site.client.get(f"/api/photos/{photo_id}/why")
        assert refused.json()["error"]["type"] == type_


async def test_a_slip_of_the_finger_is_the_first_disagreement(person: Connoisseur) -> None:
    photos = await person.photos(80)
    await person.rate(photos)
    (best,) = await person.sql("SELECT id FROM photos WHERE user_rating = 5 LIMIT 1")
    await person.rate([best["id"]], stars=1)
    await person.train()
    await person.settle()
    rows = (await person.site.client.get("/api/taste/photos")).json()
    assert rows["disagrees"][0]["id"] == best["id"]
    assert [p["preference_score"] for p in rows["loves"]] == sorted(
        (p["preference_score"] for p in rows["loves"]), reverse=True
    )
    assert rows["rejects"][0]["preference_score"] < rows["loves"][0]["preference_score"]


async def test_the_page_says_that_the_person_has_paused_it(person: Connoisseur) -> None:
    photos = await person.photos(20)
    await person.rate(photos)
    await person.turn()
    await person.sql("INSERT INTO stage_pauses (stage) VALUES ('train')")
    assert (await person.taste())["problem"] == "You have paused this: it goes on when you resume it."


async def test_claims_that_no_run_names_are_removed(person: Connoisseur) -> None:
    claims = person.site.claims
    claims.put("taste/jobs/score-left.npz", b"by one that was killed")
    await jobs.remove_orphans(person.site.services.sessions, claims)
    assert claims.verify("taste/jobs/score-left.npz")
    await jobs.remove_orphans(person.site.services.sessions, claims, older_than_seconds=0)
    assert not claims.verify("taste/jobs/score-left.npz")


async def _artifact(person: Connoisseur, version: int) -> Path:
    (row,) = await person.sql("SELECT artifact FROM taste_models WHERE version = :v", v=version)
    return person.site.claims.folder / path_of(row["artifact"])
