"""An archive with rated photos to export, and what an export made of it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from orchestrator.models import Photo, Root
from tests import factories
from tests.pictures import saved, scene
from tests.relaying import until
from tests.site import Site
from workers.engines.colour import srgb_profile

PREVIEW = saved(scene(96, 64), "JPEG", icc_profile=srgb_profile())


class Desk:
    """A photographer's archive and the folder that it is exported to."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.photos, self.target = folder / "photos", folder / "website"
        self.photos.mkdir()

    async def photo(self, name: str = "DSC_0001.jpg", original: bytes | None = None, **fields: Any) -> int:
        async with self.site.services.sessions.begin() as session:
            known = {"content_hash": hashlib.sha256(name.encode()).hexdigest(), "user_rating": 4, **fields}
            photo: Photo = await factories.a_photo(session, await self._root(session), name, **known)
            if "preview" not in fields:
                photo.preview = self.site.services.claims.put(f"previews/{photo.id}.jpg", PREVIEW)
            if original is not None:
                await self._file(session, photo, name, original, "original")
            return photo.id

    async def companion(self, photo_id: int, name: str, data: bytes) -> None:
        async with self.site.services.sessions.begin() as session:
            await self._file(session, await session.get_one(Photo, photo_id), name, data, "companion")

    async def _file(self, session: Any, photo: Photo, name: str, data: bytes, role: str) -> None:
        (self.photos / name).write_bytes(data)
        await factories.a_file(session, photo, name.encode(), role=role)

    async def _root(self, session: Any) -> Root:
        known = (await session.execute(text("SELECT id FROM roots"))).scalar()
        return await session.get_one(Root, known) if known else await factories.a_root(session, bytes(self.photos))

    async def sql(self, statement: str) -> None:
        async with self.site.services.sessions.begin() as session:
            await session.execute(text(statement))

    async def start(self, **wishes: Any) -> httpx.Response:
        return await self.site.client.post("/api/exports", json={"target": str(self.target), **wishes})

    async def export(self, **wishes: Any) -> dict[str, Any]:
        answer = await self.start(**wishes)
        assert answer.status_code == 202, answer.text
        return await self.finished(answer.json()["id"])

    async def finished(self, export_id: str) -> dict[str, Any]:
        async def is_over() -> bool:
            return (await self.seen(export_id))["state"] != "running"

        await until(is_over, "the export to end")
        return await self.seen(export_id)

    async def seen(self, export_id: str) -> dict[str, Any]:
        return dict((await self.site.client.get(f"/api/exports/{export_id}")).json())

    @property
    def entries(self) -> list[dict[str, Any]]:
        return list(json.loads((self.target / "photos.json").read_bytes()))

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.target.iterdir())


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    return Desk(site, tmp_path)
