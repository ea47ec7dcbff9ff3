"""A site with photos by the second they were taken, and a worker for bursts that is called by hand."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from orchestrator.broker import Incoming
from orchestrator.bursts import detection
from orchestrator.embedding import service as embedding
from orchestrator.models import Photo, PhotoVector, Root
from orchestrator.pipeline import PIPELINE
from orchestrator.results import ResultApplier
from orchestrator.throughput import Throughput
from shared.embedding_models import starter_name
from tests import factories
from tests.frames import look
from tests.site import Site
from workers.runner import Delivery, run
from workers.stages.bursts import stage
from workers.tools import Tools

FAR = 10_000  # seconds from one photo to the next: no burst


@dataclass(frozen=True)
class Shoot:
    """A site with an embedder in force, photos by the second they were taken, and a worker that is called by hand."""

    site: Site
    root: Root

    async def photo(self, second: float, degrees: float = 0, **fields: Any) -> int:
        """`degrees` is what it looks like; None for a photo without a vector."""
        async with self.site.services.sessions.begin() as session:
            taken = factories.EPOCH + timedelta(seconds=second)
            defaults = {"captured_at": taken, "camera_make": "Canon", "camera_model": "R6"}
            photo: Photo = await factories.a_photo(session, self.root, f"{second}.jpg", **{**defaults, **fields})
            vector = look(degrees).astype(np.float16)
            session.add(PhotoVector(photo_id=photo.id, model=starter_name(), vector=vector))
            return photo.id

    async def photos(self, *seconds: float, **fields: Any) -> list[int]:
        return [await self.photo(second, **fields) for second in seconds]

    async def tick(self) -> None:
        async with self.site.services.sessions.begin() as session:
            await detection.keep(session, self.site.claims)

    async def search(self, **wish: Any) -> None:
        """Ask for bursts, let a worker find them, and take them in."""
        answer = await self.site.client.post("/api/bursts/detect", json=wish)
        assert answer.status_code == 202, answer.text
        await self.tick()
        await self.work()
        await self.tick()
        assert not (await self.bursts())["search"]["is_running"]

    async def embedded(self, *photo_ids: int) -> list[int]:
        """These got their vectors: bursts are found around them. Returns which frames a worker was handed."""
        async with self.site.services.sessions.begin() as session:
            await detection.request_around(session, photo_ids)
        await self.tick()
        handed = await self.handed()
        await self.work()
        await self.tick()
        assert not (await self.bursts())["search"]["is_running"]
        return handed

    async def handed(self) -> list[int]:
        """The frames of the search that waits for a worker."""
        rows = await self.sql("SELECT request FROM stage_runs WHERE stage = 'bursts' AND state = 'queued'")
        if not rows:
            return []
        with self.site.claims.open(rows[0]["request"]["file_path"]) as file, np.load(file) as columns:
            return sorted(columns["photo_ids"].tolist())

    async def work(self) -> None:
        rows = await self.sql(
            "UPDATE stage_runs SET state = 'published' WHERE stage = 'bursts' AND state = 'queued'"
            " RETURNING run_id, request"
        )
        tools = Tools(self.site.services.settings)
        for row in rows:
            outcome = run(stage, Delivery(json.dumps(row["request"]).encode(), row["run_id"]), tools)
            assert outcome.answer is not None
            await self.answer(outcome.answer.model_dump_json(), row["run_id"])

    async def answer(self, body: str, run_id: Any) -> None:
        applier = ResultApplier(self.site.services.sessions, PIPELINE, Throughput(), 5, lambda: None)
        await applier.apply([Incoming(body.encode(), str(run_id), "results", {})])

    async def sql(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        async with self.site.services.sessions.begin() as session:
            result: Any = await session.execute(text(statement), parameters)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def bursts(self, **query: Any) -> dict[str, Any]:
        answer = await self.site.client.get("/api/bursts", params=query)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def groups(self) -> list[list[int]]:
        """Photo ids of each burst, earliest first."""
        return [[frame["id"] for frame in item["frames"]] for item in reversed((await self.bursts())["items"])]

    async def only(self) -> dict[str, Any]:
        (item,) = (await self.bursts())["items"]
        return dict(item)

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = await self.site.client.post(path, json=body or None)
        assert answer.status_code == 200, answer.text
        done: dict[str, Any] = answer.json()
        return done

    async def refusal(self, path: str, **body: Any) -> tuple[int, str, str]:
        answer = await self.site.client.post(path, json=body or None)
        error = answer.json()["error"]
        return answer.status_code, error["type"], error["message"]

    async def card(self, photo_id: int) -> dict[str, Any]:
        found: dict[str, Any] = (await self.site.client.get(f"/api/photos/{photo_id}")).json()
        return found

    async def rejected(self) -> list[int]:
        rows = await self.sql("SELECT id FROM photos WHERE rejected_at IS NOT NULL ORDER BY id")
        return [row["id"] for row in rows]

    async def until_rejected(self, *ids: int) -> None:
        """These photos and no others, once the server has it."""
        async with asyncio.timeout(30):
            while True:
                if await self.rejected() == sorted(ids):
                    return
                await asyncio.sleep(0.02)

    async def frame_files(self) -> list[str]:
        return sorted(path.name for path in (self.site.claims.folder / "bursts").glob("*"))


@pytest.fixture
async def shoot(site: Site) -> Shoot:
    async with site.services.sessions.begin() as session:
        await embedding.choose(session, site.services.settings)
        return Shoot(site, await factories.a_root(session))


async def a_burst(shoot: Shoot, second: float, count: int) -> list[int]:
    """Frames with pictures, of which the last is the sharpest."""
    photos = [
        await shoot.photo(second + n, sharpness_score=50 + n, file_name=f"{second:.0f}-{n}.jpg") for n in range(count)
    ]
    await with_pictures(shoot, *photos)
    return photos


async def with_pictures(shoot: Shoot, *photos: int) -> None:
    async with shoot.site.services.sessions.begin() as session:
        for photo_id in photos:
            photo = await session.get_one(Photo, photo_id)
            await factories.a_picture(session, shoot.site.claims, photo, factories.a_gradient(hue=photo_id * 40))
