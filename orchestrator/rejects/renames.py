"""The renames of one batch of files: what belongs to a photo goes together, or stays together."""

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby

from orchestrator.imports.folders import shown
from orchestrator.imports.walk import SET_ASIDE
from orchestrator.models import SetAside
from orchestrator.models.rejects import MOVING, RETURNING
from orchestrator.rejects import belongings
from orchestrator.rejects.disk import Disk, DriveTrouble, Lying, Stays
from orchestrator.rejects.inspection import SIDECAR
from orchestrator.rejects.journal import Outcome
from orchestrator.rejects.queries import key_of

Left = tuple[int | None, str]  # a photo that stayed, and why


@dataclass
class Renamed:
    """`trouble`: the drive failed, and what was not renamed by then was not tried."""

    left: list[Left] = field(default_factory=list)
    trouble: str | None = None


def rename_all(disk: Disk, entries: Sequence[SetAside]) -> Renamed:
    """Carry out what is written down. What came of it is to be looked for on the disk."""
    done = Renamed()
    for _, group in groupby(entries, key_of):
        files = list(group)
        try:
            disk.check()
            _rename_together(disk, files)
        except Stays as exc:
            done.left.append((files[0].photo_id, exc.message))
        except DriveTrouble as exc:
            done.trouble = exc.message
            break
    disk.flush(path for entry in entries for path in way(entry))
    return done


def way(entry: SetAside) -> tuple[bytes, bytes]:
    """From where to where it is on its way."""
    return (entry.path, entry.aside_path) if entry.state == MOVING else (entry.aside_path, entry.path)


def _rename_together(disk: Disk, files: Iterable[SetAside]) -> None:
    gone: list[tuple[bytes, bytes]] = []
    for entry in files:
        old, new = way(entry)
        try:
            if entry.state == MOVING and disk.look(old) not in (None, Lying(entry.size, entry.mtime_ns)):
                raise Stays("stays: it was changed just now")
            disk.move(old, new)
        except (Stays, DriveTrouble) as exc:
            for before, after in reversed(gone):
                with suppress(Stays, DriveTrouble):
                    disk.move(after, before)
            if isinstance(exc, Stays):
                raise Stays(f"{shown(old)} {exc.message}.") from exc
            raise
        gone.append((old, new))


def seen(disk: Disk, entries: Iterable[SetAside]) -> list[Outcome]:
    """Where each file lies now. Raises DriveTrouble when that cannot be said."""
    disk.check()
    outcomes = [Outcome(entry, _has_arrived(disk, entry)) for entry in entries]
    disk.check()  # a drive that went away meanwhile shows nothing, and that says nothing
    return outcomes


def _has_arrived(disk: Disk, entry: SetAside) -> bool:
    old, new = way(entry)
    try:
        lying = disk.look(new)
        if lying is None:
            return False
        # A program may have written it in the moment after: what went on its way and is not there any more is here.
        return lying == Lying(entry.size, entry.mtime_ns) or disk.is_free(old)
    except Stays:
        return False


@dataclass
class Return:
    """What is to come back, with size and time as it lies aside now, and with the sidecars that were made there.
    `back`: what somebody brought back by hand."""

    entries: list[SetAside] = field(default_factory=list)
    back: list[SetAside] = field(default_factory=list)
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    strays: list[SetAside] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)


def plan_return(disk: Disk, entries: Sequence[SetAside]) -> Return:
    """Raises DriveTrouble."""
    plan = Return()
    for _, group in groupby(entries, key_of):
        disk.check()
        _plan_photo(disk, list(group), plan)
    return plan


def _plan_photo(disk: Disk, files: Sequence[SetAside], plan: Return) -> None:
    there: dict[int, tuple[int, int]] = {}
    try:
        for entry in files:
            lying = disk.look(entry.aside_path)
            back = disk.look(entry.path) if lying is None else None
            if lying is not None:
                there[entry.id] = (lying.size, lying.mtime_ns)
            elif back is not None and (back.size, back.mtime_ns) == (entry.size, entry.mtime_ns):
                plan.back.append(entry)
                plan.sizes[entry.id] = (back.size, back.mtime_ns)
                continue
            else:
                plan.left.append((entry.photo_id, f"{shown(entry.aside_path)} is not there any more."))
                continue
            _check_free(disk, entry.path)
        strays = _strays(disk, [entry for entry in files if entry.id in there])
        for stray in strays:
            _check_free(disk, stray.path)
    except Stays as exc:
        why = exc.message if exc.message.endswith(".") else f"{shown(files[0].aside_path)} {exc.message}."
        plan.left.append((files[0].photo_id, why))
        return
    plan.entries += [entry for entry in files if entry.id in there]
    plan.sizes |= there
    plan.strays += strays


def _check_free(disk: Disk, path: bytes) -> None:
    if not disk.is_free(path):
        raise Stays(f"{shown(path)} is there already, so what was set aside from there stays aside.")


def _strays(disk: Disk, files: Sequence[SetAside]) -> list[SetAside]:
    """Sidecars that were made beside a photo while it lay aside."""
    known = {entry.aside_path for entry in files}
    strays: list[SetAside] = []
    by_folder = {os.path.dirname(entry.aside_path): entry for entry in files if entry.role != SIDECAR}
    for folder, photo in by_folder.items():
        names = disk.names(folder)
        for name in belongings.sidecars(names):
            path = os.path.join(folder, name)
            whose = {os.path.join(folder, owner) for owner in belongings.owners(name, belongings.images(names))}
            lying = disk.look(path) if whose and whose <= known and path not in known else None
            if lying is not None:
                strays.append(_stray(photo, path, lying))
    return strays


def _stray(photo: SetAside, path: bytes, lying: Lying) -> SetAside:
    return SetAside(
        batch=photo.batch,
        root_id=photo.root_id,
        photo_id=photo.photo_id,
        role=SIDECAR,
        path=belongings.path_beside(path, photo.aside_path, photo.path),
        aside_path=path,
        size=lying.size,
        mtime_ns=lying.mtime_ns,
        state=RETURNING,
    )


def remove_empty_folders(disk: Disk, entries: Iterable[SetAside]) -> None:
    """Folders that what came back has left empty; the folder of what was set aside among them."""
    for folder in {os.path.dirname(entry.aside_path) for entry in entries}:
        parts = folder.split(b"/")
        disk.remove_empty_folders(folder, b"/".join(parts[: parts.index(SET_ASIDE) + 1]))
