"""The requests of the curate stage: made, put into the outbox, and kept in step with where photos may go."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import trace
from shared.contracts import curate

# Of a photo `p` under the state `s`.
_REQUEST = """jsonb_build_object('photo_id', p.id, 'file_path', p.preview, 'host', s.host,
  'may_fall_back', s.may_fall_back, 'captured_at', p.captured_at, 'focal_length_mm', p.focal_length_mm)"""
_WITH_PREVIEW = "p.preview IS NOT NULL AND p.deleted_at IS NULL"
_IDLE = """NOT EXISTS (SELECT 1 FROM stage_runs r WHERE r.stage = 'curate' AND r.subject = p.id::text
  AND r.state IN ('queued', 'published', 'retrying', 'held'))"""


async def of_photos(session: AsyncSession, photo_ids: Sequence[int]) -> list[curate.Request]:
    """A request for each of these photos that has a preview, but for one that was made of this preview already: a
    picture that is only made again costs no second call."""
    rows = await session.scalars(
        text(
            f"""
            SELECT {_REQUEST} FROM photos p CROSS JOIN curation_state s
            WHERE p.id = ANY(:ids) AND {_WITH_PREVIEW} AND NOT EXISTS (
              SELECT 1 FROM stage_runs r WHERE r.stage = 'curate' AND r.subject = p.id::text
              AND r.request->>'file_path' = p.preview AND r.state NOT IN ('failed', 'cancelled'))
            ORDER BY p.id
            """
        ),
        {"ids": list(photo_ids)},
    )
    return [curate.Request.model_validate(row) for row in rows]


async def of_picture(
    session: AsyncSession, number: int, preview: str, exif: Mapping[str, Any]
) -> curate.Request:  # Any: as JSON
    """A request for a picture that is no photo of the archive; `number` is what the answer names it by."""
    state = (await session.execute(text("SELECT host, may_fall_back FROM curation_state"))).one()
    facts = {name: exif.get(name) for name in ("captured_at", "focal_length_mm")}
    asked = {"photo_id": number, "file_path": preview, "host": state.host, "may_fall_back": state.may_fall_back}
    return curate.Request.model_validate(asked | facts)


async def queue_again(
    session: AsyncSession, which: str, priority: int, limit: int | None = None, **values: Any
) -> list[int]:
    """Put photos `p` for which the SQL condition `which` holds into the outbox once more, but for those that are under
    way. Returns their ids, the lowest first."""
    rows = await session.scalars(
        text(
            f"""
            INSERT INTO stage_runs (stage, subject, photo_id, run_id, trace_id, request, state, attempt, priority)
            SELECT 'curate', p.id::text, p.id, gen_random_uuid(), CAST(:trace AS uuid), {_REQUEST}, 'queued', 1,
              :priority
            FROM photos p CROSS JOIN curation_state s
            WHERE {_WITH_PREVIEW} AND ({which}) AND {_IDLE}
            ORDER BY p.id LIMIT :limit
            ON CONFLICT (stage, subject) DO UPDATE SET run_id = excluded.run_id,
              trace_id = excluded.trace_id, request = excluded.request,
              state = 'queued', attempt = 1, priority = excluded.priority, hold_key = NULL, error = NULL,
              error_type = NULL, queued_at = now(), published_at = NULL, finished_at = NULL
            RETURNING photo_id
            """
        ),
        {"priority": priority, "limit": limit, "trace": trace.current(), **values},
    )
    return list(rows)


async def count(session: AsyncSession, which: str, **values: Any) -> int:
    """How many photos `queue_again` would put there without a limit."""
    sql = f"SELECT count(*) FROM photos p WHERE {_WITH_PREVIEW} AND ({which}) AND {_IDLE}"
    return int((await session.execute(text(sql), values)).scalar_one())


async def put_first(session: AsyncSession, photo_id: int, priority: int) -> None:
    """A photo that waits already waits less long."""
    await session.execute(
        text(
            "UPDATE stage_runs SET priority = :priority WHERE stage = 'curate' AND subject = :subject"
            " AND state IN ('queued', 'held')"
        ),
        {"subject": str(photo_id), "priority": priority},
    )


async def refresh_all(session: AsyncSession) -> None:
    """Requests that may be published yet say what is true now. Before anything is published: it waits for locks."""
    await session.execute(text(_REFRESH + "WHERE stage = 'curate' AND stage_runs.state NOT IN ('done', 'cancelled')"))


async def refresh_waiting(session: AsyncSession) -> None:
    """The same for what is not out, while everything runs. Waits for nobody's locks."""
    await session.execute(
        text(
            _REFRESH + "WHERE stage_runs.id IN (SELECT id FROM stage_runs WHERE stage = 'curate'"
            " AND state IN ('queued', 'held', 'failed') FOR UPDATE SKIP LOCKED)"
        )
    )


_REFRESH = """
UPDATE stage_runs SET request = request || jsonb_build_object('host', s.host, 'may_fall_back', s.may_fall_back)
FROM curation_state s """
