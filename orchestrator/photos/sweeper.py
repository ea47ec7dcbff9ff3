"""Removing derived files that no photo and no placard needs, and the uploads of placards that are gone. They become
candidates when they are replaced or never used, and go a day later: until then a conversion under way may still come
to need them."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.claims import ClaimStore, Stored, is_original, path_of

log = structlog.get_logger()

DAY_SECONDS = 24 * 3600.0
PATROL_SECONDS = 60.0
FOLDERS = [f"{number:02x}" for number in range(256)]  # derived files lie under the first two digits of their hash
AT_ONCE = 500  # files per sweep


async def consider(session: AsyncSession, claims: Iterable[str | None]) -> None:
    """These derived files may not be needed any more. Naming one that is in use does no harm."""
    named = sorted({claim for claim in claims if claim})
    if named:
        await session.execute(
            text(
                "INSERT INTO orphan_candidates (claim) SELECT unnest(CAST(:claims AS text[]))"
                " ON CONFLICT (claim) DO UPDATE SET since = now()"
            ),
            {"claims": named},
        )


async def consider_result(session: AsyncSession, result: Mapping[str, Any]) -> None:  # Any: a Result as JSON
    """A result is not used: nor are the files that it names."""
    claims = map(result.get, ("preview", "thumbnail", "rendition"))
    await consider(session, [claim for claim in claims if isinstance(claim, str)])


async def sweep(session: AsyncSession, claims: ClaimStore, older_than_seconds: float = DAY_SECONDS) -> None:
    """Remove candidates of that age that nothing refers to, and what killed processes left half written.

    A conversion that comes upon a finished file touches it, so a file touched lately is kept for its result.
    """
    await asyncio.to_thread(_clear_unfinished, claims.scratch, time.time() - older_than_seconds)
    found = await due(session, older_than_seconds)
    unneeded = [claim for claim, is_needed in found if not is_needed]
    touched = await asyncio.to_thread(_remove, claims, unneeded, time.time() - older_than_seconds)
    settled = [claim for claim, _ in found if claim not in touched]
    await session.execute(text("DELETE FROM orphan_candidates WHERE claim = ANY(:claims)"), {"claims": settled})
    await session.execute(
        text("UPDATE orphan_candidates SET since = now() WHERE claim = ANY(:claims)"), {"claims": list(touched)}
    )


async def due(session: AsyncSession, older_than_seconds: float, limit: int = AT_ONCE) -> Sequence[tuple[str, bool]]:
    """Candidates of that age, and whether something refers to them."""
    rows = await session.execute(
        text(
            """
            WITH due AS (
              SELECT claim FROM orphan_candidates WHERE since <= now() - make_interval(secs => :age)
              ORDER BY since LIMIT :limit FOR UPDATE SKIP LOCKED)
            SELECT claim, claim IN (SELECT preview FROM photos
                WHERE preview IN (SELECT claim FROM due) AND deleted_at IS NULL)
              OR claim IN (SELECT thumbnail FROM photos
                WHERE thumbnail IN (SELECT claim FROM due) AND deleted_at IS NULL)
              OR claim IN (SELECT claim FROM renditions WHERE claim IN (SELECT claim FROM due))
              OR EXISTS (SELECT 1 FROM placards WHERE claim IN (upload, preview, thumbnail)) FROM due
            """
        ),
        {"age": older_than_seconds, "limit": limit},
    )
    return rows.all()


def removable(claims: ClaimStore, found: Sequence[tuple[str, bool]], older_than_seconds: float) -> list[Stored]:
    """What a sweep removes of these candidates. Looks at the files."""
    derived = _derived(claim for claim, is_needed in found if not is_needed)
    before = time.time() - older_than_seconds
    return [file for file in claims.stats(derived).values() if file.modified_at <= before]


def _remove(claims: ClaimStore, unneeded: Iterable[str], touched_before: float) -> set[str]:
    """Returns the claims that were touched since, and are kept for now."""
    touched: set[str] = set()
    for claim, file in claims.stats(_derived(unneeded)).items():
        if file.modified_at > touched_before:
            touched.add(claim)
            continue
        try:
            claims.remove(claim)
            log.info("sweeper.removed", claim=claim)
        except OSError as exc:
            log.warning("sweeper.kept", claim=claim, error=str(exc))
            touched.add(claim)
    return touched


def _derived(named: Iterable[str]) -> list[str]:
    """Never an original."""
    return [claim for claim in named if not is_original(claim)]


class Patrol:
    """Looks for derived files that nobody told of: a worker was killed, or the disk was full, between writing
    and answering, and then the photo was given up. One small folder a minute."""

    def __init__(self, claims: ClaimStore) -> None:
        self._claims = claims
        self._turns = 0
        self._next_at = 0.0

    async def __call__(self, session: AsyncSession) -> None:
        if time.monotonic() >= self._next_at:
            self._next_at = time.monotonic() + PATROL_SECONDS
            self._turns += 1
            await nominate(session, self._claims, FOLDERS[self._turns % len(FOLDERS)])


async def nominate(
    session: AsyncSession, claims: ClaimStore, folder: str, older_than_seconds: float = DAY_SECONDS
) -> None:
    """Files of that age in `<kind>/<folder>`, of each kind that has such folders, that nothing refers to become
    candidates."""
    old = await asyncio.to_thread(_old_files, claims, folder, time.time() - older_than_seconds)
    await session.execute(
        text(
            "INSERT INTO orphan_candidates (claim)"
            " SELECT claim FROM unnest(CAST(:claims AS text[]), CAST(:hashes AS text[])) AS old (claim, hash)"
            " WHERE NOT EXISTS (SELECT 1 FROM photos WHERE content_hash = hash AND claim IN (preview, thumbnail)"
            "   AND deleted_at IS NULL)"
            " AND NOT EXISTS (SELECT 1 FROM placards WHERE content_hash = hash"
            "   AND claim IN (upload, preview, thumbnail))"
            " AND NOT EXISTS (SELECT 1 FROM renditions WHERE renditions.claim = old.claim)"
            " ON CONFLICT (claim) DO NOTHING"
        ),
        {"claims": list(old), "hashes": list(old.values())},
    )


def _old_files(claims: ClaimStore, folder: str, written_before: float) -> dict[str, str]:
    """Claim -> the content hash that it is named after."""
    kinds = ("previews", "thumbnails", "renditions", "placards")
    files = [file for kind in kinds for file in claims.list(f"{kind}/{folder}")]
    return {
        file.claim: path_of(file.claim).stem.partition("-")[0] for file in files if file.modified_at <= written_before
    }


def _clear_unfinished(folder: Path, written_before: float) -> None:
    for path in folder.glob("*"):
        try:
            if path.stat().st_mtime <= written_before:
                path.unlink()
        except OSError:
            continue  # its worker finished it meanwhile
