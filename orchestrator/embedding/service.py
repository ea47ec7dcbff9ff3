"""Which embedding model is in force, and the way from one to the next. Vectors of two models are never compared."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared import embedding_models, trace
from shared.settings import Settings

_CHOOSING = 0x656D6264  # advisory lock: of two orchestrators that start, one queues


async def choose(session: AsyncSession, settings: Settings) -> None:
    """Start building the vectors of the best model that is here: CLIP once it is fetched, else the starter."""
    if embedding_models.clip_is_fetched(settings):
        await start_building(session, embedding_models.clip_name(settings))
    else:
        await session.execute(
            text(
                "INSERT INTO embedding_models (name, state) SELECT :name, 'current'"
                " WHERE NOT EXISTS (SELECT 1 FROM embedding_models WHERE state <> 'retired')"
                " ON CONFLICT (name) DO UPDATE SET state = 'current', since = now()"
            ),
            {"name": embedding_models.starter_name()},
        )


async def start_building(session: AsyncSession, model: str) -> None:
    """Queue every photo for this model, once. It comes into force when its set is complete."""
    await lock_choice(session)
    known = await session.execute(
        text("SELECT 1 FROM embedding_models WHERE name = :name AND state <> 'retired'"), {"name": model}
    )
    if known.first():
        return
    await session.execute(text("UPDATE embedding_models SET state = 'retired' WHERE state = 'building'"))
    await session.execute(
        text(
            "INSERT INTO embedding_models (name, state) VALUES (:name, 'building')"
            " ON CONFLICT (name) DO UPDATE SET state = 'building', since = now()"
        ),
        {"name": model},
    )
    await session.execute(
        text(
            """
            INSERT INTO stage_runs (stage, subject, photo_id, run_id, trace_id, request, state, attempt, priority)
            SELECT 'embed', id::text, id, gen_random_uuid(), CAST(:trace AS uuid),
              jsonb_build_object('photo_id', id, 'file_path', preview, 'model', CAST(:name AS text)), 'queued', 1, 1
            FROM photos WHERE preview IS NOT NULL AND deleted_at IS NULL
            ON CONFLICT (stage, subject) DO UPDATE SET run_id = excluded.run_id,
              trace_id = excluded.trace_id, request = excluded.request,
              state = 'queued', attempt = 1, priority = 1, hold_key = NULL, error = NULL, error_type = NULL,
              queued_at = now(), published_at = NULL, finished_at = NULL
            """
        ),
        {"name": model, "trace": trace.current()},
    )
    await switch_if_complete(session)


async def lock_choice(session: AsyncSession) -> None:
    """No model is begun with until the end of the transaction."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHOOSING})


async def newest(session: AsyncSession) -> str:
    """The model that new photos are embedded with: the one being built, else the one in force."""
    rows = await session.execute(
        text("SELECT name FROM embedding_models WHERE state IN ('building', 'current') ORDER BY state LIMIT 1")
    )
    return rows.scalar() or embedding_models.starter_name()


async def in_force(session: AsyncSession) -> str | None:
    """The model whose vectors may be compared now."""
    rows = await session.execute(text("SELECT name FROM embedding_models WHERE state = 'current'"))
    model: str | None = rows.scalar()
    return model


async def switch_if_complete(session: AsyncSession) -> None:
    """Put the model that is being built in force once no embed run of it is left to answer."""
    await session.execute(
        text(
            """
            WITH complete AS (
              SELECT name FROM embedding_models building WHERE state = 'building' AND (
                SELECT coalesce(sum(n), 0) FROM tallies WHERE kind = 'embed'
                AND state IN ('queued', 'published', 'retrying', 'held')) = 0
            )
            UPDATE embedding_models SET since = now(),
              state = CASE WHEN name = (SELECT name FROM complete) THEN 'current' ELSE 'retired' END
            WHERE EXISTS (SELECT 1 FROM complete)
              AND (state = 'current' OR name = (SELECT name FROM complete))
            """
        )
    )
