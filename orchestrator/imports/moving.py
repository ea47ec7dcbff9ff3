"""Changing where a root lies: under another path, inside a larger root, or not here at all."""

import os
from pathlib import Path

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import breakers
from orchestrator.imports.folders import shown
from orchestrator.models import Root
from shared.claims import claim_of

log = structlog.get_logger()


def root_key(root_id: int) -> str:
    """The breaker key of everything that needs this root."""
    return f"root:{root_id}"


async def relocate(session: AsyncSession, root: Root, folder: Path) -> None:
    """The root lies at `folder` from now on; what waited for it goes on."""
    old, old_label = claim_of(root.path), root.label
    log.info("roots.relocated", root=root.id, old=old, new=claim_of(folder))
    root.path, root.label, root.state, root.problem = os.fsencode(folder), shown(folder), "online", None
    await session.flush()
    await _rewrite_requests(session, root.id, old, claim_of(folder))
    await session.execute(
        text("UPDATE photos SET file_path = :new || substr(file_path, :length) WHERE root_id = :root"),
        {"new": root.label, "length": len(old_label) + 1, "root": root.id},
    )
    await breakers.close(session, root_key(root.id))


async def _rewrite_requests(session: AsyncSession, root_id: int, old: str, new: str) -> None:
    """Requests hold absolute claims: those under the old path get the new one. What is out with the old path goes
    out again under a new run id, so that nobody believes its answer."""
    await session.execute(
        text(
            """
            UPDATE stage_runs SET request = request
              || jsonb_build_object('root', CAST(:new AS text))
              || jsonb_build_object('file_path', CAST(:new AS text) || substr(request->>'file_path', :length))
              || CASE WHEN request->>'companion' IS NULL THEN '{}'::jsonb ELSE
                 jsonb_build_object('companion', CAST(:new AS text) || substr(request->>'companion', :length)) END,
              run_id = CASE WHEN state IN ('published', 'retrying') THEN gen_random_uuid() ELSE run_id END,
              published_at = CASE WHEN state IN ('published', 'retrying') THEN NULL ELSE published_at END,
              state = CASE WHEN state IN ('published', 'retrying') THEN 'queued' ELSE state END
            WHERE gate = :gate
            """
        ),
        {"new": new, "length": len(old) + 1, "gate": root_key(root_id)},
    )


async def put_away(session: AsyncSession, root: Root, why: str) -> None:
    """The root is not connected, and nothing probes for it: under its path lies something else. Answers about what
    was read there are not believed."""
    root.state, root.problem = "offline", why
    await session.flush()
    await session.execute(
        text(
            "INSERT INTO breakers (key, stage, cause, probe_at)"
            " VALUES (:key, 'convert', :why, now() + interval '99 years')"
            " ON CONFLICT (key) DO UPDATE SET cause = :why, probe_at = now() + interval '99 years', probe_run = NULL"
        ),
        {"key": root_key(root.id), "why": why},
    )  # fmt: skip
    await session.execute(
        text(
            "UPDATE stage_runs SET state = 'held', hold_key = :key, run_id = gen_random_uuid(), published_at = NULL"
            " WHERE gate = :key AND state IN ('queued', 'published', 'retrying', 'held')"
        ),
        {"key": root_key(root.id)},
    )


async def absorb(session: AsyncSession, outer: Root, inner: Root, prefix: bytes) -> None:
    """A parent folder of a root becomes the root: the files of both are then known under one path each."""
    inside = "CAST(:inside AS bytea)"  # the path of the inner root in the outer one, with a slash behind it
    for change in (
        f"import_items SET path = {inside} || path FROM imports WHERE imports.id = import_id AND root_id = :inner",
        f"photo_files SET root_id = :outer, path = {inside} || path WHERE root_id = :inner",
        f"sidecars SET root_id = :outer, path = {inside} || path WHERE root_id = :inner",
        f"watches SET root_id = :outer, folder = rtrim({inside} || folder, '/') WHERE root_id = :inner",
        f"imports SET root_id = :outer, folder = rtrim({inside} || folder, '/'),"
        f" cursor = rtrim({inside} || cursor, '/') WHERE root_id = :inner",
        f"set_aside SET root_id = :outer, path = {inside} || path, aside_path = {inside} || aside_path"
        " WHERE root_id = :inner",
        "rejects_batches SET root_id = :outer WHERE root_id = :inner",
        "photos SET root_id = :outer WHERE root_id = :inner",
    ):
        values = {"outer": outer.id, "inner": inner.id, "inside": prefix + b"/"}
        used = {name: value for name, value in values.items() if f":{name}" in change}
        await session.execute(text(f"UPDATE {change}"), used)
    await session.execute(
        text(
            "UPDATE stage_runs SET gate = :new, request = request || jsonb_build_object("
            "'root', CAST(:root AS text), 'root_key', CAST(:new AS text)) WHERE gate = :old"
        ),
        {"new": root_key(outer.id), "old": root_key(inner.id), "root": claim_of(outer.path)},
    )
    if inner.writes_sidecars and not outer.writes_sidecars:  # it was allowed for a part, and not for all of it
        outer.sidecar_problem = (
            f"Sidecars were written in {inner.label}, which is part of this folder now. Switch it on for all of it:"
            " what was decided meanwhile is written then."
        )
    await breakers.close(session, root_key(inner.id))
    await session.delete(inner)
    await session.flush()
