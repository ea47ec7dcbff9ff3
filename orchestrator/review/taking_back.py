"""What becomes true of photos when a decision about them is taken back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.review.writing import DECIDED, Wanted, types_of

# Photo by photo: PostgreSQL takes any batch for a small one, and would compare each of its events with every photo.
# A merged photo may have two events of one batch: the first says how it was. Another rating or pick since then keeps
# the photo too.
_TAKEN_BACK = """
SELECT photo_id, CASE WHEN may_be_kept AND (stars IS NOT NULL OR is_picked) THEN fields - 'kept_at' ELSE fields END
  AS fields
FROM (
  SELECT p.id AS photo_id, fields, jsonb_exists_any(event.after, ARRAY['user_rating', 'manual_match']) AS may_be_kept,
    CASE WHEN jsonb_exists(fields, 'user_rating') THEN fields ->> 'user_rating' ELSE CAST(p.user_rating AS text) END
      AS stars,
    CASE WHEN jsonb_exists(fields, 'manual_match') THEN CAST(fields ->> 'manual_match' AS boolean)
      ELSE p.manual_match END AS is_picked
  FROM unnest(CAST(:photos AS bigint[])) AS locked (id)
  CROSS JOIN LATERAL (SELECT before, after FROM rating_events
    WHERE batch = CAST(:taken_back AS uuid) AND photo_id = locked.id ORDER BY id LIMIT 1) AS event
  JOIN photos AS p ON p.id = locked.id
  CROSS JOIN LATERAL jsonb_to_record(event.after) AS said({types})
  CROSS JOIN LATERAL (SELECT {fields} AS fields) AS again
) AS made
"""
_PROJECT_IS_THERE = """
 AND (event.before ->> 'project_id' IS NULL
   OR EXISTS (SELECT 1 FROM projects WHERE projects.id = CAST(event.before ->> 'project_id' AS bigint)))
"""


async def taken_back(session: AsyncSession, batch: UUID, locked_ids: Sequence[int]) -> Wanted:
    """What was true of these photos before the decision, of what is still as it was decided."""
    named = text("SELECT DISTINCT jsonb_object_keys(after) FROM rating_events WHERE batch = :batch")
    columns = sorted(DECIDED.keys() & set(await session.scalars(named, {"batch": batch})))
    return Wanted(
        _TAKEN_BACK.format(types=types_of(columns), fields=" || ".join(map(_as_before, columns))),
        {"taken_back": batch, "photos": list(locked_ids)},
        columns,
    )


def _as_before(name: str) -> str:
    is_as_decided = f"jsonb_exists(event.after, '{name}') AND p.{name} IS NOT DISTINCT FROM said.{name}"
    if name == "project_id":
        is_as_decided += _PROJECT_IS_THERE
    return (
        f"CASE WHEN {is_as_decided} THEN jsonb_build_object('{name}', event.before -> '{name}') ELSE '{{}}'::jsonb END"
    )
