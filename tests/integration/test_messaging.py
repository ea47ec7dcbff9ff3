"""The relay, the answers and the breakers, on a real database and a broker that a test has in its hand."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from sqlalchemy import text
from sqlmodel import select

from orchestrator import runs
from orchestrator.breakers import HOLD_AT_ONCE
from orchestrator.broker import Broker, Incoming, Outgoing
from orchestrator.models import DeadLetter, StageRun
from orchestrator.outbox import Relay
from orchestrator.pipeline import PIPELINE
from orchestrator.results import ResultApplier
from orchestrator.throughput import Throughput
from shared.contracts import embed
from shared.contracts.answers import Done, Failed, Failure
from shared.topology import topology
from tests import factories
from tests.relaying import (
    DEADLINE_SECONDS,
    PROBE_SECONDS,
    HandheldBroker,
    a_conversion,
    a_hold,
    an_answer,
    breakers_of,
    opened,
    queued,
    relaying,
    run_of,
    until,
)
from tests.site import Site


async def test_a_hold_that_overtakes_the_mark_of_its_message_holds(site: Site, applier: ResultApplier) -> None:
    """A stage whose window is filled by a run that is not out would stand still."""
    (run,) = await queued(site)

    async def answer_at_once(message: Outgoing) -> None:
        await applier.apply([a_hold(message.run_id, "model:clip")])
        async with site.session() as session:  # no probe in this test
            await session.execute(text("UPDATE breakers SET probe_at = now() + interval '1 day'"))
            await session.commit()

    broker = HandheldBroker(answer_at_once)
    async with relaying(site, broker):
        (other,) = await queued(site)
        await until(lambda: _has(site, other, "held"), "the next run to be held too")
    assert ((await run_of(site, run)).state, (await run_of(site, run)).hold_key) == ("held", "model:clip")
    assert [message.run_id for message in broker.published] == [run.run_id]


async def test_a_probe_that_finds_the_same_trouble_before_its_mark_is_made_again(
    site: Site, applier: ResultApplier
) -> None:
    await queued(site, state="held", hold_key="claims")
    await opened(site, "claims")
    broker = HandheldBroker(lambda message: applier.apply([a_hold(message.run_id)]))
    async with relaying(site, broker):
        await until(lambda: len(broker.published) == 3, "three probes")


@pytest.mark.parametrize("key", ["consent:api.example", "root:7"])
async def test_nothing_behind_an_open_breaker_goes_out_however_much_waits(site: Site, key: str) -> None:
    more = HOLD_AT_ONCE + 20  # than are held in one turn
    (run,) = await queued(site, gate=key)
    async with site.session() as session:
        await session.execute(
            text(
                "INSERT INTO stage_runs (stage, subject, run_id, request, state, gate)"
                " SELECT stage, 'x' || n, gen_random_uuid(), request, state, gate FROM stage_runs,"
                " generate_series(2, :more) AS n WHERE id = :id"
            ),
            {"more": more, "id": run.id},
        )
        await session.execute(
            text("INSERT INTO breakers (key, stage, cause, probe_at) VALUES (:key, 'convert', 'Not yet.', 'infinity')"),
            {"key": key},
        )
        await session.commit()

    async def all_are_held() -> bool:
        async with site.session() as session:
            held = await session.scalar(text("SELECT count(*) FROM stage_runs WHERE state = 'held'"))
        return held == more

    broker = HandheldBroker()
    async with relaying(site, broker):
        await until(all_are_held, "all to be held")
    assert broker.published == []


async def test_a_probe_that_could_not_be_published_is_made_on_the_next_connection(site: Site) -> None:
    (run,) = await queued(site, state="held", hold_key="claims")
    await opened(site, "claims")

    async def fail(message: Outgoing) -> None:
        raise ConnectionError("the line is down")

    relay = Relay(site.services.sessions, PIPELINE, Throughput())
    with pytest.raises(ConnectionError):
        await relay.run(cast(Broker, HandheldBroker(fail)))
    broker = HandheldBroker()
    async with relaying(site, broker):
        await until(lambda: _has(site, run, "published"), "the probe to be out")
    assert [message.run_id for message in broker.published] == [run.run_id]


@pytest.mark.parametrize("state", ["cancelled", "failed", "queued"])
async def test_a_probe_that_is_out_no_more_is_replaced(site: Site, state: str) -> None:
    (first,) = await queued(site, state=state)
    (second,) = await queued(site, state="held", hold_key="root:1", gate="root:1")
    await opened(site, "root:1", probe_run=first.run_id)
    broker = HandheldBroker()
    async with relaying(site, broker):
        await until(lambda: second.run_id in {message.run_id for message in broker.published}, "another probe")


async def test_a_probe_that_is_out_is_the_only_one(site: Site) -> None:
    (first,) = await queued(site, state="published")
    await queued(site, state="held", hold_key="root:1")
    await opened(site, "root:1", probe_run=first.run_id)
    (marker,) = await queued(site, priority=-1)
    async with relaying(site, broker := HandheldBroker()):
        async with site.session() as session:  # room for the marker beside the probe
            await session.execute(text("UPDATE stage_runs SET stage = 'embed' WHERE id = :id"), {"id": first.id})
            await session.commit()
        await until(lambda: bool(broker.published), "a turn")
    assert [message.run_id for message in broker.published] == [marker.run_id]


async def test_a_probe_that_comes_upon_other_trouble_leaves_its_breaker_probed(
    site: Site, applier: ResultApplier
) -> None:
    first, second = await queued(site, 2, state="held", hold_key="root:1", gate="root:1")
    await opened(site, "root:1")

    async def other_trouble(message: Outgoing) -> None:
        if message.run_id == first.run_id:
            await applier.apply([a_hold(message.run_id, "claims")])

    async with relaying(site, broker := HandheldBroker(other_trouble)):
        await until(lambda: second.run_id in {message.run_id for message in broker.published}, "the next probe")
    assert {"root:1", "claims"} == set(await breakers_of(site))


async def test_runs_that_somebody_is_changing_are_left_alone(site: Site) -> None:
    """Cancelling a large import takes seconds: its runs must not be published over and over meanwhile."""
    changing, other = await queued(site, 2)
    broker = HandheldBroker()
    async with site.session() as session:
        await session.execute(text("UPDATE stage_runs SET state = 'cancelled' WHERE id = :id"), {"id": changing.id})
        async with relaying(site, broker):
            await until(lambda: len(broker.published) >= 1, "a message")
            await until(lambda: _has(site, other, "published"), "the other run to be out")
        await session.commit()
    assert [message.run_id for message in broker.published] == [other.run_id]


async def _has(site: Site, run: StageRun, state: str) -> bool:
    return (await run_of(site, run)).state == state


async def test_an_older_embedding_does_not_answer_for_the_new_preview(site: Site, applier: ResultApplier) -> None:
    """Both answers in one batch: the run that the new preview asks for is queued and stays so."""
    async with site.session() as session:
        root = await factories.a_root(session)
        photo = await factories.a_photo(session, root)
        await factories.a_file(session, photo, b"a.jpg")
        converting = await factories.a_run(session, photo, state="published")
        embedding = await factories.a_run(session, photo, "embed", state="published")
        await session.commit()
    vector = embed.Result(photo_id=photo.id, model="m", vector=np.ones(768, "<f2"))
    old = Done(stage="embed", run_id=embedding.run_id, attempt=1, result=vector.model_dump(mode="json"))
    await applier.apply([a_conversion(converting), an_answer(old)])
    now = await run_of(site, embedding)
    assert (now.state, now.request.get("file_path")) == ("queued", "previews/new.jpg")
    assert now.run_id != embedding.run_id


async def test_a_hold_at_a_later_attempt_keeps_the_count(site: Site, applier: ResultApplier) -> None:
    (run,) = await queued(site, state="published")
    await applier.apply([a_failure(run, attempt=1)])
    await applier.apply([a_hold(run.run_id, attempt=2)])
    assert (await run_of(site, run)).attempt == 2


def a_failure(run: StageRun, attempt: int = 1, **fields: object) -> Incoming:
    failure = Failure(op="convert", error_type="Retry", message="busy", **fields)  # type: ignore[arg-type]  # by name
    failed = Failed(stage="convert", run_id=run.run_id, attempt=attempt, max_attempts=5, final=False, failure=failure)
    return an_answer(failed)


async def test_an_attempt_is_logged_whatever_its_detail_holds(site: Site, applier: ResultApplier) -> None:
    (run,) = await queued(site, state="published")
    await applier.apply([a_failure(run, context={"file": "a\\u0000b \x00 c", "more": [{"\x00": "\\u0000"}]})])
    (failure,) = (await site.client.get("/api/failures")).json()["items"]
    assert failure["detail"]["context"] == {"file": "a\\u0000b  c", "more": [{"": "\\u0000"}]}


@pytest.mark.parametrize("stage", ["convert", "no-such-stage"])
async def test_an_answer_that_cannot_be_applied_is_a_letter_and_its_run_failed(
    site: Site, applier: ResultApplier, stage: str
) -> None:
    run, fine = await queued(site, 2, state="published")
    nonsense = Done(stage=stage, run_id=run.run_id, attempt=1, result={"photo_id": "\x00"})
    await applier.apply([an_answer(nonsense), a_failure(fine)])
    assert ((await run_of(site, run)).state, (await run_of(site, fine)).state) == ("failed", "retrying")
    async with site.session() as session:
        (letter,) = (await session.execute(select(DeadLetter))).scalars()
    assert (letter.run_id, letter.stage, letter.reason) == (run.run_id, "results", "unapplied")
    assert json.loads(letter.body)["run_id"] == str(run.run_id)


async def test_an_error_without_words_is_kept_all_the_same(site: Site) -> None:
    async def broken(*_: object) -> Sequence[int]:
        raise AssertionError

    pipeline = tuple(step if step.stage != "convert" else replace(step, apply=broken) for step in PIPELINE)
    applier = ResultApplier(site.services.sessions, pipeline, Throughput(), PROBE_SECONDS, lambda: None)
    (run,) = await queued(site, state="published")
    await applier.apply([a_conversion(run)])
    assert (await run_of(site, run)).error == "Keepers could not store what the worker answered: AssertionError: "


async def test_a_run_waiting_for_its_next_attempt_gets_that_one_from_a_new_broker(
    site: Site, applier: ResultApplier
) -> None:
    (retrying,) = await queued(site, state="published")
    (out,) = await queued(site, state="published")
    await applier.apply([a_failure(retrying, attempt=2)])
    async with site.session() as session:
        assert await runs.requeue_unanswered(session) == 2
        await session.commit()
    again = [await run_of(site, run) for run in (retrying, out)]
    assert [(run.state, run.attempt) for run in again] == [("queued", 3), ("queued", 1)]


async def test_a_message_says_whose_trace_it_belongs_to(rabbitmq_url: str) -> None:
    broker = await Broker.connect(rabbitmq_url, topology(f"test.{uuid.uuid4().hex[:8]}", ["convert"], [50]))
    arrived: asyncio.Queue[Incoming] = asyncio.Queue()

    async def take(messages: list[Incoming]) -> None:
        for message in messages:
            arrived.put_nowait(message)

    run_id = uuid.uuid4()
    await broker.publish([Outgoing("convert", run_id, 3, "convert.request", b"{}", "import-7")])
    consuming = asyncio.create_task(broker.consume(broker.names.stage_queue("convert"), take))
    message = await asyncio.wait_for(arrived.get(), DEADLINE_SECONDS)
    consuming.cancel()
    await asyncio.gather(consuming, return_exceptions=True)
    await broker.close()
    assert (message.message_id, message.correlation_id) == (str(run_id), "import-7")
    assert (message.headers["attempt"], str(message.headers["traceparent"])[:36]) == (3, f"00-{run_id.hex}-")


async def test_a_probe_that_cannot_be_applied_fails_one_run_not_all_that_wait(
    site: Site, applier: ResultApplier
) -> None:
    first, second = await queued(site, 2, state="held", hold_key="claims")
    await opened(site, "claims")

    async def nonsense(message: Outgoing) -> None:
        await applier.apply([an_answer(Done(stage="convert", run_id=message.run_id, attempt=1, result={}))])

    async with relaying(site, broker := HandheldBroker(nonsense)):
        await until(lambda: _has(site, first, "failed"), "the probe to fail")
        (marker,) = await queued(site, stage="embed")
        await until(lambda: marker.run_id in {message.run_id for message in broker.published}, "another turn")
    assert (await run_of(site, second)).state == "held"


async def test_a_drive_whose_place_another_has_taken_does_not_come_online(site: Site, applier: ResultApplier) -> None:
    async with site.session() as session:
        away = await factories.a_root(session, "/card", state="offline")
        await factories.a_root(session, "/card")
        photo = await factories.a_photo(session, away)
        key = f"root:{away.id}"
        probe = await factories.a_run(session, photo, state="published", gate=key)
        await session.commit()
    await opened(site, key, probe_run=probe.run_id)
    await applier.apply([a_failure(probe)])
    assert ((await run_of(site, probe)).state, await breakers_of(site)) == ("retrying", {})
    async with site.session() as session:
        states = (await session.execute(text("SELECT state FROM roots ORDER BY id"))).scalars().all()
    assert states == ["offline", "online"]


async def test_a_held_run_of_a_stage_that_is_no_more_is_left_alone(site: Site) -> None:
    (old,) = await queued(site, state="held", hold_key="claims", stage="a-stage-of-old")
    (known,) = await queued(site, state="held", hold_key="claims")
    await opened(site, "claims")
    async with relaying(site, broker := HandheldBroker()):
        await until(lambda: _has(site, known, "published"), "the probe of a stage that there is")
    assert [message.run_id for message in broker.published] == [known.run_id]
    assert (await run_of(site, old)).state == "held"


async def test_nothing_of_a_paused_stage_is_published_not_even_a_probe(site: Site) -> None:
    await queued(site)
    (held,) = await queued(site, state="held", hold_key="root:1", gate="root:1")
    await opened(site, "root:1")
    assert (await site.client.post("/api/stages/convert/pause")).status_code == 204
    (marker,) = await queued(site, stage="embed")
    async with relaying(site, broker := HandheldBroker()) as relay:
        await until(lambda: _has(site, marker, "published"), "another stage to go on")
        assert [message.run_id for message in broker.published] == [marker.run_id]
        assert (await site.client.post("/api/stages/convert/resume")).status_code == 204
        relay.wake()
        await until(lambda: _has(site, held, "published"), "the stage to go on")
