"""Descriptions as they come in. The tags that the person edited are kept apart and stay."""

import json
from collections.abc import Sequence
from typing import cast

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.curation import requests
from orchestrator.stage_results import Applied
from shared.contracts import Message, curate

# What pixels say never takes the place of what a model said.
_DESCRIBE = """
UPDATE photos SET subject = d.subject, content_type = d.content_type, lighting_critique = d.lighting_critique,
  artistic_mood = d.artistic_mood, suggested_tags = ARRAY(SELECT jsonb_array_elements_text(d.suggested_tags)),
  described_by = d.described_by, prompt_version = d.prompt_version, updated_at = now()
FROM jsonb_to_recordset(CAST(:results AS jsonb)) AS d (photo_id bigint, subject text, content_type text,
  lighting_critique text, artistic_mood text, suggested_tags jsonb, described_by text, prompt_version int)
WHERE photos.id = d.photo_id AND deleted_at IS NULL
  AND (d.described_by <> :built_in OR coalesce(photos.described_by, :built_in) = :built_in)
"""


async def apply(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    """Photos get their words. The first words of a model at the default address are remembered as its being there."""
    results = [cast(curate.Result, one.result) for one in applied]
    await session.execute(
        text(_DESCRIBE),
        {"results": json.dumps([result.model_dump(mode="json") for result in results]), "built_in": curate.BUILT_IN},
    )
    if any(result.described_by != curate.BUILT_IN for result in results):
        await note_reached(session)
    return [result.photo_id for result in results]


async def follow(session: AsyncSession, photo_ids: Sequence[int]) -> Sequence[tuple[int, Message]]:
    """A request for each of these photos that has a preview."""
    return [(request.photo_id, request) for request in await requests.of_photos(session, photo_ids)]


async def note_reached(session: AsyncSession) -> None:
    """A model answered. At the default address that is remembered: its absence holds from now on."""
    await session.execute(
        text("UPDATE curation_state SET reached_at = now() WHERE may_fall_back AND reached_at IS NULL")
    )
