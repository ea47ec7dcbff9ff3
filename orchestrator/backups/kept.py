"""The folder of backups: which there are, and which of them are kept."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from orchestrator.backups.manifest import NotUsable, Why, opened
from shared.errors import KeepersError
from shared.settings import Settings

KEPT = 5  # of each reason: backups before upgrades do not push out the daily ones
UNFINISHED = ".unfinished"
_NAME = re.compile(r"keepers-(\d{4}-\d\d-\d\d-\d{6})-(daily|upgrade|asked)\.zip")
_MOMENT = "%Y-%m-%d-%H%M%S"


@dataclass(frozen=True)
class Backup:
    """`photos` is None, and `problem` says why, when it cannot be read."""

    path: Path
    made_at: datetime
    why: Why
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


def name_of(made_at: datetime, why: Why) -> str:
    return f"keepers-{made_at.strftime(_MOMENT)}-{why}.zip"


def listed(folder: Path) -> list[Backup]:
    """Newest first, without a look inside."""
    found = []
    for path in folder.glob("keepers-*.zip"):
        if match := _NAME.fullmatch(path.name):
            made_at = datetime.strptime(match[1], _MOMENT).replace(tzinfo=UTC)
            with suppress(FileNotFoundError):  # a newer one has just pushed it out
                found.append(Backup(path, made_at, cast(Why, match[2]), path.stat().st_size))
    return sorted(found, key=lambda one: one.made_at, reverse=True)


def read(folder: Path) -> list[Backup]:
    """Newest first, with what each says about itself."""
    return [_read(one) for one in listed(folder)]


def prepare(folder: Path) -> None:
    """Make the folder, private, and clear what a killed backup left. To be called by the only one that writes."""
    if not folder.exists():
        folder.mkdir(parents=True, mode=0o700)
    for left in folder.glob(f"keepers-*.zip{UNFINISHED}"):
        left.unlink()


def drop_old(folder: Path, why: Why) -> None:
    for old in [one for one in listed(folder) if one.why == why][KEPT:]:
        old.path.unlink(missing_ok=True)


def _read(backup: Backup) -> Backup:
    try:
        with opened(backup.path) as (_, manifest):
            return Backup(backup.path, backup.made_at, backup.why, backup.bytes, manifest.photos)
    except NotUsable as exc:
        return Backup(backup.path, backup.made_at, backup.why, backup.bytes, problem=exc.message)
