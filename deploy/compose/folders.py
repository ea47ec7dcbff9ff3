"""The folders that .env names: photographs to read, places to write."""

import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from missing import Missing

CONTAINER_USER = 10001
BUCKET = "s3://"


def libraries(env: Mapping[str, str]) -> "dict[str, str]":
    """Of each library its place in the containers, and the folder of this machine."""
    first = env.get("PHOTO_LIBRARY")
    if not first:
        raise Missing("it does not know yet where your photographs are. Type: make compose PHOTOS=/your/folder")
    found = {"/photos/library": str(folder(first, "PHOTO_LIBRARY"))}
    for library in (one for one in split(env.get("PHOTO_LIBRARIES", "")) if not one.startswith(BUCKET)):
        if (where := str(folder(library, "PHOTO_LIBRARIES"))) not in found.values():
            found[_free_place(Path(where).name or "drive", found)] = where
    return found


def buckets(env: Mapping[str, str]) -> "list[str]":
    """The libraries that lie in an object store."""
    return [one for one in split(env.get("PHOTO_LIBRARIES", "")) if one.startswith(BUCKET)]


def _free_place(name: str, taken: Mapping[str, str]) -> str:
    number, place = 2, f"/photos/{name}"
    while place in taken:
        number, place = number + 1, f"/photos/{name}-{number}"
    return place


def folder(name: str, setting: str) -> Path:
    if name.startswith(BUCKET):
        where = "Name the bucket in PHOTO_LIBRARIES" if setting == "PHOTO_LIBRARY" else "Name a folder"
        raise Missing(f"{setting} must be a folder of this machine, not {name}. {where}, then type: make compose")
    found = Path(name).expanduser()
    if not found.is_absolute():
        raise Missing(f"{setting} must be a whole path, from / on: {name}. Change it in .env, then type: make compose")
    if not found.is_dir():
        again = "make compose PHOTOS=/your/folder" if setting == "PHOTO_LIBRARY" else "make compose"
        raise Missing(
            f"the folder {name} does not exist. Connect its drive, or change {setting} in .env, then type: {again}"
        )
    return found


def writable(env: Mapping[str, str]) -> "dict[str, Path]":
    """By the name of its setting."""
    return {name: folder(env[name], name) for name in ("BACKUP_FOLDER", "EXPORT_FOLDER") if env.get(name)}


def groups(libraries: Mapping[str, str], writable: Mapping[str, Path]) -> "list[str]":
    """The groups that the user of the containers needs for these folders."""
    if sys.platform != "linux":
        return []  # Docker Desktop lets the containers do what you may do
    needed = [(Path(library), False) for library in libraries.values()]
    needed += [(folder, True) for folder in writable.values()]
    return sorted({group for folder, write in needed if (group := _group(folder, write))})


def _group(folder: Path, write: bool) -> "str | None":
    """None when anybody may; else the folder's group, if that may."""
    found = folder.stat()
    wanted = stat.S_IROTH | stat.S_IXOTH | (stat.S_IWOTH if write else 0)
    if found.st_mode & wanted == wanted or found.st_uid == CONTAINER_USER:
        return None
    if found.st_mode & (wanted << 3) == wanted << 3:
        return str(found.st_gid)
    verb, right, how = ("write into", "g+rwX", "") if write else ("read", "g+rX", "-R ")
    raise Missing(
        f"the containers may not {verb} {folder}: only its owner may."
        f" Type: chmod {how}{right} '{folder}'   then type: make compose"
    )


def split(libraries: str) -> "list[str]":
    """At the colons of a list, not at those of `s3://` and `C:\\`."""
    return [one.strip() for one in re.split(r":(?!//|\\)", libraries) if one.strip()]
