"""Exports as every orchestrator sees them. The one that makes an export holds two locks until it is over: one that
lets no other begin, and one of this export. While nobody holds that, and nothing was heard of it lately, it is not
being made."""

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.export.views import ExportView

EXPORTING = 0x6578706F  # advisory lock
KEPT = 20
_LATELY_HOURS = 24
_SILENCE_SECONDS = 10  # a connection that was lost took the locks along; on another one they are back before

_ENDED = "Keepers was stopped during this export. What was exported stays; export again, and it goes on."


async def take_the_locks(session: AsyncSession, export_id: str) -> bool:
    """Until the end of the transaction everybody sees that this export is made, and no other begins, in whatever
    orchestrator. False while there is another one."""
    await session.execute(
        text("SELECT pg_advisory_xact_lock(:key, hashtext(:id))"), {"key": EXPORTING, "id": export_id}
    )
    return bool(await session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": EXPORTING}))


async def keep_the_locks(session: AsyncSession, export_id: str) -> None:
    """They are gone with their connection, and the export goes on: take them again, on whatever connection there is
    now. Taken twice they are held as before."""
    try:
        await take_the_locks(session, export_id)
    except SQLAlchemyError:  # of the connection, or of a transaction that was lost with it
        await session.rollback()
        await take_the_locks(session, export_id)


async def write(session: AsyncSession, view: ExportView) -> None:
    """How far an export is; of many only the newest are kept."""
    await session.execute(
        text(
            "INSERT INTO exports (id, seen, started_at) VALUES (:id, CAST(:seen AS jsonb), :at)"
            " ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, said_at = now()"
        ),
        {"id": view.id, "seen": view.model_dump_json(), "at": view.started_at},
    )
    await session.execute(
        text("DELETE FROM exports WHERE id IN (SELECT id FROM exports ORDER BY started_at DESC, id OFFSET :kept)"),
        {"kept": KEPT},
    )


async def find(session: AsyncSession, export_id: str) -> ExportView | None:
    view = await _stored(session, export_id)
    return None if view is None else await _as_it_is_now(session, view)


async def newest(session: AsyncSession) -> ExportView | None:
    """Of the last day."""
    rows = await session.scalars(
        text(
            "SELECT seen FROM exports WHERE started_at > now() - make_interval(hours => :hours)"
            " ORDER BY started_at DESC, id LIMIT 1"
        ),
        {"hours": _LATELY_HOURS},
    )
    seen = rows.first()
    return None if seen is None else await _as_it_is_now(session, ExportView.model_validate(seen))


async def _stored(session: AsyncSession, export_id: str) -> ExportView | None:
    rows = await session.scalars(text("SELECT seen FROM exports WHERE id = :id"), {"id": export_id})
    seen = rows.first()
    return None if seen is None else ExportView.model_validate(seen)


async def _as_it_is_now(session: AsyncSession, view: ExportView) -> ExportView:
    if view.state != "running" or await _is_made(session, view.id):
        return view
    view = await _stored(session, view.id) or view  # it may have ended between the two looks
    return view.model_copy(update={"state": "failed", "error": _ENDED}) if view.state == "running" else view


async def _is_made(session: AsyncSession, export_id: str) -> bool:
    alive = await session.scalar(
        text(
            "SELECT 1 FROM exports WHERE id = :id AND said_at > now() - make_interval(secs => :silence)"
            " UNION ALL SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2"
            " AND classid = :key AND objid = CAST(hashtext(:id) AS oid)"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) LIMIT 1"
        ),
        {"key": EXPORTING, "id": export_id, "silence": _SILENCE_SECONDS},
    )
    return alive is not None
