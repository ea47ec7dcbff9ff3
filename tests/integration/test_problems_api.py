"""Dead letters by cause, and what can be done about them: retry, discard, reopen; one, those of a cause, all."""

import asyncio
import uuid
from typing import Any

import pytest
from sqlalchemy import text

from orchestrator.models import DeadLetter, Photo, StageRun
from tests import factories
from tests.site import Site


async def a_failed_photo(site: Site, stage: str = "convert", **fields: Any) -> tuple[Photo, StageRun, DeadLetter]:
    """One whose stage failed for good, with its letter."""
    async with site.session() as session:
        root = await factories.a_root(session, f"/{uuid.uuid4().hex}")
        photo = await factories.a_photo(session, root)
        run = await factories.a_run(session, photo, stage, state="failed", error="It is broken.", error_type="Broken")
        letter = await factories.a_dead_letter(session, photo, run_id=run.run_id, stage=stage, **fields)
        await session.commit()
    return photo, run, letter


async def a_failed_job(site: Site, stage: str = "train") -> tuple[StageRun, DeadLetter]:
    async with site.session() as session:
        run = StageRun(
            stage=stage, subject="all", run_id=uuid.uuid4(), state="failed", error="No.", error_type="Broken"
        )
        session.add(run)
        letter = await factories.a_dead_letter(session, None, run_id=run.run_id, stage=stage, subject="all")
        await session.commit()
    return run, letter


async def a_stray(site: Site) -> DeadLetter:
    """A message that Keepers did not publish."""
    async with site.session() as session:
        letter = await factories.a_dead_letter(session, None, run_id=None, error_type="Undecodable", body=b"\xff")
        await session.commit()
    return letter


