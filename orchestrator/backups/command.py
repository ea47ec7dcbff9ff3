"""`keepers backup` and `keepers restore`, on the terminal."""

import asyncio
from functools import partial
from pathlib import Path

from orchestrator.backups import kept
from orchestrator.backups.restoring import restore
from orchestrator.backups.writing import begin, write
from orchestrator.embedded.database import own_database, reachable_database
from orchestrator.embedded.home import Home
from shared.claims import ClaimStore, open_claims
from shared.settings import Settings

_OPEN = "Keepers is open. Stop it (Ctrl-C where `keepers up` runs), then restore."
_REASONS = {"daily": "daily", "upgrade": "before an upgrade", "asked": "asked for"}


def back_up(settings: Settings, folder: Path | None) -> None:
    """Write one backup. Raises KeepersError."""
    target = (folder or kept.require(settings)).expanduser().absolute()
    with reachable_database(settings) as url:
        print(f"Writing a backup to {target} ...", flush=True)
        path = asyncio.run(_written(url, open_claims(settings), target, drops_old=folder is None))
    print(f"{path} is complete: {_size(path.stat().st_size)}.")


def list_backups(settings: Settings) -> None:
    folder = kept.require(settings)
    found = kept.read(folder)
    if not found:
        print(f"There is no backup in {folder} yet. `keepers backup` makes one.")
    for one in found:
        what = one.problem or f"{one.photos:,} photos, {_size(one.bytes)}, {_REASONS[one.why]}"
        print(f"{one.path}: {one.made_at.astimezone():%Y-%m-%d %H:%M}, {what}")


def put_back(settings: Settings, path: Path, *, is_dry: bool) -> None:
    """Restore a backup, or with `is_dry` only find out whether it can be. Raises KeepersError."""

    say = partial(print, flush=True)
    Home(settings.keepers_home)  # makes its folders, should they be gone: some of the backup belongs there
    database = reachable_database(settings) if is_dry else own_database(settings, _OPEN)
    file = path.expanduser().absolute()
    with database as url:
        restored = asyncio.run(restore(url, file, open_claims(settings), say, is_dry=is_dry))
    manifest = restored.manifest
    of = f"{manifest.photos:,} photos and {manifest.rows_of('rating_events'):,} decisions"
    if restored.before is None:
        say(f"The backup is whole and can be restored: {of}. Nothing was changed.")
        return
    say(f"Restored {of}. What was there before is kept as the database {restored.before}, until the next restore.")
    if manifest.missing:
        say(
            f"{len(manifest.missing):,} files were gone already when the backup was made: {', '.join(manifest.missing)}"
        )
    if settings.decisions_file.exists():
        say(f"Decisions made after the backup are in {settings.decisions_file}: `keepers replay` makes them again.")


async def _written(url: str, claims: ClaimStore, folder: Path, *, drops_old: bool) -> Path:
    connection = await begin(url)
    try:
        return await write(connection, claims, folder, "asked", drops_old=drops_old)
    finally:
        connection.terminate()


def _size(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.1f} GB"
