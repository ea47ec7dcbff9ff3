"""What the database says: photos and their drives, what stands still, what failed; and the newest backup."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import asyncpg

from orchestrator.backups import kept
from orchestrator.db import plain_dsn
from orchestrator.doctor.checks import Check, Patient, ok, warning
from orchestrator.doctor.services import ANSWER_SECONDS, UNREACHABLE
from orchestrator.imports.folders import shown
from orchestrator.imports.roots import is_empty_or_missing
from shared.bucket_address import is_address
from shared.errors import KeepersError

_BACKUP_AGE = timedelta(days=2)


async def archive(patient: Patient) -> list[Check]:
    """Backups alone, while no database answers or its tables are not those of this version: another check says so.
    What takes too long in a large archive is left out."""
    if patient.database_url is None:
        return [_backups(patient, None)]
    try:
        connection = await asyncpg.connect(plain_dsn(patient.database_url), timeout=ANSWER_SECONDS)
    except (*UNREACHABLE, ValueError):
        return [_backups(patient, None)]
    checks: list[Check] = []
    known: str | None = None
    try:
        for look in (_drives, _stages, _problems):
            with suppress(*UNREACHABLE):
                checks.append(await look(connection))
        with suppress(*UNREACHABLE):
            known = await connection.fetchval("SELECT archive FROM backup_state", timeout=ANSWER_SECONDS)
        return [*checks, _backups(patient, known)]
    finally:
        connection.terminate()


async def _drives(connection: asyncpg.Connection) -> Check:
    roots = await connection.fetch("SELECT path, state FROM roots ORDER BY id", timeout=ANSWER_SECONDS)
    away = [shown(row["path"]) for row in roots if row["state"] != "online" or _is_unplugged(row["path"])]
    if away:
        return warning("drives", f"Not here: {', '.join(away)}. What waits for them goes on when they are connected.")
    if not roots:
        return ok("drives", "No photos were imported yet.", "keepers up --photos DIR")
    photos = await connection.fetchval("SELECT count(*) FROM photos WHERE deleted_at IS NULL", timeout=60)
    return ok("drives", f"{photos:,} photos in {len(roots):,} {'folder' if len(roots) == 1 else 'folders'}, all here.")


def _is_unplugged(root: bytes) -> bool:
    """A bucket never is; the check of the libraries asks it."""
    return not is_address(root) and is_empty_or_missing(root)


async def _stages(connection: asyncpg.Connection) -> Check:
    paused = await connection.fetch("SELECT stage FROM stage_pauses ORDER BY stage", timeout=ANSWER_SECONDS)
    breakers = await connection.fetch("SELECT stage, cause FROM breakers ORDER BY stage, key", timeout=ANSWER_SECONDS)
    said = [f"{row['stage']} is paused: resume it in the pipeline of the page." for row in paused]
    said += [f"{row['stage']} waits: {row['cause']}" for row in breakers]
    return warning("stages", " ".join(said)) if said else ok("stages", "No stage is paused or waits for something.")


async def _problems(connection: asyncpg.Connection) -> Check:
    count = await connection.fetchval("SELECT count(*) FROM dead_letters WHERE state = 'open'", timeout=60)
    if count:
        return warning("problems", f"{count:,} failed for good. The page Problems says why, and what to do.")
    return ok("problems", "Nothing has failed for good.")


def _backups(patient: Patient, archive: str | None) -> Check:
    """Those of this archive; of whichever lie there, while the database does not say which it is."""
    try:
        folder = kept.require(patient.settings)
    except KeepersError as exc:
        return warning("backups", exc.message)
    newest = kept.newest(kept.listed(folder, archive), datetime.now(UTC))
    if newest is None:
        return ok("backups", f"No backup was made yet; one is made every day, in {folder}.", "keepers backup")
    age = datetime.now(UTC) - newest.made_at
    sentence = f"The newest backup in {folder} is of {newest.made_at:%Y-%m-%d %H:%M} UTC."
    return warning("backups", sentence, "keepers backup") if age > _BACKUP_AGE else ok("backups", sentence)
