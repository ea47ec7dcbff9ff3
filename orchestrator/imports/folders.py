"""Which folders may be read, said in sentences."""

import os
from collections.abc import Iterable
from pathlib import Path

from orchestrator.imports.walk import is_set_aside
from shared.bucket_address import BucketAddress, address, address_of, is_address
from shared.claims import path_of
from shared.settings import Settings

# fmt: off
_SYSTEM = tuple(map(Path, [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/run", "/sbin", "/snap", "/sys",
    "/usr", "/var/cache", "/var/lib", "/var/lock", "/var/log", "/var/run", "/var/spool",
    "/Applications", "/Library", "/System", "/private/etc", "/private/var/db", "/private/var/log",
]))
# fmt: on
_MOUNTED = (Path("/run/media"), Path("/run/mount"))  # drives inside a system folder


def allowed(path: Path, settings: Settings) -> str | None:
    """Why this folder cannot be imported; None when it can. Looks at the folder, so not for the event loop."""
    refused = may_read(path, settings)
    if refused:
        return refused
    if Path(os.path.realpath(path)) == Path("/"):
        return "The whole machine is not an archive: choose a folder inside it."
    with os.scandir(path) as entries:
        is_empty = next(entries, None) is None
    return f"There is nothing in {shown(path)}. If it is a drive, is it connected?" if is_empty else None


def may_read(path: Path, settings: Settings) -> str | None:
    """Why this folder cannot be opened; None when it can. An empty one can."""
    if not path.is_absolute() or "\0" in str(path):
        return "Name a folder by its whole path, beginning with /."
    resolved = Path(os.path.realpath(path))
    if is_set_aside(os.fsencode(resolved)):
        return f"{shown(path)} holds originals that were set aside. The page Free space brings them back."
    return _outside(path, resolved, settings) or _unreadable(path)


def folder_named(path: str | None, claim: str | None) -> Path:
    """The folder that a person or a page named. `~` is home; what cannot be a path becomes one that is refused."""
    if claim is not None:
        return path_of(claim)
    try:
        folder = Path(path or "").expanduser()
        os.fsencode(folder)
    except (RuntimeError, UnicodeEncodeError):
        return Path()
    return folder


def place_named(path: str | None, claim: str | None) -> Path | BucketAddress:
    """The same, or a folder of a bucket. Raises KeepersError for what looks like one and can be none."""
    if claim is not None:
        return address_of(claim) or path_of(claim)
    return address(path) if path and is_address(path) else folder_named(path, None)


def is_inside(path: Path, folders: Iterable[Path]) -> bool:
    """Whether the path, links already resolved, is one of the folders or lies in one."""
    return any(path.is_relative_to(os.path.realpath(folder)) for folder in folders)


def belongs_to_system(path: Path) -> bool:
    """Whether the path, links already resolved, is none of the person's."""
    return is_inside(path, _SYSTEM) and not is_inside(path, _MOUNTED)


def shown(path: str | bytes | os.PathLike[str]) -> str:
    """A path as text for people; what is not UTF-8 in it is replaced."""
    return os.fsencode(path).decode("utf-8", "replace")


def _outside(path: Path, resolved: Path, settings: Settings) -> str | None:
    """The rule, before the disk is asked anything but where links lead: what is refused is not even looked for."""
    if is_inside(resolved, [settings.keepers_home]):
        return f"{shown(path)} is where Keepers keeps its own data."
    if settings.opened_folder is not None and is_inside(resolved, [settings.opened_folder]):
        return None
    roots = settings.library_roots
    if roots is not None:
        return None if is_inside(resolved, roots) else not_in(path, settings)
    if belongs_to_system(resolved):
        return f"{shown(path)} belongs to the system, not to your photos."
    return None


def not_in(path: Path | str, settings: Settings) -> str:
    named = " or ".join([*map(shown, settings.library_roots or ()), *map(str, settings.library_buckets or ())])
    return f"{shown(path)} lies outside the photo folders. Keepers is set up to read only {named}."


def _unreadable(path: Path) -> str | None:
    try:
        with os.scandir(path):
            return None
    except FileNotFoundError:
        return f"There is no folder {shown(path)}."
    except NotADirectoryError:
        return f"{shown(path)} is a file, not a folder."
    except PermissionError:
        return f"Keepers may not read {shown(path)}: the permission is missing."
    except OSError as exc:
        return f"{shown(path)} cannot be read: {os.strerror(exc.errno or 0)}."