async def post(site: Site, address: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await site.client.post(f"/api/dead-letters/{address}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def refused(site: Site, address: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    answer = await site.client.post(f"/api/dead-letters/{address}", json=body)
    return answer.status_code, answer.json()["error"]["message"]


async def states(site: Site, table: str = "dead_letters") -> list[str]:
    async with site.session() as session:
        return list((await session.execute(text(f"SELECT state FROM {table} ORDER BY id"))).scalars())


async def causes(site: Site, question: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await site.client.get(f"/api/dead-letters/causes{question}")).json()["items"]
    return items


async def problems(site: Site) -> int:
    return int((await site.client.get("/api/stages")).json()["problems"])


async def test_letters_are_grouped_by_cause_largest_first(site: Site) -> None:
    for status in (503, 0, 503):
        await a_failed_photo(site, "embed", error_type="TimedOut", status=status, message=f"It said {status}.")
    newest, _, _ = await a_failed_photo(site, "embed", error_type="TimedOut", status=503, message="The newest.")
    await a_failed_photo(site, "convert", error_type="TimedOut")
    first, *others = await causes(site)
    assert (first["stage"], first["error_type"], first["status"], first["count"]) == ("embed", "TimedOut", 503, 3)
    assert (first["message"], first["photos"][0]["id"], first["can_requeue"]) == ("The newest.", newest.id, True)
    assert first["advice"] != others[0]["advice"]
    assert [(cause["stage"], cause["status"], cause["count"]) for cause in others] == [
        ("convert", 0, 1),
        ("embed", 0, 1),
    ]


async def test_a_cause_shows_a_dozen_photos_of_however_many(site: Site) -> None:
    async with site.session() as session:
        root = await factories.a_root(session)
        for n in range(30):
            photo = await factories.a_photo(session, root, f"{n}.jpg")
            await factories.a_dead_letter(session, photo)
        await session.commit()
    (cause,) = await causes(site)
    assert (cause["count"], len(cause["photos"]), cause["photos"][0]["file_name"]) == (30, 12, "29.jpg")


@pytest.mark.parametrize(
    ("question", "count"), [("?stage=embed", 1), ("?error_type=CorruptFile", 2), ("?status=503", 1)]
)
async def test_causes_are_filtered(site: Site, question: str, count: int) -> None:
    await a_failed_photo(site, "convert")
    await a_failed_photo(site, "embed", status=503)
    assert sum(cause["count"] for cause in await causes(site, question)) == count
    page = await site.client.get(f"/dead-letters{question}")
    assert page.text.count('<li class="failure letter"') == count


async def test_a_letter_put_back_is_a_new_run_and_no_problem(site: Site) -> None:
    _, run, letter = await a_failed_photo(site)
    assert await problems(site) == 1
    assert await post(site, f"{letter.id}/requeue") == {"requeued": 1}
    assert (await states(site), await states(site, "stage_runs"), await problems(site)) == (["requeued"], ["queued"], 0)
    async with site.session() as session:
        (again,) = (await session.execute(text("SELECT run_id, error FROM stage_runs"))).all()
    assert (again.run_id != run.run_id, again.error) == (True, None)
    assert await post(site, f"{letter.id}/requeue") == {"requeued": 0}  # a double click


async def test_the_letters_of_jobs_are_put_back_too(site: Site) -> None:
    _, letter = await a_failed_job(site)
    assert await post(site, "requeue", {"stage": "train"}) == {"requeued": 1}
    assert (await states(site, "stage_runs"), (await states(site))) == (["queued"], ["requeued"])
    assert (await site.client.get(f"/api/dead-letters/{letter.id}")).json()["state"] == "requeued"


async def test_a_message_without_a_run_can_only_be_discarded(site: Site) -> None:
    letter = await a_stray(site)
    assert not (await causes(site))[0]["can_requeue"]
    status, sentence = await refused(site, f"{letter.id}/requeue")
    assert (status, sentence) == (
        409,
        "This message belongs to no photo and no job of Keepers: it can only be discarded.",
    )
    assert await post(site, "requeue") == {"requeued": 0}
    assert await states(site) == ["open"]
    assert (await post(site, f"{letter.id}/discard"))["discarded"] == 1
    assert await states(site) == ["discarded"]


async def test_what_an_import_tries_anew_is_not_tried_twice(site: Site) -> None:
    _, _, letter = await a_failed_photo(site)
    async with site.session() as session:
        await session.execute(text("UPDATE stage_runs SET run_id = gen_random_uuid(), state = 'published'"))
        await session.commit()
    assert (await refused(site, f"{letter.id}/requeue"))[0] == 409
    assert (await states(site), await states(site, "stage_runs")) == (["resolved"], ["published"])


async def test_a_filtered_set_is_put_back_and_the_rest_left(site: Site) -> None:
    await a_failed_photo(site, "convert")
    await a_failed_photo(site, "embed", error_type="TimedOut", status=503)
    await a_failed_photo(site, "embed", error_type="TimedOut")
    assert await post(site, "requeue", {"stage": "embed", "error_type": "TimedOut", "status": 503}) == {"requeued": 1}
    assert await states(site) == ["open", "requeued", "open"]
    assert await post(site, "requeue", {"stage": "embed"}) == {"requeued": 1}
    assert await post(site, "requeue") == {"requeued": 1}
    assert await states(site, "stage_runs") == ["queued"] * 3


async def test_a_misspelt_filter_does_not_mean_all(site: Site) -> None:
    await a_failed_photo(site)
    assert (await refused(site, "discard", {"stge": "embed"}))[0] == 422
    assert await states(site) == ["open"]


async def test_a_discard_is_no_problem_any_more_but_the_photo_stays_failed(site: Site) -> None:
    photo, _, _ = await a_failed_photo(site)
    discarded = await post(site, "discard")
    assert (discarded["discarded"], await problems(site), await causes(site)) == (1, 0, [])
    (shown,) = (await site.client.get("/api/photos?filter=failed")).json()["items"]
    assert (shown["id"], shown["stages"]["convert"]) == (photo.id, "failed")
    assert (await post(site, "discard"))["discarded"] == 0


async def test_what_was_discarded_together_comes_back_together(site: Site) -> None:
    await a_failed_photo(site, "convert")
    await post(site, "discard")
    await a_failed_photo(site, "embed")
    await a_failed_photo(site, "embed")
    batch = (await post(site, "discard", {"stage": "embed"}))["batch"]
    assert await states(site) == ["discarded"] * 3
    assert await post(site, "reopen", {"batch": batch}) == {"reopened": 2}
    assert await states(site) == ["discarded", "open", "open"]
    assert [cause["stage"] for cause in await causes(site, "?state=discarded")] == ["convert"]


async def test_a_discarded_letter_can_be_put_back_at_once(site: Site) -> None:
    _, _, letter = await a_failed_photo(site)
    await post(site, f"{letter.id}/discard")
    assert await post(site, f"{letter.id}/requeue") == {"requeued": 1}


async def test_a_discarded_letter_whose_photo_passed_meanwhile_is_not_reopened(site: Site) -> None:
    _, _, letter = await a_failed_photo(site)
    await post(site, f"{letter.id}/discard")
    async with site.session() as session:
        await session.execute(text("UPDATE stage_runs SET state = 'done'"))
        await session.commit()
    assert await post(site, f"{letter.id}/reopen") == {"reopened": 0}
    assert await states(site) == ["resolved"]


@pytest.mark.parametrize("verb", ["requeue", "discard", "reopen"])
async def test_a_letter_that_is_not_there_is_said_so(site: Site, verb: str) -> None:
    assert await refused(site, f"999/{verb}") == (404, "There is no dead letter with this number.")
    assert (await site.client.get("/api/dead-letters/999")).status_code == 404


async def test_ten_thousand_letters_are_put_back_by_two_at_once(site: Site) -> None:
    many = 10_000
    async with site.session() as session:
        root = await factories.a_root(session)
        await session.execute(
            text(
                "INSERT INTO photos (root_id, file_name, file_path) SELECT :root, n || '.jpg', '/' || n || '.jpg'"
                " FROM generate_series(1, :many) AS n"
            ),
            {"root": root.id, "many": many},
        )
        await session.execute(
            text(
                "INSERT INTO stage_runs (stage, subject, photo_id, run_id, state, attempt, priority)"
                " SELECT 'convert', id::text, id, gen_random_uuid(), 'failed', 1, 0 FROM photos"
            )
        )
        await session.execute(
            text(
                "INSERT INTO dead_letters (run_id, stage, photo_id, reason, error_type, message, body, state)"
                " SELECT run_id, stage, photo_id, 'rejected', 'CorruptFile', 'Broken.', '', 'open' FROM stage_runs"
            )
        )
        await session.commit()
    one, other = await asyncio.gather(post(site, "requeue"), post(site, "requeue", {"stage": "convert"}))
    assert one["requeued"] + other["requeued"] == many
    async with site.session() as session:
        left = await session.execute(text("SELECT state, count(*) FROM stage_runs GROUP BY 1"))
        assert left.all() == [("queued", many)]
        tallied = await session.execute(
            text("SELECT state, sum(n)::bigint FROM tallies WHERE kind = 'convert' GROUP BY 1 HAVING sum(n) <> 0")
        )
        assert tallied.all() == [("queued", many)]


async def test_a_letter_tells_every_attempt_of_all_its_runs(site: Site) -> None:
    photo, run, letter = await a_failed_photo(site)
    async with site.session() as session:
        for attempt in (1, 2):
            await factories.a_failure(session, photo, run_id=run.run_id, attempt=attempt, final=attempt == 2)
        await factories.a_failure(session, photo, message="Another run of the same photo.")
        await session.commit()
    await post(site, f"{letter.id}/requeue")
    async with site.session() as session:
        (run_id,) = (await session.execute(text("SELECT run_id FROM stage_runs"))).scalars()
        await factories.a_failure(session, photo, run_id=run_id, attempt=1, final=True, message="And again.")
        await session.commit()
    history = (await site.client.get(f"/api/dead-letters/{letter.id}")).json()["history"]
    assert [(one["attempt"], one["final"]) for one in history] == [(1, False), (2, True), (1, True)]
    assert history[-1]["message"] == "And again."
    page = (await site.client.get("/dead-letters?state=all")).text
    assert "And again." in page
    assert "Another run of the same photo." not in page


@pytest.mark.parametrize("address", ["/dead-letters", "/logs", "/problems/now", "/api/dead-letters/causes"])
async def test_a_status_that_no_service_can_answer_is_refused(site: Site, address: str) -> None:
    assert (await site.client.get(f"{address}?status=99999")).status_code == 422


async def test_a_kind_that_has_no_attempts_in_the_log_can_be_chosen(site: Site) -> None:
    await a_stray(site)
    assert '<option value="Undecodable">' in (await site.client.get("/dead-letters")).text
