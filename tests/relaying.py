"""A relay with a broker that is held by hand, and runs to publish."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import cast

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from orchestrator.broker import Broker, Incoming, Outgoing
from orchestrator.models import Breaker, StageRun
from orchestrator.outbox import Relay
from orchestrator.pipeline import PIPELINE, stages
from orchestrator.results import ResultApplier
from orchestrator.throughput import Throughput
from shared.contracts import convert
from shared.contracts.answers import Done, Failed, Held
from shared.topology import topology
from tests import factories
from tests.site import Site

DEADLINE_SECONDS = 40


PROBE_SECONDS = 0.01


class HandheldBroker:
    """Notes what is published; `on_publish` is called before the confirm."""

    def __init__(self, on_publish: Callable[[Outgoing], Awaitable[None]] | None = None) -> None:
        self.names = topology("test", stages(PIPELINE), [50])
        self.published: list[Outgoing] = []
        self._on_publish = on_publish

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        for message in messages:
            self.published.append(message)
            if self._on_publish is not None:
                await self._on_publish(message)

    async def queue_state(self, queue: str) -> tuple[int, int]:
        return 0, 1


@pytest.fixture
def applier(site: Site) -> ResultApplier:
    return ResultApplier(site.services.sessions, PIPELINE, Throughput(), PROBE_SECONDS, lambda: None)


@asynccontextmanager
async def relaying(site: Site, broker: HandheldBroker) -> AsyncIterator[Relay]:
    relay = Relay(site.services.sessions, PIPELINE, Throughput())
    running = asyncio.create_task(relay.run(cast(Broker, broker)))
    try:
        yield relay
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until(condition: Callable[[], bool | Awaitable[bool]], what: str) -> None:
    async def hold() -> None:
        while True:
            met = condition()
            if met if isinstance(met, bool) else await met:
                return
            await asyncio.sleep(0.01)

    try:
        await asyncio.wait_for(hold(), DEADLINE_SECONDS)
    except TimeoutError:
        pytest.fail(f"waited for {what}")


async def queued(site: Site, count: int = 1, state: str = "queued", **fields: object) -> list[StageRun]:
    async with site.session() as session:
        root = await factories.a_root(session, f"/{uuid.uuid4().hex}")
        made = []
        for number in range(count):
            photo = await factories.a_photo(session, root, preview=None)
            request = {"photo_id": photo.id, "file_path": f"/p/{number}.jpg", "root": "/p", "root_key": "root:1"}
            made.append(await factories.a_run(session, photo, **{"state": state, "request": request, **fields}))
        await session.commit()
    return made


async def run_of(site: Site, run: StageRun) -> StageRun:
    async with site.session() as session:
        return (await session.execute(select(StageRun).where(col(StageRun.id) == run.id))).scalar_one()


async def opened(site: Site, key: str, **fields: object) -> None:
    async with site.session() as session:
        await session.execute(
            text("INSERT INTO breakers (key, stage, cause, probe_run) VALUES (:key, 'convert', 'It is away.', :run)"),
            {"key": key, "run": fields.get("probe_run")},
        )
        await session.commit()


async def breakers_of(site: Site) -> dict[str, Breaker]:
    async with site.session() as session:
        return {breaker.key: breaker for breaker in (await session.execute(select(Breaker))).scalars()}


def an_answer(answer: Done | Failed | Held) -> Incoming:
    return Incoming(answer.model_dump_json().encode(), str(answer.run_id), "results", {})


def a_hold(run_id: uuid.UUID, key: str = "claims", attempt: int = 1) -> Incoming:
    return an_answer(Held(stage="convert", run_id=run_id, attempt=attempt, key=key, cause="It is away."))


def a_conversion(run: StageRun) -> Incoming:
    assert run.photo_id is not None
    quality = convert.Quality(
        laplacian_variance=1, tile_variance_p95=1, noise_sigma=1, clipped_share=0, sharpness_score=1,
        exposure_score=1, technical_score=1,
    )  # fmt: skip
    result = convert.Result(
        photo_id=run.photo_id, content_hash="a" * 64, quick_hash="b" * 64, size=1, mtime_ns=1, format="JPEG", width=6,
        height=4, preview="previews/new.jpg", preview_width=6, preview_height=4, thumbnail="thumbnails/new.jpg",
        placeholder="", source="original", perceptual_hash="0" * 16, quality=quality,
    )  # fmt: skip
    done = Done(stage="convert", run_id=run.run_id, attempt=1, result=result.model_dump(mode="json"))
    return an_answer(done)
