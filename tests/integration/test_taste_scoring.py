"""Scores of the taste: who gets which, when, and why."""

import asyncio

from orchestrator.taste import jobs
from tests.connoisseur import WINDOW_SECONDS, Connoisseur


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
