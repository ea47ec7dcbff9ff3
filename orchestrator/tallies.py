"""Reading and folding the counts that triggers keep, see `models.Tally`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

ITEMS = "items"

Counts = Mapping[str, int]  # state -> how many


async def of_stages(session: AsyncSession) -> Mapping[str, Counts]:
    """Runs by stage and state, over the whole archive."""
    rows = await session.execute(
        text("SELECT kind, state, sum(n)::bigint FROM tallies WHERE kind <> 'items' GROUP BY kind, state")
    )
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for kind, state, n in rows:
        counts[kind][state] = n
    return counts


async def of_imports(session: AsyncSession, import_ids: Sequence[int]) -> Mapping[int, Mapping[str, Counts]]:
    """For each import: by kind (`items`, or a stage), then by state."""
    rows = await session.execute(
        text(
            "SELECT import_id, kind, state, sum(n)::bigint FROM tallies WHERE import_id = ANY(:ids)"
            " GROUP BY import_id, kind, state"
        ),
        {"ids": list(import_ids)},
    )
    counts: dict[int, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for import_id, kind, state, n in rows:
        counts[import_id][kind][state] = n
    return counts


async def fold(session: AsyncSession) -> None:
    """Replace the log by its sums; a count that is one row already is left alone. A concurrent fold waits for
    neither and takes what the other leaves."""
    await session.execute(
        text(
            """
            WITH long AS (
              SELECT kind, coalesce(import_id, 0) AS import, state FROM tallies GROUP BY 1, 2, 3 HAVING count(*) > 1
            ), taken AS (
              DELETE FROM tallies WHERE id IN (
                SELECT id FROM tallies JOIN long ON long.kind = tallies.kind AND long.state = tallies.state
                  AND long.import = coalesce(tallies.import_id, 0) FOR UPDATE OF tallies SKIP LOCKED)
              RETURNING kind, import_id, state, n
            )
            INSERT INTO tallies (kind, import_id, state, n)
            SELECT kind, import_id, state, sum(n) FROM taken GROUP BY 1, 2, 3 HAVING sum(n) <> 0
            """
        )
    )
