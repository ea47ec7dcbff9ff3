"""What was decided and is not in the sidecars yet. Noted in the transaction of the decision, so that none is missed."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

SAID_THERE = frozenset({"user_rating", "rejected_at", "manual_match", "tags"})  # of what is decided about a photo
AGAIN_SECONDS = 600  # after which one that could not be written is tried again


async def note(session: AsyncSession, photo_ids: Sequence[int]) -> None:
    """Something was decided about these photos that their sidecars should say, where the person allowed it."""
    await session.execute(
        text(
            "INSERT INTO due_sidecars (root_id, photo_id) SELECT DISTINCT root_id, photo_id FROM photo_files"
            " JOIN roots ON roots.id = root_id WHERE writes_sidecars AND photo_id = ANY(:ids) ORDER BY 1, 2"
            " ON CONFLICT (root_id, photo_id) DO UPDATE SET due_at = excluded.due_at, problem = NULL"
        ),
        {"ids": list(photo_ids)},
    )


async def note_all(session: AsyncSession, root_id: int) -> None:
    """Everything that was decided about photos of this root."""
    await session.execute(
        text(
            "INSERT INTO due_sidecars (root_id, photo_id) SELECT DISTINCT photo_files.root_id, photo_id"
            " FROM photo_files JOIN photos ON photos.id = photo_id"
            " WHERE photo_files.root_id = :root AND deleted_at IS NULL"
            " AND (user_rating IS NOT NULL OR rejected_at IS NOT NULL OR manual_match OR cardinality(tags) > 0)"
            " ORDER BY 1, 2 ON CONFLICT DO NOTHING"
        ),
        {"root": root_id},
    )


async def forget_all(session: AsyncSession, root_id: int) -> None:
    await session.execute(text("DELETE FROM due_sidecars WHERE root_id = :root"), {"root": root_id})


async def roots(session: AsyncSession, delay_seconds: float) -> list[int]:
    """Where something is to be written now: decided so long ago that nobody is just changing their mind."""
    rows = await session.scalars(
        text(
            "SELECT id FROM roots WHERE writes_sidecars AND EXISTS (SELECT 1 FROM due_sidecars"
            " WHERE root_id = roots.id AND due_at <= now() - make_interval(secs => :delay)) ORDER BY id"
        ),
        {"delay": delay_seconds},
    )
    return list(rows)


async def next_photos(session: AsyncSession, root_id: int, delay_seconds: float, limit: int) -> Mapping[int, str]:
    """Photo -> when it became due, as the database writes it."""
    rows = await session.execute(
        text(
            "SELECT photo_id, due_at::text FROM due_sidecars WHERE root_id = :root"
            " AND due_at <= now() - make_interval(secs => :delay) ORDER BY due_at, photo_id LIMIT :limit"
        ),
        {"root": root_id, "delay": delay_seconds, "limit": limit},
    )
    return dict(rows.all())


async def settle(
    session: AsyncSession, root_id: int, tried: Mapping[int, str], later: Mapping[int, str], stuck: Mapping[int, str]
) -> None:
    """These were tried. `later` and `stuck` could not be written, for these reasons: the ones are tried again after a
    while, the others when the person decides anew. What was decided since is still due."""
    await _keep(session, root_id, tried, later, f"now() + interval '{AGAIN_SECONDS} seconds'")
    await _keep(session, root_id, tried, stuck, "'infinity'")
    done = [id_ for id_ in tried if id_ not in later and id_ not in stuck]
    await session.execute(
        text(
            "DELETE FROM due_sidecars USING unnest(CAST(:ids AS bigint[]), CAST(:times AS text[])) AS tried (id, due)"
            " WHERE root_id = :root AND photo_id = tried.id AND due_at = CAST(tried.due AS timestamptz)"
        ),
        {"root": root_id, "ids": done, "times": [tried[id_] for id_ in done]},
    )


async def _keep(
    session: AsyncSession, root_id: int, tried: Mapping[int, str], why: Mapping[int, str], until: str
) -> None:
    await session.execute(
        text(
            f"UPDATE due_sidecars SET due_at = {until}, problem = tried.why FROM unnest(CAST(:ids AS bigint[]),"
            " CAST(:times AS text[]), CAST(:why AS text[])) AS tried (id, due, why)"
            " WHERE root_id = :root AND photo_id = tried.id AND due_at = CAST(tried.due AS timestamptz)"
        ),
        {"root": root_id, "ids": list(why), "times": [tried[id_] for id_ in why], "why": list(why.values())},
    )


async def say_trouble(session: AsyncSession, root_id: int, problem: str | None) -> bool:
    """Whether that is news."""
    changed = await session.execute(
        text(
            "UPDATE roots SET sidecar_problem = :problem WHERE id = :root AND sidecar_problem IS DISTINCT FROM :problem"
            " RETURNING id"
        ),
        {"root": root_id, "problem": problem},
    )
    return changed.first() is not None


def concerns(columns: Collection[str]) -> bool:
    """Whether a decision about these columns is said in sidecars."""
    return not SAID_THERE.isdisjoint(columns)
