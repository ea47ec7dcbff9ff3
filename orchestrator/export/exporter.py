"""The file work of an export. Kill it anywhere and run it again: no picture is there twice, and none is missing."""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.export import manifest as manifests
from orchestrator.export import pictures
from orchestrator.export.disk import Disk, locked
from orchestrator.export.manifest import Entry, Manifest
from orchestrator.export.names import names_for
from orchestrator.export.photo import Photo
from shared.claims import ClaimStore
from shared.errors import KeepersError
from shared.jpeg import Picture


class Stopped(KeepersError):
    """The export was stopped. What was exported stays; export again, and it goes on."""


_AHEAD = 6  # photos
_LEAST_BETWEEN_WRITINGS = 100  # pictures; more where photos.json is long, so that writing it stays a small part


@dataclass(frozen=True)
class Job:
    """`photos` are those that the rule takes; `known` those of this archive that the manifest may name."""

    target: Path
    photos: Sequence[Photo]
    known: Sequence[Photo] = ()
    full_size: bool = False
    gps: bool = False
    dry_run: bool = False
    refresh: bool = False
    # Of a photo, and those after it, for full size. Calls the function that it is given while it waits.
    rendered: Callable[[int, Sequence[int], Callable[[], None]], bytes] | None = None


@dataclass
class Progress:
    """Written by the thread that exports, read by those that look; but one of these ends it by `is_to_stop`."""

    total: int = 0
    done: int = 0
    exported: int = 0
    already: int = 0
    updated: int = 0
    withdrawn: int = 0
    left: list[tuple[Photo, str]] = field(default_factory=list)
    is_to_stop: bool = False

    def heed(self) -> None:
        """Raises Stopped."""
        if self.is_to_stop:
            raise Stopped


def export(job: Job, claims: ClaimStore, progress: Progress, disk: Disk | None = None) -> None:
    """Export what is not there yet. Raises ManifestBroken before anything is written, OSError when the folder cannot
    be written to, Hold when the place of previews is away, and Stopped; what was exported until then stays and is in
    the manifest or in the journal."""
    progress.total = len(job.photos)
    if job.dry_run:
        _rehearse(job, claims, progress)
        return
    job.target.mkdir(exist_ok=True)
    with locked(job.target):
        _export(job, claims, progress, disk or Disk())


def _export(job: Job, claims: ClaimStore, progress: Progress, disk: Disk) -> None:
    manifest = manifests.read(job.target)
    if (job.target / manifests.JOURNAL).exists():  # of an export that was stopped: taken over before it goes on
        manifest.write(disk)
    if job.refresh and _refresh(manifest, job.known, progress):
        manifest.write(disk)
    try:
        _add(job, manifest, claims, progress, disk)
    except (OSError, KeepersError):
        # The disk may be full for the next picture only. Which pictures have their names, the journal knows best.
        disk.remove(job.target / manifests.PICTURE_PART)
        manifests.read(job.target).write(disk)
        raise
    if not (job.target / manifests.NAME).exists() or (job.target / manifests.JOURNAL).exists():
        manifest.write(disk)
    disk.remove(job.target / manifests.PICTURE_PART)


def _add(job: Job, manifest: Manifest, claims: ClaimStore, progress: Progress, disk: Disk) -> None:
    unwritten = 0
    to_render = _to_render(job, manifest)
    for photo in job.photos:
        progress.heed()
        if manifest.find(photo.said()) is not None:
            progress.already += 1
        else:
            try:
                picture = pictures.picture_of(photo, claims, _rendered(job, to_render, progress), gps=job.gps)
            except pictures.NotExportable as exc:
                progress.left.append((photo, exc.message))
            else:
                manifest.add(_put(job.target, photo, picture, manifest, disk))
                progress.exported += 1
                unwritten += 1
        progress.done += 1
        if unwritten >= max(_LEAST_BETWEEN_WRITINGS, len(manifest.entries) // 10):
            manifest.write(disk)
            unwritten = 0


def _to_render(job: Job, manifest: Manifest) -> list[int]:
    """The photos whose full size has to be made, in the order in which they are exported."""
    return [
        photo.id
        for photo in job.photos
        if job.full_size and pictures.is_to_be_rendered(photo) and manifest.find(photo.said()) is None
    ]


def _rendered(job: Job, to_render: Sequence[int], progress: Progress) -> pictures.Rendered | None:
    """The workers are told of the next ones, too: while one is written, others are made."""
    make = job.rendered
    if not job.full_size or make is None:
        return None

    def rendered(photo_id: int) -> bytes:
        at = to_render.index(photo_id) + 1 if photo_id in to_render else len(to_render)
        return make(photo_id, to_render[at : at + _AHEAD], progress.heed)

    return rendered


def _put(folder: Path, photo: Photo, picture: Picture, manifest: Manifest, disk: Disk) -> Entry:
    part = folder / manifests.PICTURE_PART
    disk.write(part, picture.data)
    for name in names_for(photo.file_name, photo.content_hash, photo.id):
        if manifest.has_name(name) or os.path.lexists(folder / name):
            continue
        entry = _entry(photo, picture, name)
        manifests.note(folder, disk, entry, picture.data)
        try:
            disk.publish(part, folder / name)
        except FileExistsError:  # somebody took the name just now
            continue
        return entry
    raise AssertionError("names never end")


def _entry(photo: Photo, picture: Picture, name: str) -> Entry:
    said = photo.said()
    size = {"width": picture.width, "height": picture.height}
    first = {"photo_id": said["photo_id"], "content_hash": said["content_hash"], "filename": name}
    return {**first, **said, **size, "exported_at": datetime.now(UTC).isoformat(timespec="seconds")}


def _refresh(manifest: Manifest, known: Iterable[Photo], progress: Progress) -> int:
    """Bring entries up to date, and mark those of photos that the rule no longer takes. Returns how many changed."""
    changed = 0
    seen: set[int] = set()
    for photo in known:
        entry = manifest.find(photo.said())
        if entry is None or id(entry) in seen:
            continue
        seen.add(id(entry))
        before = dict(entry)
        # Its number here may be another than in the archive that exported it: the content says that it is the same.
        entry.update(photo.said())
        if photo.passes:
            entry.pop("withdrawn_at", None)
        else:
            entry.setdefault("withdrawn_at", datetime.now(UTC).isoformat(timespec="seconds"))
        progress.withdrawn += "withdrawn_at" in entry and "withdrawn_at" not in before
        progress.updated += entry != before
        changed += entry != before
    return changed


def _rehearse(job: Job, claims: ClaimStore, progress: Progress) -> None:
    """Count what would be done, and write nothing."""
    manifest = manifests.read(job.target)
    if job.refresh:
        _refresh(manifest, job.known, progress)
    for photo in job.photos:
        progress.heed()
        if manifest.find(photo.said()) is not None:
            progress.already += 1
        elif trouble := pictures.trouble_with(photo, claims, full_size=job.full_size):
            progress.left.append((photo, trouble))
        else:
            progress.exported += 1
        progress.done += 1
