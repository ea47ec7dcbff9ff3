"""Looking at the files of rejected photos before anything is moved: which belong together, and whether each of them
is what Keepers knows."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.imports.folders import shown
from orchestrator.models.states import ORIGINAL
from orchestrator.rejects import belongings
from orchestrator.rejects.disk import Disk, Stays
from shared.formats import SIDECAR_EXTENSION, extension_of

SIDECAR = "sidecar"  # beside the roles that a file of a photo has
_MOST_OF_ONE_NAME = 9


@dataclass(frozen=True)
class KnownFile:
    """A file of a photo as it was scanned."""

    path: bytes
    role: str
    size: int
    mtime_ns: int
    quick_hash: str | None
    content_hash: str | None


@dataclass(frozen=True)
class Candidate:
    """A rejected photo with its files in this root."""

    photo_id: int
    files: tuple[KnownFile, ...]


@dataclass(frozen=True)
class Step:
    """One file that is to go. `shared_with` are other photos that it belongs to, which go too."""

    role: str
    path: bytes
    size: int
    mtime_ns: int
    aside_path: bytes = b""
    shared_with: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Group:
    """The files of a photo, which go together: its sidecars first and its original last, so that a photo whose move
    was interrupted is found again by its original. `told_by`: the XMP files that say something about it, also those
    that stay, or go with another photo."""

    photo_id: int
    steps: tuple[Step, ...]
    told_by: tuple[Step, ...] = ()


@dataclass
class Inspected:
    groups: list[Group] = field(default_factory=list)
    left: list[tuple[int, str]] = field(default_factory=list)  # photos that stay, and why


def inspect(disk: Disk, candidates: Sequence[Candidate]) -> Inspected:
    """Raises DriveTrouble."""
    leaving = {file.path: one.photo_id for one in candidates for file in one.files}
    names: dict[bytes, list[bytes]] = {}

    def names_in(folder: bytes) -> list[bytes]:
        if folder not in names:
            names[folder] = disk.names(folder)
        return names[folder]

    found = Inspected()
    taken: set[bytes] = set()  # sidecars that go with a photo before
    for one in candidates:
        disk.check()
        try:
            steps = [_checked(disk, file) for file in one.files]
            beside = _beside(disk, one, names_in, leaving)
        except Stays as exc:
            found.left.append((one.photo_id, exc.message))
            continue
        going = [step for step, goes in beside if goes and step.path not in taken]
        taken |= {step.path for step in going}
        told_by = tuple(step for step, _ in beside if extension_of(step.path) == SIDECAR_EXTENSION)
        files = sorted(steps, key=lambda step: step.role == ORIGINAL)
        found.groups.append(Group(one.photo_id, (*going, *files), told_by))
    return found


def heed_sidecars(groups: Iterable[Group], read: Mapping[bytes, tuple[int, int]]) -> Inspected:
    """Without the photos about which a sidecar says what Keepers has not read: perhaps that they are good ones. `read`
    are the size and time of each sidecar when it was read."""
    heeded = Inspected()
    for group in groups:
        news = [step.path for step in group.told_by if read.get(step.path) != (step.size, step.mtime_ns)]
        if news:
            why = f"{shown(news[0])} was written since Keepers read it: import its folder, and look again."
            heeded.left.append((group.photo_id, why))
        else:
            heeded.groups.append(group)
    return heeded


def sidecar_paths(groups: Iterable[Group]) -> list[bytes]:
    return [step.path for group in groups for step in group.told_by]


def name_aside(disk: Disk, groups: Iterable[Group], is_known: Collection[bytes]) -> Inspected:
    """The groups with the paths that their files get. `is_known` are paths that files of other photos had last."""
    named = Inspected()
    taken = set(is_known)
    for group in groups:
        try:
            steps = _free_steps(disk, group, taken)
        except Stays as exc:  # the folder of what was set aside is a link, or a file
            why = f"{shown(belongings.aside_path(group.steps[-1].path, 1))} {exc.message}."
            named.left.append((group.photo_id, why))
            continue
        if steps is None:
            why = f"{shown(group.steps[-1].path)} stays: {_MOST_OF_ONE_NAME} files of its name are set aside already."
            named.left.append((group.photo_id, why))
            continue
        taken.update(step.aside_path for step in steps)
        named.groups.append(replace(group, steps=steps))
    return named


def _free_steps(disk: Disk, group: Group, taken: Collection[bytes]) -> tuple[Step, ...] | None:
    for number in range(1, _MOST_OF_ONE_NAME + 1):
        steps = tuple(replace(one, aside_path=belongings.aside_path(one.path, number)) for one in group.steps)
        if not any(step.aside_path in taken or not disk.is_free(step.aside_path) for step in steps):
            return steps
    return None


def possible_paths(groups: Iterable[Group]) -> list[bytes]:
    numbers = range(1, _MOST_OF_ONE_NAME + 1)
    return [belongings.aside_path(step.path, n) for group in groups for step in group.steps for n in numbers]


def _checked(disk: Disk, file: KnownFile) -> Step:
    """Raises Stays, with a sentence, for a file that is not what was scanned."""
    name = shown(file.path)
    try:
        lying = disk.look(file.path)
        if lying is None:
            raise Stays(f"{name} is not there any more: import its folder again.")
        if file.quick_hash is None:
            raise Stays(f"{name} stays: Keepers has not read it yet.")
        if lying.size != file.size or disk.quick_hash(file.path) != file.quick_hash:
            raise Stays(_changed(name))
        if lying.mtime_ns != file.mtime_ns and disk.content_hash(file.path) != file.content_hash:
            raise Stays(_changed(name))
    except FileNotFoundError as exc:
        raise Stays(f"{name} is not there any more: import its folder again.") from exc
    except Stays as exc:
        raise Stays(_sentence(name, exc.message)) from exc
    return Step(file.role, file.path, lying.size, lying.mtime_ns)


def _changed(name: str) -> str:
    return (
        f"{name} stays: it was changed since Keepers read it. If it should go, restore the photo, import its folder"
        " and reject it again."
    )


def _beside(
    disk: Disk, one: Candidate, names_in: Callable[[bytes], list[bytes]], leaving: Mapping[bytes, int]
) -> list[tuple[Step, bool]]:
    """The sidecars of a photo, and whether they go with it: one that belongs to a photo that stays, stays too."""
    found: list[tuple[Step, bool]] = []
    for folder in sorted({os.path.dirname(file.path) for file in one.files}):
        photographs = belongings.images(names_in(folder))
        for name in belongings.sidecars(names_in(folder)):
            whose = {leaving.get(os.path.join(folder, owner)) for owner in belongings.owners(name, photographs)}
            if one.photo_id in whose:
                others = frozenset(photo for photo in whose if photo not in (None, one.photo_id))
                found += [(step, None not in whose) for step in _sidecar(disk, os.path.join(folder, name), others)]
    return found


def _sidecar(disk: Disk, path: bytes, others: frozenset[int | None]) -> list[Step]:
    try:
        lying = disk.look(path)
    except Stays as exc:
        raise Stays(_sentence(shown(path), exc.message)) from exc
    if lying is None:
        return []
    shared = frozenset(photo for photo in others if photo is not None)
    return [Step(SIDECAR, path, lying.size, lying.mtime_ns, shared_with=shared)]


def _sentence(name: str, why: str) -> str:
    return why if why.endswith(".") else f"{name} {why}."
