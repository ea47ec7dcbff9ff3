"""The folder of backups: which there are, and which of them are kept. Several archives may share one: the name of a
backup ends in the id of its archive, and what is of another archive is never touched."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

from orchestrator.backups.manifest import NotUsable, Why, opened
from shared.errors import KeepersError
from shared.settings import Settings

KEPT = 5  # of each reason: backups before upgrades do not push out the daily ones
CLOCKS_DIFFER = timedelta(hours=1)  # at most, between machines that write into one folder
UNFINISHED = ".unfinished"
_NAME = re.compile(r"keepers-(\d{4}-\d\d-\d\d-\d{6})-(daily|upgrade|asked)(?:-([0-9a-f]{12}))?\.zip")
_MOMENT = "%Y-%m-%d-%H%M%S"


@dataclass(frozen=True)
class Backup:
    """`archive` is None where the database was too old to have an id. `photos` is None, and `problem` says why, when it
    cannot be read."""

    path: Path
    made_at: datetime
    why: Why
    archive: str | None
    bytes: int
    photos: int | None = None
    problem: str | None = None


class FolderAway(KeepersError):
    """The folder for backups is not there."""


def folder_of(settings: Settings) -> Path:
    return settings.backup_folder or settings.keepers_home / "backups"


def require(settings: Settings) -> Path:
    """The folder of backups. One that the person named must be there: below the place of a drive that is away, a new
    folder would be on the wrong disk. Raises FolderAway."""
    named = settings.backup_folder
    if named is not None and not named.is_dir():
        raise FolderAway(f"The folder for backups, {named}, is not there. Connect its drive, or change BACKUP_FOLDER.")
    return folder_of(settings)


def name_of(made_at: datetime, why: Why, archive: str | None) -> str:
    return f"keepers-{made_at.strftime(_MOMENT)}-{why}{f'-{archive}' if archive else ''}.zip"


def listed(folder: Path, archive: str | None = None) -> list[Backup]:
    """Newest first, without a look inside. Those that another archive than this one wrote are left out."""
    found = []
    for path in folder.glob("keepers-*.zip"):
        if (match := _NAME.fullmatch(path.name)) and (archive is None or match[3] in (None, archive)):
            made_at = datetime.strptime(match[1], _MOMENT).replace(tzinfo=UTC)
            with suppress(FileNotFoundError):  # a newer one has just pushed it out
                found.append(Backup(path, made_at, cast(Why, match[2]), match[3], path.stat().st_size))
    return sorted(found, key=lambda one: one.made_at, reverse=True)


def newest(backups: Sequence[Backup], now: datetime) -> Backup | None:
    """One that is dated in the future was written while a clock was wrong, and says nothing."""
    return next((one for one in backups if one.made_at <= now + CLOCKS_DIFFER), None)


def read(folder: Path, archive: str | None = None) -> list[Backup]:
    """The same as `listed`, with what each says about itself."""
    return [_read(one) for one in listed(folder, archive)]


def prepare(folder: Path, archive: str | None) -> None:
    """Make the folder, private, and clear what a killed backup of this archive left. To be called by the only one that
    writes for it."""
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    if archive is not None:
        for left in folder.glob(f"keepers-*-{archive}.zip{UNFINISHED}"):
            left.unlink()


def drop_old(folder: Path, why: Why, archive: str | None, now: datetime) -> None:
    """Those of this archive. One that is dated in the future stays until then, and takes no place of another."""
    ours = [one for one in listed(folder) if archive is not None and (one.archive, one.why) == (archive, why)]
    for old in [one for one in ours if one.made_at <= now + CLOCKS_DIFFER][KEPT:]:
        old.path.unlink(missing_ok=True)


def _read(backup: Backup) -> Backup:
    try:
        with opened(backup.path) as (_, manifest):
            return replace(backup, photos=manifest.photos)
    except NotUsable as exc:
        return replace(backup, problem=exc.message)
