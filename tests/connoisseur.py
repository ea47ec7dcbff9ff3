"""A person with a taste, in an archive of vectors: what is rated, trained and scored, without broker and processes."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import numpy as np
import pytest
from sqlalchemy import text

from orchestrator.broker import Incoming
from orchestrator.embedding import results as embedding
from orchestrator.embedding import service as embeddings
from orchestrator.models import PhotoVector, StageRun
from orchestrator.pipeline import PIPELINE
from orchestrator.results import ResultApplier
from orchestrator.stage_results import Applied
from orchestrator.taste import vectors
from orchestrator.taste.keeper import Keeper
from orchestrator.taste.scoring import PER_BATCH
from orchestrator.throughput import Throughput
from shared.contracts import embed
from tests import factories
from tests.site import Site
from workers.runner import Delivery, run
from workers.stage import load
from workers.tools import Tools

WINDOW_SECONDS = 300.0
SEEN_SECONDS = 60.0


class Connoisseur:
    """Likes photos by the first numbers of their vectors. `wait` lets time pass at once."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.waited = timedelta(seconds=1)  # never before what the database calls now
        self._window_seconds = WINDOW_SECONDS
        self._per_batch = PER_BATCH
        self._tools = Tools(site.services.settings)
        self._applier = ResultApplier(site.services.sessions, PIPELINE, Throughput(), 5, lambda: None)
        self._random = np.random.default_rng(7)
        self.restart()

    def restart(self, per_batch: int | None = None, window_seconds: float | None = None) -> None:
        """The orchestrator is killed and started again, perhaps with other settings: only the database remembers."""
        self._per_batch = per_batch or self._per_batch
        self._window_seconds = window_seconds or self._window_seconds
        services = self.site.services
        self.keeper = Keeper(
            services.sessions,
            services.claims,
            services.artifacts,
            self._window_seconds,
            lambda: None,
            clock=self.clock,
            per_batch=self._per_batch,
        )

    def clock(self) -> datetime:
        return datetime.now(UTC) + self.waited

    def wait(self, seconds: float) -> None:
        self.waited += timedelta(seconds=seconds)

    async def photos(self, count: int, *, has_vector: bool = True, model: str | None = None) -> list[int]:
        """New photos, each with a vector of the model in force, or of `model`."""
        async with self.site.services.sessions.begin() as session:
            await embeddings.choose(session, self.site.services.settings)
            root = await factories.a_root(session, f"/photos/{self._random.integers(1 << 40)}")
            made = [await factories.a_photo(session, root, f"IMG_{n:04}.jpg") for n in range(count)]
            if has_vector:
                name = model or await embeddings.in_force(session)
                rows = [PhotoVector(photo_id=p.id, model=name, vector=self.vector()) for p in made]
                session.add_all(rows)
        return [photo.id for photo in made]

    def vector(self) -> Any:  # Any: a numpy array
        vector = self._random.normal(size=embed.DIMENSIONS) * 0.3
        vector[:3] = self._random.normal(size=3) * 6
        return (vector / np.linalg.norm(vector)).astype(np.float16)

    async def rate(self, photo_ids: Sequence[int], stars: int | None = None) -> None:
        """As liked, or all with the same `stars`."""
        given = dict.fromkeys(photo_ids, stars) if stars else await self._likings(photo_ids)
        for rating in sorted({rating for rating in given.values() if rating}):
            body = {"ids": [id_ for id_ in photo_ids if given[id_] == rating], "user_rating": rating}
            answer = await self.site.client.post("/api/decisions", json=body)
            assert answer.status_code == 200, answer.text

    async def _likings(self, photo_ids: Sequence[int]) -> dict[int, int | None]:
        async with self.site.session() as session:
            model = await embeddings.in_force(session) or ""
            ids, found = await vectors.read(session, model, photo_ids)
        liked = np.clip(np.round(3 + 3 * found[:, 0].astype(float)), 1, 5).astype(int)
        return dict(zip(ids.tolist(), liked.tolist(), strict=True))

    async def embedded(self, photo_id: int) -> None:
        """The vector of a photo lands."""
        async with self.site.services.sessions.begin() as session:
            model = await embeddings.in_force(session)
            result = embed.Result(photo_id=photo_id, model=model or "", vector=self.vector())
            await embedding.apply(session, [Applied(StageRun(stage="embed", subject=str(photo_id)), result)])

    async def turn(self) -> None:
        await self.keeper.turn()

    async def work(self, stage: str) -> int:
        """A worker answers what is queued of this stage. Returns how many."""
        return await self.apply(await self.answers(stage))

    async def answers(self, stage: str) -> list[Incoming]:
        runs = await self.sql(
            "UPDATE stage_runs SET state = 'published' WHERE stage = :stage AND state = 'queued'"
            " RETURNING run_id, request",
            stage=stage,
        )
        messages = []
        for one in runs:
            outcome = run(load(stage), Delivery(json.dumps(one["request"]).encode(), one["run_id"]), self._tools)
            assert outcome.answer is not None
            messages.append(Incoming(outcome.answer.model_dump_json().encode(), str(one["run_id"]), "results", {}))
        return messages

    async def apply(self, messages: list[Incoming]) -> int:
        await self._applier.apply(messages)
        return len(messages)

    async def train(self) -> int:
        """One training from its start to its being in force; its version."""
        await self.turn()
        assert await self.work("train") == 1
        await self.turn()
        return int((await self.taste())["model"]["version"])

    async def settle(self) -> None:
        """Until nothing is left to score."""
        await self.turn()
        while await self.work("score"):
            await self.turn()

    async def taste(self) -> dict[str, Any]:
        answer = await self.site.client.get("/api/taste")
        assert answer.status_code == 200, answer.text
        return cast(dict[str, Any], answer.json())

    async def seen(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What the page says once that is true: its counts are kept for a moment."""
        deadline = time.monotonic() + SEEN_SECONDS
        while not condition(taste := await self.taste()):
            assert time.monotonic() < deadline, f"waited {SEEN_SECONDS} s: {taste}"
            await asyncio.sleep(0.05)
        return taste

    async def sql(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a query, or [] for a change."""
        async with self.site.services.sessions.begin() as session:
            result = cast(Any, await session.execute(text(statement), parameters))
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def activations(self) -> dict[int | None, int]:
        rows = await self.sql("SELECT score_activation AS a, count(*) AS n FROM photos GROUP BY 1")
        return {row["a"]: row["n"] for row in rows}

    async def state(self) -> dict[str, Any]:
        (row,) = await self.sql("SELECT * FROM taste_state")
        return row


@pytest.fixture
def person(site: Site) -> Connoisseur:
    return Connoisseur(site)
