"""What is looked at now and then: how many photos wait for a yes, and whether a model has come to be there."""

import asyncio
import json
import time
import urllib.request
from functools import partial
from http.client import HTTPException

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import tallies
from orchestrator.curation import requests, service
from orchestrator.curation.results import note_reached
from shared import vision_endpoint
from shared.contracts import curate
from shared.settings import Settings

log = structlog.get_logger()

LOOK_EVERY_PROBES = 12  # a minute, by default
LOOK_SECONDS = 2.0
MOST_WAITING = 1_000  # photos to describe again are queued as the queue empties, not all at once
MOST_BYTES = 1_000_000

_WAITING = ("queued", "published", "retrying", "held")


async def count_calls(session: AsyncSession, settings: Settings) -> None:
    """Say in the sentence of the breaker how many calls wait for the person's yes."""
    host = vision_endpoint.host_of(vision_endpoint.address(settings))
    if vision_endpoint.is_remote(host):
        cause = service.why_waiting(host, await waiting(session))
        await session.execute(
            text("UPDATE breakers SET cause = :cause WHERE key = :key AND cause <> :cause"),
            {"cause": cause, "key": vision_endpoint.consent_key(host)},
        )


async def waiting(session: AsyncSession) -> int:
    """Photos that wait to be described."""
    counts = (await tallies.of_stages(session)).get("curate", {})
    return max(0, sum(counts.get(state, 0) for state in _WAITING))


class Lookout:
    """While nobody chose an endpoint: looks whether a model is at the default address by now, remembers it, and has
    described again what was described without one."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._next_look = 0.0

    async def __call__(self, session: AsyncSession) -> None:
        if vision_endpoint.is_chosen(self._settings):
            return
        await self._stop_falling_back(session)
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + LOOK_EVERY_PROBES * self._settings.probe_seconds
        if await _is_any_built_in(session) and await waiting(session) < MOST_WAITING:
            url, model = vision_endpoint.address(self._settings), self._settings.llm_model
            if await asyncio.to_thread(is_there, url, model):
                await note_reached(session)
                again = partial(requests.queue_again, which="p.described_by = :built_in", priority=service.LATER)
                ids = await again(session, limit=MOST_WAITING, built_in=curate.BUILT_IN)
                log.info("curation.described_again", photos=len(ids))

    async def _stop_falling_back(self, session: AsyncSession) -> None:
        """A model was reached: the requests that wait for it say so too."""
        changed = await session.execute(
            text(
                "UPDATE curation_state SET may_fall_back = false WHERE may_fall_back AND reached_at IS NOT NULL"
                " RETURNING id"
            )
        )
        if changed.first():
            await requests.refresh_waiting(session)


async def _is_any_built_in(session: AsyncSession) -> bool:
    rows = await session.execute(
        text("SELECT 1 FROM photos WHERE described_by = :built_in AND deleted_at IS NULL LIMIT 1"),
        {"built_in": curate.BUILT_IN},
    )
    return rows.first() is not None


def is_there(url: str, model: str) -> bool:
    """Whether this endpoint answers and lists the model."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # it is on this machine
    try:
        with opener.open(f"{url}models", timeout=LOOK_SECONDS) as answer:
            listed = json.loads(answer.read(MOST_BYTES))["data"]
            names = {str(entry["id"]) for entry in listed}
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return False
    return model in names or f"{model}:latest" in names  # as Ollama names what `ollama pull llava` fetched
