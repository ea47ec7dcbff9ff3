"""The embedding models over HTTP: fetched by a button, in the background, with what goes wrong in a sentence."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.embedding import service
from shared.settings import Settings
from tests.doubles.model_host import ModelHost, serving
from tests.site import Site, open_site

WEIGHTS = b"w" * 300_000


@pytest.fixture
async def hosted(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Site, ModelHost]]:
    with serving(ModelHost()) as host:
        settings = Settings(keepers_home=tmp_path / "home", database_url=database_url, hf_endpoint=host.url)
        async with open_site(settings) as site:
            async with site.services.sessions.begin() as session:
                await service.choose(session, settings)
            yield site, host


async def clip(site: Site) -> dict[str, Any]:
    starter, found = (await site.client.get("/api/models")).json()["items"]
    assert starter["state"] == "ready"
    return dict(found)


async def once_it_ended(site: Site) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while (found := await clip(site))["state"] == "fetching":  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0.02)
    return found


async def test_clip_is_fetched_and_then_built_up(hosted: tuple[Site, ModelHost]) -> None:
    site, host = hosted
    host.files["open_clip_model.safetensors"] = WEIGHTS
    before = await clip(site)
    assert (before["state"], before["in_force"]) == ("absent", False)
    assert before["plan"].startswith("1.7 GB, about ")
    answer = await site.client.post("/api/models/clip/fetch")
    assert answer.status_code == 202
    fetched = await once_it_ended(site)
    assert (fetched["state"], fetched["bytes_here"], fetched["error"]) == ("ready", len(WEIGHTS), None)
    async with site.services.sessions.begin() as session:
        await service.choose(session, site.services.settings)
    assert (await clip(site))["in_force"], "an archive without photos has nothing to build up"


async def test_a_fetch_that_fails_says_why_and_can_be_started_again(hosted: tuple[Site, ModelHost]) -> None:
    site, host = hosted
    await site.client.post("/api/models/clip/fetch")
    failed = await once_it_ended(site)
    assert failed["state"] == "absent"
    assert "has none of open_clip_model.safetensors" in failed["error"]
    host.files["open_clip_model.safetensors"] = WEIGHTS
    await site.client.post("/api/models/clip/fetch")
    again = await once_it_ended(site)
    assert (again["state"], again["error"]) == ("ready", None)
