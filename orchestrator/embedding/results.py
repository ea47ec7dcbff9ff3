"""Vectors as they come in, and which model's vectors are asked for."""

from collections.abc import Sequence
from typing import cast

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator.bursts import detection as bursts
from orchestrator.embedding import service
from orchestrator.models import Photo, PhotoVector
from orchestrator.stage_results import Applied
from shared.contracts import Message, embed


async def apply(session: AsyncSession, applied: Sequence[Applied]) -> Sequence[int]:
    """Keep the vectors; when a new model's set is complete with them, it becomes the model in force."""
    results = [cast(embed.Result, one.result) for one in applied]
    statement = insert(PhotoVector)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["photo_id", "model"], set_={"vector": statement.excluded.vector}
        ),
        [{"photo_id": result.photo_id, "model": result.model, "vector": result.vector} for result in results],
    )
    await _ask_for_scores(session, results)
    await service.switch_if_complete(session)
    await bursts.request_around(session, [result.photo_id for result in results])
    return [result.photo_id for result in results]


async def _ask_for_scores(session: AsyncSession, results: Sequence[embed.Result]) -> None:
    """These photos have not been scored by what they look like now; see orchestrator.taste.scoring."""
    model = await service.in_force(session)
    landed = [result.photo_id for result in results if result.model == model]
    await session.execute(
        text(
            "UPDATE photos SET score_activation = 0 WHERE id IN"
            " (SELECT id FROM photos WHERE id = ANY(:ids) ORDER BY id FOR UPDATE)"
        ),
        {"ids": landed},
    )


async def follow(session: AsyncSession, photo_ids: Sequence[int]) -> Sequence[tuple[int, Message]]:
    """An embed request for each of these photos that has a preview, for the newest model, but for one whose vector was
    made of this preview: a picture that is only made again costs no second one."""
    wanted = await requests(session, photo_ids)
    made = await _made_of(session, wanted)
    return [(one.photo_id, one) for one in wanted if one.photo_id not in made]


async def requests(session: AsyncSession, photo_ids: Sequence[int]) -> Sequence[embed.Request]:
    """One for each of these photos that has a preview, for the newest model."""
    model = await service.newest(session)
    rows = await session.execute(select(col(Photo.id), col(Photo.preview)).where(col(Photo.id).in_(photo_ids)))
    return [embed.Request(photo_id=p, file_path=preview, model=model) for p, preview in rows if preview]


async def _made_of(session: AsyncSession, wanted: Sequence[embed.Request]) -> set[int]:
    """The photos of these requests that have been answered by a vector that is still there."""
    rows = await session.scalars(
        text(
            """
            SELECT wanted.id FROM unnest(CAST(:ids AS bigint[]), CAST(:previews AS text[]), CAST(:models AS text[]))
              AS wanted (id, preview, model)
            JOIN stage_runs run ON run.stage = 'embed' AND run.subject = wanted.id::text AND run.state = 'done'
              AND run.request->>'file_path' = preview AND run.request->>'model' = wanted.model
            JOIN photo_vectors vector ON vector.photo_id = wanted.id AND vector.model = wanted.model
            """
        ),
        {
            "ids": [one.photo_id for one in wanted],
            "previews": [one.file_path for one in wanted],
            "models": [one.model for one in wanted],
        },
    )
    return set(rows)
