"""A newer version on what an older one left: the database, the queues, and workers that are one version behind."""

import asyncio
import json
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path

import aio_pika
import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from orchestrator import app
from orchestrator.broker import Broker, Incoming, Outgoing
from orchestrator.db import DatabaseIsNewer, migrate, open_engine
from orchestrator.exchange import Exchange
from orchestrator.models import StageRun
from orchestrator.outbox import Relay
from orchestrator.pipeline import PIPELINE, stages
from orchestrator.results import ResultApplier
from orchestrator.throughput import Throughput
from shared.contracts import convert
from shared.settings import Settings
from shared.topology import Topology, topology
from tests.archive import Archive
from tests.relaying import a_conversion, queued, run_of, until
from tests.site import Site
from tests.stack import REPOSITORY, Stack, a_jpeg


def names_of(prefix: str) -> Topology:
    return topology(prefix, stages(PIPELINE), [50])


async def published(broker: Broker, runs: Sequence[StageRun]) -> None:
    await broker.publish(
        [Outgoing("convert", run.run_id, 1, "convert.request", json.dumps(run.request).encode(), "a") for run in runs]
    )


async def answered(url: str, queue: str, body: bytes, run: StageRun) -> None:
    connection = await aio_pika.connect(url)
    channel = await connection.channel(publisher_confirms=True)
    await channel.default_exchange.publish(aio_pika.Message(body, message_id=str(run.run_id)), routing_key=queue)
    await connection.close()


async def test_queues_of_an_earlier_version_are_emptied_and_go(site: Site, rabbitmq_url: str) -> None:
    """One request was answered while nobody took answers, one waits in the old queue."""
    prefix = f"test.{uuid.uuid4().hex[:8]}"
    old, new = names_of(f"{prefix}.v1"), names_of(f"{prefix}.v2")
    done, waiting = await queued(site, 2, state="published")
    before = await Broker.connect(rabbitmq_url, old)
    await published(before, [done, waiting])
    await answered(rabbitmq_url, old.result_queue, a_conversion(done).body, done)
    await before.close()

    throughput = Throughput()
    relay = Relay(site.services.sessions, PIPELINE, throughput)
    applier = ResultApplier(site.services.sessions, PIPELINE, throughput, 5, relay.wake)
    exchange = Exchange(rabbitmq_url, new, site.services.sessions, PIPELINE, relay, applier)
    look = await Broker.connect(rabbitmq_url, new)

    async def is_moved() -> bool:
        states = (await run_of(site, done)).state, (await run_of(site, waiting)).state
        ready, _ = await look.queue_state(new.stage_queue("convert"))
        return states == ("done", "published") and ready >= 1 and not await look.is_there(old.stage_queue("convert"))

    leading = asyncio.create_task(exchange.lead())
    await until(is_moved, "the old queues to be emptied")
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)

    async def are_gone() -> bool:
        return not any([await look.is_there(queue.name) for queue in old.queues])

    leading = asyncio.create_task(exchange.lead())  # nothing is left to take, and nobody answers there any more
    await until(are_gone, "the old queues to go")
    leading.cancel()
    await asyncio.gather(leading, return_exceptions=True)
    await look.close()


async def test_two_that_start_at_once_migrate_once(empty_database_url: str) -> None:
    engines = [open_engine(empty_database_url) for _ in range(2)]
    await asyncio.gather(*(migrate(engine) for engine in engines))
    async with engines[0].connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM broker_epoch"))).scalar_one() == 1
    for engine in engines:
        await engine.dispose()


async def test_a_database_that_is_still_starting_is_waited_for(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = asyncpg.CannotConnectNowError("the database system is starting up")
    answers = iter([DBAPIError(None, None, starting), None])

    async def migrated(*_: object, **__: object) -> None:
        if (answer := next(answers)) is not None:
            raise answer

    monkeypatch.setattr(app, "migrate", migrated)
    monkeypatch.setattr(app, "DATABASE_RETRY_SECONDS", 0.01)
    nowhere = "amqp://127.0.0.1:9/"
    made = app.create_app(Settings(keepers_home=tmp_path, database_url=database_url, rabbitmq_url=nowhere))
    async with made.router.lifespan_context(made):
        assert next(answers, "all") == "all"


async def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    engine = open_engine(database_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseIsNewer, match=r"a newer Keepers.* 9999.*Nothing was changed"):
        await migrate(engine)
    async with engine.connect() as connection:
        assert (await connection.execute(text("SELECT version_num FROM alembic_version"))).scalar_one() == "9999"
    await engine.dispose()


async def test_a_result_of_a_worker_that_is_one_version_behind_or_ahead_applies(archive: Archive) -> None:
    """One lacks what is optional, another says more than this version knows."""
    for n in range(2):
        a_jpeg(archive.photos / f"{n}.jpg", seed=n, size=(64, 48))
    await archive.scanned(await archive.start())
    behind, ahead = (json.loads(message.body) for message in archive.answer(await archive.queued()))
    optional = {name for name, field in convert.Result.model_fields.items() if not field.is_required()}
    behind["result"] = {name: value for name, value in behind["result"].items() if name not in optional}
    del behind["work_ms"]
    for part in (ahead, ahead["result"], ahead["result"]["quality"], ahead["result"]["exif"]):
        part["from_the_future"] = {"faces": [1, 2]}
    await archive.apply([Incoming(json.dumps(one).encode(), one["run_id"], "results", {}) for one in (behind, ahead)])
    states = await archive.sql("SELECT state FROM import_items")
    assert [row["state"] for row in states] == ["done", "done"]
    assert len(await archive.sql("SELECT 1 FROM photos WHERE technical_score IS NOT NULL")) == 2
    await archive.check_books()


def test_the_command_line_says_why_a_newer_database_is_not_opened(stack: Stack) -> None:
    stack.sql("UPDATE alembic_version SET version_num = '9999'")
    command = [sys.executable, "-m", "orchestrator", "serve", "--port", "0"]
    ended = subprocess.run(
        command, env=stack.environment, cwd=REPOSITORY, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("This archive was last opened by a newer Keepers: its database is")
    assert stack.sql("SELECT version_num FROM alembic_version") == [("9999",)]
