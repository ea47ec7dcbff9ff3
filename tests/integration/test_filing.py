"""What the `dead-letters` queue brings is filed under what it is, whatever became of its run meanwhile."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import col, select

from orchestrator import runs
from orchestrator.broker import Incoming
from orchestrator.failures.filing import DeadLetterFiler
from orchestrator.models import DeadLetter, StageRun
from orchestrator.pipeline import PIPELINE, stages
from orchestrator.results import ResultApplier
from orchestrator.throughput import Throughput
from shared.contracts import embed
from shared.contracts.answers import Done, Failed, Failure, Upstream
from shared.topology import topology
from tests import factories
from tests.site import Site

REQUEST = embed.Request(photo_id=1, file_path="a", model="m")  # of any stage: nobody reads it
NAMES = topology("test", stages(PIPELINE), [50])


async def a_run(site: Site, stage: str = "convert", **fields: Any) -> StageRun:
    async with site.session() as session:
        photo = await factories.a_photo(session, await factories.a_root(session, f"/{uuid.uuid4().hex}"))
        run = await factories.a_run(session, photo, stage, **{"state": "published", **fields})
        await session.commit()
    return run


def a_death(run_id: uuid.UUID, stage: str = "convert", reason: str = "rejected", **headers: Any) -> Incoming:
    """As the broker hands it over: the relay's message with its history."""
    death = {"reason": reason, "routing-keys": [NAMES.stage_queue(stage)]}
    trace = {"attempt": 1, "traceparent": f"00-{run_id.hex}-0123456789abcdef-01"}
    return Incoming(b'{"photo_id": 1}', str(run_id), NAMES.stage_queue(stage), {"x-death": [death], **trace, **headers})


async def file(site: Site, *messages: Incoming) -> None:
    await DeadLetterFiler(site.services.sessions, NAMES).file(list(messages))


async def fail(site: Site, run_id: uuid.UUID, stage: str = "convert", **failure: Any) -> None:
    applier = ResultApplier(site.services.sessions, PIPELINE, Throughput(), 5, lambda: None)
    told = Failure(op=stage, **{"error_type": "CorruptFile", "message": "It is broken.", **failure})
    failed = Failed(stage=stage, run_id=run_id, attempt=1, max_attempts=5, final=True, failure=told)
    await applier.apply([Incoming(failed.model_dump_json().encode(), str(run_id), "results", {})])


async def letters(site: Site) -> list[DeadLetter]:
    async with site.session() as session:
        return list((await session.execute(select(DeadLetter).order_by(col(DeadLetter.id)))).scalars())


async def run_now(site: Site) -> StageRun:
    async with site.session() as session:
        return (await session.execute(select(StageRun))).scalar_one()


async def test_the_letter_says_what_the_worker_said_and_what_was_answered_upstream(site: Site) -> None:
    run = await a_run(site, "embed")
    upstream = Upstream(status_code=413, message="too large")
    await fail(site, run.run_id, "embed", error_type="TooLarge", message="It is too large.", upstream=upstream)
    await file(site, a_death(run.run_id, "embed"))
    (letter,) = await letters(site)
    assert (letter.error_type, letter.message, letter.status, letter.state) == (
        "TooLarge", "It is too large.", 413, "open",
    )  # fmt: skip


async def test_the_letter_of_a_cancelled_run_needs_nobody(site: Site) -> None:
    run = await a_run(site, state="cancelled")
    await file(site, a_death(run.run_id))
    (letter,) = await letters(site)
    assert (letter.error_type, letter.state) == ("Cancelled", "resolved")
    assert (await run_now(site)).state == "cancelled"


async def test_the_letter_of_a_superseded_run_needs_nobody(site: Site) -> None:
    run = await a_run(site)
    old, run.run_id = run.run_id, uuid.uuid4()
    async with site.session() as session:
        await session.merge(run)
        await session.commit()
    await file(site, a_death(old), a_death(uuid.uuid4(), reason="delivery_limit"))
    assert [(letter.error_type, letter.state) for letter in await letters(site)] == [("Superseded", "resolved")] * 2
    assert (await run_now(site)).state == "published"


async def test_a_message_from_elsewhere_is_a_problem(site: Site) -> None:
    await file(site, a_death(uuid.uuid4(), traceparent="00-of-somebody-else"))
    (letter,) = await letters(site)
    assert (letter.error_type, letter.state) == ("Undecodable", "open")


async def test_a_letter_that_is_delivered_twice_is_one(site: Site) -> None:
    run = await a_run(site)
    await fail(site, run.run_id)
    await file(site, a_death(run.run_id), a_death(run.run_id))
    await file(site, a_death(run.run_id))
    (letter,) = await letters(site)
    assert (letter.times, letter.state) == (1, "open")


async def test_a_letter_put_back_that_fails_again_is_the_same_letter_twice(site: Site) -> None:
    run = await a_run(site)
    await fail(site, run.run_id)
    await file(site, a_death(run.run_id))
    (letter,) = await letters(site)
    assert (await site.client.post(f"/api/dead-letters/{letter.id}/requeue")).status_code == 200
    again = (await run_now(site)).run_id
    await fail(site, again, error_type="TooLarge", message="It is too large now.")
    await file(site, a_death(again))
    (letter,) = await letters(site)
    assert (letter.times, letter.state, letter.error_type, letter.run_id) == (2, "open", "TooLarge", again)


async def test_the_letter_of_a_job_is_resolved_by_the_next_run_of_that_job(site: Site) -> None:
    """A job has no photo: its subject says what it is about."""
    async with site.session() as session:
        session.add(StageRun(stage="convert", subject="all", run_id=uuid.uuid4(), state="published"))
        await session.commit()
    first = await run_now(site)
    await fail(site, first.run_id)
    await file(site, a_death(first.run_id))
    async with site.session() as session:
        run = (await session.execute(select(StageRun))).scalar_one()
        run.run_id, run.state = uuid.uuid4(), "published"
        await session.commit()
    await fail(site, run.run_id)
    await file(site, a_death(run.run_id))
    assert [letter.state for letter in await letters(site)] == ["resolved", "open"]


@pytest.mark.parametrize(
    ("stage", "next_subject", "state"), [("embed", "a", "resolved"), ("embed", "b", "open"), ("train", "b", "resolved")]
)
async def test_the_letter_of_a_job_is_resolved_when_that_job_is_done(
    site: Site, stage: str, next_subject: str, state: str
) -> None:
    """A stage that looks at the whole archive needs no job of the same name for that."""
    async with site.session() as session:
        session.add(StageRun(stage=stage, subject="a", run_id=uuid.uuid4(), state="published"))
        await session.commit()
    run = await run_now(site)
    await fail(site, run.run_id, stage)
    await file(site, a_death(run.run_id, stage))
    async with site.session() as session:
        await runs.queue(session, [runs.NewRun(stage, None, REQUEST, job=next_subject)])
        await session.commit()
        (again,) = (await session.execute(select(StageRun.run_id).where(col(StageRun.state) == "queued"))).scalars()
    pipeline = tuple(
        replace(step, result=embed.Request, apply=_nothing) if step.stage == stage else step for step in PIPELINE
    )
    applier = ResultApplier(site.services.sessions, pipeline, Throughput(), 5, lambda: None)
    done = Done(stage=stage, run_id=again, attempt=1, result=REQUEST.model_dump(mode="json"))
    await applier.apply([Incoming(done.model_dump_json().encode(), str(again), "results", {})])
    assert [letter.state for letter in await letters(site)] == [state]


async def _nothing(*_: object) -> Sequence[int]:
    return []
