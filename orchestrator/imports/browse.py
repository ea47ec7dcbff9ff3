"""The folder browser and the roots to start from."""

import os
import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.concurrency import run_in_threadpool

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import ServicesDep
from orchestrator.imports import bucket_roots
from orchestrator.imports.folders import is_inside, may_read, place_named, shown
from shared.bucket_address import BucketAddress, address_of, is_address
from shared.claims import ClaimPath, claim_of, path_of
from shared.errors import KeepersError
from shared.formats import IMAGE_EXTENSIONS, extension_of
from shared.settings import Settings

router = APIRouter(responses=ERRORS)

_MOST_FOLDERS = 1_000
_MOST_ENTRIES = 2_000  # of one folder, when counting its photos
_COUNTING_SECONDS = 1.0  # over all folders of one answer; a slow drive is not waited for


class Folder(BaseModel):
    name: str
    path: str  # for people
    claim: str  # for POST /api/imports and for this address
    photos: int | None  # directly inside; None when not counted
    is_more: bool = False  # there are at least as many as said


class FolderListing(BaseModel):
    path: str
    claim: str
    label: str
    parent: str | None  # a claim
    photos: int | None
    folders: list[Folder]
    is_cut: bool  # there are more folders than listed
    readable: bool
    refused: str | None


class RootChip(BaseModel):
    label: str
    path: str
    claim: str
    state: str  # online, offline
    problem: str | None
    waiting: int = 0


class RootList(BaseModel):
    items: list[RootChip]
    next: None = None


@router.get("/api/folders")
async def list_folder(
    services: ServicesDep,
    path: Annotated[str | None, Query(max_length=4096)] = None,
    claim: Annotated[ClaimPath | None, Query(max_length=16_384)] = None,
) -> FolderListing:
    """The folders inside one. A folder that may not be read says why in `refused`. Those of a bucket are not listed."""
    if path is None and claim is None:
        raise Refused(422, "invalid", "Say which folder: path or claim.")
    try:
        where = place_named(path, claim)
    except KeepersError as exc:
        return _unlisted(path or "", exc.message)
    if isinstance(where, BucketAddress):
        return _unlisted(str(where), await run_in_threadpool(bucket_roots.allowed, where, services.settings))
    return await run_in_threadpool(_listing, where, services.settings)


@router.get("/api/roots")
async def list_roots(services: ServicesDep) -> RootList:
    """Where photos may be: the configured folders, else the usual places, and every known drive."""
    async with services.sessions() as session:
        known = await _known_roots(session)
    return RootList(items=await run_in_threadpool(_chips, known, services.settings))


def _listing(folder: Path, settings: Settings) -> FolderListing:
    refused = may_read(folder, settings)
    parent = folder.parent if folder.is_absolute() and folder.parent != folder else None
    if parent is not None and may_read(parent, settings):
        parent = None
    deadline = time.monotonic() + _COUNTING_SECONDS
    names = [] if refused else _subfolders(folder)
    listed = [_folder(folder / name, deadline, settings) for name in names[:_MOST_FOLDERS]]
    own = None if refused else _count_photos(folder)
    return FolderListing(
        path=shown(folder),
        claim=claim_of(folder),
        label=shown(folder.name or folder),
        parent=claim_of(parent) if parent else None,
        photos=own[0] if own else None,
        folders=[found for found in listed if found is not None],
        is_cut=len(names) > _MOST_FOLDERS,
        readable=refused is None,
        refused=refused,
    )


def _unlisted(path: str, refused: str | None) -> FolderListing:
    """A bucket: to find its folders one would have to go through all of its keys."""
    return FolderListing(
        path=path,
        claim=claim_of(path) or "/",
        label=path,
        parent=None,
        photos=None,
        folders=[],
        is_cut=False,
        readable=refused is None,
        refused=refused,
    )


