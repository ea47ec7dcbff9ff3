"""Keepers without processes and broker: the web side, its scans, and a worker that is called by hand."""

import asyncio
import io
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import text

from orchestrator.broker import Incoming
from orchestrator.photos import sweeper
from orchestrator.pipeline import PIPELINE
from orchestrator.results import ResultApplier
from orchestrator.throughput import Throughput
from shared.contracts import convert, render
from shared.settings import Settings
from tests.pictures import dng, saved, scene
from tests.site import Site, open_site
from workers.engines.conversion import convert_file
from workers.engines.decode_child import claims_of
from workers.engines.fetched_originals import FetchedOriginals
from workers.engines.rendition import render_file
from workers.runner import Delivery, run
from workers.stage import load
from workers.tools import Tools

SETTLED_SECONDS = 60.0


@dataclass(frozen=True)
class Run:
    """A request as a worker would get it."""

    run_id: UUID
    request: dict[str, Any]  # Any: JSON


class Archive:
    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.photos = folder / "photos"
        self.photos.mkdir(exist_ok=True)
        self.settings = site.services.settings
        self.converted = 0
        self._originals = FetchedOriginals(self.settings)
        self._tools = Tools(self.settings)
        self._tools.__dict__["decoder"] = SimpleNamespace(convert=self._convert, render=self._render)
        self._applier = ResultApplier(site.services.sessions, PIPELINE, Throughput(), 5, lambda: None)

    def _convert(self, request: convert.Request, attempt: int) -> convert.Result:
        self.converted += 1
        with self._originals.at_hand(request) as here:
            return here.told_of(convert_file(here.request, self.settings, claims_of(self.settings)))

    def _render(self, request: render.Request, attempt: int) -> render.Result:
        with self._originals.at_hand(request) as here:
            return render_file(here.request, self.settings, claims_of(self.settings))

    async def start(self, path: Path | str | None = None, **wishes: Any) -> int:
        answer = await self.site.client.post("/api/imports", json={"path": str(path or self.photos), **wishes})
        assert answer.status_code == 202, answer.text
        return int(answer.json()["id"])

    async def progress(self, import_id: int) -> dict[str, Any]:
        seen: dict[str, Any] = (await self.site.client.get(f"/api/imports/{import_id}")).json()
        assert seen["found"] == seen["done"] + seen["skipped"] + seen["failed"] + seen["pending"]
        return seen

    async def scanned(self, import_id: int) -> dict[str, Any]:
        await self.until(lambda seen: seen[0]["scanned"], "SELECT scanned FROM imports WHERE id = :id", id=import_id)
        return await self.progress(import_id)

    async def imported(self, path: Path | str | None = None, **wishes: Any) -> dict[str, Any]:
        """An import from its start to its end."""
        import_id = await self.start(path, **wishes)
        await self.scanned(import_id)
        await self.work()
        seen = await self.progress(import_id)
        assert seen["state"] in ("done", "failed")
        return seen

    async def work(self, stage: str = "convert") -> None:
        """Do what is queued, and apply the answers in one batch."""
        await self.apply(self.answer(await self.queued(stage), stage))

    async def queued(self, stage: str = "convert") -> list[Run]:
        rows = await self.sql(
            "UPDATE stage_runs SET state = 'published' WHERE stage = :stage AND state = 'queued'"
            " RETURNING run_id, request",
            stage=stage,
        )
        return [Run(row["run_id"], row["request"]) for row in rows]

    def answer(self, runs: Sequence[Run], stage: str = "convert") -> list[Incoming]:
        messages = []
        for one in runs:
            outcome = run(load(stage), Delivery(json.dumps(one.request).encode(), one.run_id), self._tools)
            assert outcome.answer is not None
            body = outcome.answer.model_dump_json().encode()
            messages.append(Incoming(body, str(one.run_id), "results", {}))
        return messages

    async def apply(self, messages: list[Incoming]) -> None:
        await self._applier.apply(messages)

    async def sql(self, statement: str, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of a query, or [] for a change."""
        async with self.site.services.sessions.begin() as session:
            result = cast(Any, await session.execute(text(statement), parameters))
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    async def until(
        self, condition: Callable[[list[dict[str, Any]]], Any], statement: str, **parameters: Any
    ) -> list[dict[str, Any]]:
        deadline = time.monotonic() + SETTLED_SECONDS
        while not condition(rows := await self.sql(statement, **parameters)):
            assert time.monotonic() < deadline, f"waited {SETTLED_SECONDS} s for {statement}: {rows}"
            await asyncio.sleep(0.01)
        return rows

    async def photo(self) -> dict[str, Any]:
        """The only photo there is."""
        (found,) = await self.sql("SELECT * FROM photos")
        return found

    async def files(self) -> list[tuple[str, str, int]]:
        """Path, role and photo of every known file."""
        rows = await self.sql("SELECT path, role, photo_id FROM photo_files ORDER BY path")
        return [(os.fsdecode(row["path"]), row["role"], row["photo_id"]) for row in rows]

    async def items(self, import_id: int) -> dict[str, tuple[str, str | None]]:
        rows = await self.sql("SELECT path, state, reason FROM import_items WHERE import_id = :id", id=import_id)
        return {os.fsdecode(row["path"]): (row["state"], row["reason"]) for row in rows}

    async def check_books(self) -> None:
        """Counts equal the rows, no photo and no file twice, every derived file needed or to be swept."""
        for kind, table, name in (("items", "import_items", "'items'"), ("stages", "stage_runs", "stage")):
            counted = f"SELECT {name} AS k, import_id AS i, state AS s, count(*) AS n FROM {table} GROUP BY 1, 2, 3"
            which = "kind = 'items'" if kind == "items" else "kind <> 'items'"
            tallied = (
                f"SELECT kind AS k, import_id AS i, state AS s, sum(n)::bigint AS n FROM tallies WHERE {which}"
                " GROUP BY 1, 2, 3 HAVING sum(n) <> 0"
            )
            assert await self.sql(f"({counted}) EXCEPT ALL ({tallied})") == []
            assert await self.sql(f"({tallied}) EXCEPT ALL ({counted})") == []
        assert await self.sql("SELECT 1 FROM photos GROUP BY content_hash HAVING count(content_hash) > 1") == []
        claims = self.settings.claims_folder
        on_disk = {str(path.relative_to(claims)) for path in claims.rglob("*") if path.is_file()}
        rows = await self.sql("SELECT preview, thumbnail FROM photos WHERE preview IS NOT NULL AND deleted_at IS NULL")
        rows += await self.sql("SELECT claim FROM renditions")
        rows += await self.sql("SELECT upload, preview, thumbnail FROM placards")
        needed = {claim for row in rows for claim in row.values() if claim}
        unneeded = {row["claim"] for row in await self.sql("SELECT claim FROM orphan_candidates")}
        assert needed <= on_disk
        assert on_disk - needed <= unneeded


@pytest.fixture
async def archive(database_url: str, tmp_path: Path) -> AsyncIterator[Archive]:
    async with open_site(Settings(keepers_home=tmp_path / "home", database_url=database_url)) as site:
        yield Archive(site, tmp_path)


def with_new_metadata(path: Path, artist: str) -> None:
    """What a tool does that writes a name or a rating into a JPEG: other bytes, the same pixels."""
    data = path.read_bytes()
    exif = Image.Exif()
    exif[0x013B] = artist
    block = b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    segment = b"\xff\xe1" + (len(block) + 2).to_bytes(2, "big") + block
    temporary = path.with_name(".writing")
    temporary.write_bytes(data[:2] + segment + data[2:])
    assert Image.open(io.BytesIO(temporary.read_bytes())).getexif()[0x013B] == artist
    temporary.replace(path)


async def rate(archive: Archive, rating: int = 4) -> int:
    """The id of the only photo, which is rated now."""
    (row,) = await archive.sql("UPDATE photos SET user_rating = :rating RETURNING id", rating=rating)
    return int(row["id"])


async def reject(archive: Archive) -> None:
    await archive.sql("UPDATE photos SET rejected_at = now()")


def a_pair(folder: Path, stem: str = "DSC_0001", seed: int = 1) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    raw, jpeg = folder / f"{stem}.DNG", folder / f"{stem}.JPG"
    raw.write_bytes(dng(scene(240, 160, seed)))
    jpeg.write_bytes(saved(scene(240, 160, seed), "JPEG", quality=90))
    return raw, jpeg


async def sweep(archive: Archive, **options: float) -> None:
    async with archive.site.services.sessions.begin() as session:
        await sweeper.sweep(session, archive.site.claims, **options)
