"""Where an export may write to, said in sentences."""

import os
from collections.abc import Iterable
from pathlib import Path

from orchestrator.imports.folders import belongs_to_system, is_inside, shown
from shared.settings import Settings


def trouble_with(target: Path, settings: Settings, roots: Iterable[bytes]) -> str | None:
    """Why nothing can be exported into this folder; None when it can. It need not be there, what it lies in must.

    Looks at the disk, so not for the event loop.
    """
    if not target.is_absolute() or "\0" in str(target):
        return "Name the folder to export to by its whole path, beginning with /."
    try:
        return _outside_all(target, settings, roots) or _unwritable(target)
    except OSError as exc:  # a name that is too long, a drive that gives up
        return f"{shown(target)} cannot be opened: {os.strerror(exc.errno or 0)}."


def _outside_all(target: Path, settings: Settings, roots: Iterable[bytes]) -> str | None:
    resolved = Path(os.path.realpath(target))
    if is_inside(resolved, [settings.keepers_home]):
        return f"{shown(target)} is where Keepers keeps its own data. Choose a folder outside it."
    folders = [Path(os.fsdecode(root)) for root in roots]
    for folder in [*(settings.library_roots or ()), *folders]:
        if is_inside(resolved, [folder]):
            where = f"{shown(target)} lies in your photos ({shown(folder)})"
            return f"{where}, which Keepers only reads. Choose a folder outside."
    if resolved == Path("/") or belongs_to_system(resolved):
        return f"{shown(target)} belongs to the system. Choose a folder of your own."
    return None


def _unwritable(target: Path) -> str | None:
    if target.is_dir():
        if os.access(target, os.W_OK | os.X_OK):
            return None
        return f"Keepers may not write into {shown(target)}: it is read-only, or the permission is missing."
    if os.path.lexists(target):
        leads_nowhere = "is a link to a folder that is not there. Is its drive connected?"
        return f"{shown(target)} {leads_nowhere if target.is_symlink() else 'is a file, not a folder.'}"
    if not target.parent.is_dir():
        return f"There is no folder {shown(target.parent)}: make it first, or is its drive not connected?"
    if not os.access(target.parent, os.W_OK | os.X_OK):
        return (
            f"Keepers may not make a folder in {shown(target.parent)}: it is read-only, or the permission is missing."
        )
    return None