def _subfolders(folder: Path) -> list[str]:
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.name.startswith(".") and _is_folder(entry)]
    return sorted(names, key=lambda name: (name.casefold(), name))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _folder(path: Path, deadline: float, settings: Settings) -> Folder | None:
    """A row of the listing; folders that may not be read are left out of it."""
    if may_read(path, settings):
        return None
    counted = _count_photos(path) if time.monotonic() < deadline else None
    photos, is_more = counted or (None, False)
    return Folder(name=shown(path.name), path=shown(path), claim=claim_of(path), photos=photos, is_more=is_more)


def _count_photos(folder: Path) -> tuple[int, bool] | None:
    count = 0
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= _MOST_ENTRIES:
                    return count, True
                count += extension_of(entry.name) in IMAGE_EXTENSIONS and not entry.name.startswith(".")
    except OSError:
        return None
    return count, False


async def _known_roots(session: AsyncSession) -> list[RootChip]:
    sql = """
    SELECT r.path, r.label, r.state, r.problem, CASE WHEN r.state = 'offline' THEN
      (SELECT count(*) FROM stage_runs s WHERE s.state = 'held' AND s.hold_key = 'root:' || r.id) ELSE 0 END AS waiting
    FROM roots r ORDER BY r.id DESC LIMIT 100"""
    return [_known(row) for row in await session.execute(text(sql))]


def _known(row: Any) -> RootChip:  # Any: a row of _known_roots
    path, label, state, problem, waiting = row
    if state == "offline":
        why = f"{label} does not answer" if is_address(path) else f"Drive {label} is not connected"
        problem = why + (f": {waiting:,} waiting" if waiting else "")
    return RootChip(label=label, path=shown(path), claim=claim_of(path), state=state, problem=problem, waiting=waiting)


def _chips(known: list[RootChip], settings: Settings) -> list[RootChip]:
    places = _usual_places() if settings.library_roots is None else settings.library_roots
    chips = [_place(path, settings) for path in places if settings.library_roots or not may_read(path, settings)]
    offline = [chip for chip in known if chip.state == "offline"]
    away = {chip.path: chip for chip in offline}
    chips += [away.get(str(where)) or _bucket(where) for where in settings.library_buckets or ()]
    folders = [path_of(chip.claim) for chip in chips if not is_address(chip.path)]
    listed = {chip.claim for chip in chips}
    usable = [chip for chip in known if chip.state != "offline" and not _is_refused(chip, settings)]
    for chip in (*offline, *usable):
        is_part = settings.library_roots is None and is_inside(path_of(chip.claim), folders)
        if chip.claim not in listed and (chip.state == "offline" or not is_part):
            listed.add(chip.claim)
            chips.append(chip)
    return chips


def _is_refused(chip: RootChip, settings: Settings) -> bool:
    where = address_of(chip.claim)
    return bool(may_read(path_of(chip.claim), settings) if where is None else bucket_roots.may_read(where, settings))


def _bucket(where: BucketAddress) -> RootChip:
    """Nothing is asked: an answer may take a minute."""
    return RootChip(label=where.name, path=str(where), claim=claim_of(str(where)), state="online", problem=None)


def _place(path: Path, settings: Settings) -> RootChip:
    problem = may_read(path, settings)
    label = "Home" if path == Path.home() else shown(path.name or path)
    state = "offline" if problem else "online"
    return RootChip(label=label, path=shown(path), claim=claim_of(path), state=state, problem=problem)


def _usual_places() -> tuple[Path, ...]:
    """Pictures, home, and the drives that are mounted where desktops mount them."""
    mounted = [drive for place in ("/media", "/run/media") for drive in Path(place).glob("*/*")]
    mounted += [drive for place in ("/mnt", "/Volumes") for drive in Path(place).glob("*")]
    home = Path.home()
    pictures = [found for found in (home / "Pictures", home / "Bilder", home / "Images") if found.is_dir()]
    return (*pictures, home, *sorted(drive for drive in mounted if os.path.ismount(drive)))
