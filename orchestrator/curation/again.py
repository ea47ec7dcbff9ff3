"""Describing many photos again: the wish is kept, and queued part by part, so that it survives a restart."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events
from orchestrator.answers import Refused
from orchestrator.curation import requests
from orchestrator.curation.service import LATER
from shared.contracts import curate
from shared.settings import Settings

AT_ONCE = 2_000  # photos that are queued in one transaction


async def begin(session: AsyncSession, settings: Settings, described_by: str | None, at_once: int = AT_ONCE) -> int:
    """Have the photos described again that this model, or `built-in`, described; by default all that the model and
    the words in use now did not. Returns how many. Refused while an earlier wish is still being queued."""
    state = (await session.execute(text("SELECT again_after FROM curation_state FOR UPDATE"))).one()
    if state.again_after is not None:
        raise Refused(409, "busy", "Photos of an earlier wish are still being queued. Try again in a minute.")
    which, values = _which(settings, described_by)
    photos = await requests.count(session, which, **values)
    if photos:
        await session.execute(text("UPDATE curation_state SET again_after = 0, again_by = :by"), {"by": described_by})
        await go_on(session, settings, at_once)
    return photos


async def go_on(session: AsyncSession, settings: Settings, at_once: int = AT_ONCE) -> None:
    """Queue the next part of the wish, if there is one."""
    wish = (await session.execute(text("SELECT again_after, again_by FROM curation_state FOR UPDATE"))).one()
    if wish.again_after is None:
        return
    which, values = _which(settings, wish.again_by)
    after = {"after": wish.again_after, **values}
    ids = await requests.queue_again(session, f"p.id > :after AND {which}", LATER, limit=at_once, **after)
    is_last = len(ids) < at_once
    await session.execute(
        text("UPDATE curation_state SET again_after = :after"), {"after": None if is_last else max(ids)}
    )
    await events.record(session, events.STAGES, [])


def _which(settings: Settings, described_by: str | None) -> tuple[str, dict[str, Any]]:  # Any: values of the condition
    if described_by is not None:
        return "p.described_by = :by", {"by": described_by}
    older = "(p.described_by, p.prompt_version) IS DISTINCT FROM (:model, :prompt)"
    return older, {"model": settings.llm_model, "prompt": curate.PROMPT_VERSION}
