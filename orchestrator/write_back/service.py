"""Writing what the person decided into sidecars. Only where a root allows it; a redo finds nothing to do."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import identity_lock
from orchestrator.answers import Refused
from orchestrator.db import Sessions
from orchestrator.file_ratings import service as file_ratings
from orchestrator.imports import sidecars
from orchestrator.imports.folders import shown
from orchestrator.imports.roots import identity_of, is_empty_or_missing, recognise
from orchestrator.imports.sidecars import Reading
from orchestrator.imports.walk import FoundFile, Unit
from orchestrator.models import RatingConflict, Root
from orchestrator.write_back import due, files, packet, queries
from orchestrator.write_back.files import NotWritten
from orchestrator.write_back.queries import Decided, Written
from shared.bucket_address import is_address
from shared.errors import XmpBroken
from shared.xmp import rating_of

AT_ONCE = 200
Kind = Literal["edited", "created", "unchanged", "conflict", "changed", "unread", "no sidecar", "failed"]


@dataclass(frozen=True)
class Outcome:
    """What became of one sidecar, or of a photo that has none. Ratings are 1-5, -1 for rejected, None for nothing."""

    kind: Kind
    photo_id: int
    path: str
    ours: int | None = None
    theirs: int | None = None
    why: str = ""


@dataclass(frozen=True)
class Order:
    """`is_dry`: only say what would be done. `for_all_files`: make sidecars for other photos than RAW as well."""

    root_id: int
    is_dry: bool = False
    for_all_files: bool = False


async def allow(sessions: Sessions, root_id: int, enabled: bool) -> Root:
    """Switch it on or off for a root. Switched on, what was decided before is due too. Raises Refused where nothing
    can be written."""
    async with sessions() as session:
        root = await root_of(session, root_id)
    if enabled:
        await check(sessions, root)
    async with sessions.begin() as session:
        return await _switch(session, await root_of(session, root_id), enabled)


async def _switch(session: AsyncSession, root: Root, enabled: bool) -> Root:
    if enabled != root.writes_sidecars:
        root.writes_sidecars = enabled
        await session.flush()
        await due.say_trouble(session, root.id, None)
        await (due.note_all(session, root.id) if enabled else due.forget_all(session, root.id))
    return root


async def root_of(session: AsyncSession, root_id: int) -> Root:
    root = await session.get(Root, root_id)
    if root is None:
        raise Refused(404, "unknown_root", "There is no such folder of photos.")
    return root


async def write(sessions: Sessions, order: Order) -> AsyncIterator[Outcome]:
    """Go through the photos of a root. Raises Refused, with a sentence, where that is not possible."""
    async with sessions() as session:
        root = await root_of(session, order.root_id)
        if not root.writes_sidecars and not order.is_dry:
            raise Refused(409, "write_back_off", f"Writing sidecars is switched off for {root.label}.")
    await check(sessions, root)
    after = 0
    while True:
        async with sessions() as session:
            photos = await queries.next_photos(session, root.id, after, AT_ONCE)
        if not photos:
            return
        for outcome in await _Batch(sessions, root, order, photos).outcomes():
            yield outcome
        after = photos[-1].photo_id


async def write_photos(sessions: Sessions, root_id: int, photo_ids: Sequence[int]) -> list[Outcome]:
    """The same for these photos."""
    async with sessions() as session:
        root = await root_of(session, root_id)
        photos = await queries.these_photos(session, root.id, photo_ids)
    if not root.writes_sidecars:
        return []
    return await _Batch(sessions, root, Order(root_id), photos).outcomes() if photos else []


async def check(sessions: Sessions, root: Root, so: str = "so no sidecar can be written there") -> None:
    """Raises Refused, with a sentence that ends in `so`, where no file can be written now. No connection waits for
    a slow drive."""
    if is_address(root.path):
        raise Refused(409, "root_in_bucket", f"{root.label} is a bucket, which Keepers only reads, {so}.")
    if root.state != "online" or await asyncio.to_thread(is_empty_or_missing, root.path):
        raise Refused(409, "root_offline", f"{root.label} is not connected, {so}.")
    if await _is_another_drive(sessions, root):
        raise Refused(409, "other_drive", f"Another drive is connected at {root.label}, {so}.")
    trouble = await asyncio.to_thread(files.trouble_with, root.path)
    if trouble:
        raise Refused(409, "root_read_only", f"{root.label} {trouble}, {so}.")


async def _is_another_drive(sessions: Sessions, root: Root) -> bool:
    """Two cards in one reader have the same path and the same names of files: what was said of one photo is not to be
    written beside another."""
    path = Path(os.fsdecode(root.path))
    if root.identity is None or await asyncio.to_thread(identity_of, path) == root.identity:
        return False
    async with sessions() as session:
        here = await recognise(session, path)
    return here is None or here.id != root.id


class _Batch:
    def __init__(self, sessions: Sessions, root: Root, order: Order, photos: Sequence[Written]) -> None:
        self._sessions = sessions
        self._root = root
        self._order = order
        self._photos = photos
        self._names: dict[bytes, frozenset[bytes]] = {}  # of files, by folder
        self._outcomes: list[Outcome] = []
        self._readings: dict[bytes, tuple[Reading, int]] = {}  # what was written -> whose it is

    async def outcomes(self) -> list[Outcome]:
        there = await asyncio.to_thread(
            files.found, self._root.path, [path for photo in self._photos for path in photo.sidecars]
        )
        units = {
            photo.photo_id: Unit(
                FoundFile(photo.original or b"", 0, 0), None, tuple(there[p] for p in photo.sidecars if p in there)
            )
            for photo in self._photos
        }
        async with self._sessions() as session:
            changed = await self._hear(session, units)
            decided = await queries.decided(session, list(units))
            await (session.rollback() if self._order.is_dry else session.commit())
        await asyncio.to_thread(self._all, units, decided, changed)
        if self._readings:
            await self._remember()
        return self._outcomes

    async def _hear(self, session: AsyncSession, units: Mapping[int, Unit]) -> dict[bytes, int | None]:
        """Read what other programs changed since the last time, as an import does. Returns what these files say."""
        readings = await sidecars.read(session, self._root, list(units.values()))
        changed = {path: reading for path, reading in readings.items() if reading.photo_id is None}
        owners = {path: photo_id for photo_id, unit in units.items() for path in (f.path for f in unit.sidecars)}
        if changed:
            await identity_lock.take(session)
            await _record(session, self._root, {path: (one, owners[path]) for path, one in changed.items()})
            await self._list(session, {path: owners[path] for path in changed}, changed)
        return {path: reading.rating for path, reading in changed.items()}

    async def _list(self, session: AsyncSession, owners: Mapping[bytes, int], changed: Mapping[bytes, Reading]) -> None:
        """Both values, also where an import would trust the newer word of the person: this one is about to be
        written over. What was settled already is opened again only by another rating."""
        decided = await queries.decided(session, sorted(set(owners.values())))
        for path, reading in changed.items():
            now = decided.get(owners[path])
            if now is None or reading.rating in (None, now.wish.rating):
                continue
            statement = insert(RatingConflict).values(
                photo_id=owners[path], file_path=self._shown(path), file_rating=reading.rating
            )
            new = statement.excluded
            await session.execute(
                statement.on_conflict_do_update(
                    index_elements=["photo_id"],
                    set_={"file_rating": new.file_rating, "file_path": new.file_path, "state": file_ratings.OPEN},
                    where=col(RatingConflict.file_rating) != new.file_rating,
                )
            )

    def _all(
        self, units: Mapping[int, Unit], decided: Mapping[int, Decided], changed: Mapping[bytes, int | None]
    ) -> None:
        for photo in self._photos:
            now, unit = decided.get(photo.photo_id), units[photo.photo_id]
            if now is None:
                continue
            for file in unit.sidecars:
                self._sidecar(photo.photo_id, file, now, changed)
            if not unit.sidecars and photo.original and not now.wish.is_empty:
                self._new_sidecar(photo.photo_id, photo.original, now)

    def _sidecar(self, photo_id: int, file: FoundFile, now: Decided, changed: Mapping[bytes, int | None]) -> None:
        ours = now.wish.rating
        theirs: int | None = None
        try:
            before, as_read = files.read(files.at(self._root.path, file.path))
            theirs = rating_of(before)
            after = packet.edited(before, now.wish)
            if before == after:
                self._say("unchanged", photo_id, file.path, ours, theirs)
            elif now.is_open and theirs != ours:
                self._say("conflict", photo_id, file.path, ours, theirs, "Another program says another rating.")
            elif file.path in changed and theirs is None and ours is not None:
                self._say(
                    "changed",
                    photo_id,
                    file.path,
                    ours,
                    theirs,
                    "Another program took its rating out. Write again to go on.",
                )
            elif (as_read.st_size, as_read.st_mtime_ns) != (file.size, file.mtime_ns):
                raise NotWritten("Another program is writing it at this moment.")
            else:
                self._put(photo_id, file.path, after, as_read)
                self._say("edited", photo_id, file.path, ours, theirs)
        except (XmpBroken, OSError) as exc:
            self._say("failed", photo_id, file.path, ours, theirs, _why(exc))

    def _new_sidecar(self, photo_id: int, original: bytes, now: Decided) -> None:
        folder, ours = os.path.dirname(original), now.wish.rating
        names = self._names.setdefault(folder, files.names_in(self._root.path, folder))
        possible = files.possible_names(original, names)
        path = possible[0]
        try:
            if not os.path.lexists(os.path.join(self._root.path, original)):
                return  # moved or removed: the next import says where it is
            if names & {os.path.basename(one).lower() for one in possible}:
                self._say(
                    "unread", photo_id, path, ours, None, "A sidecar has come that was not read yet: import the folder."
                )
            elif not files.is_raw(original) and not self._order.for_all_files:
                self._say("no sidecar", photo_id, original, ours)
            else:
                self._put(photo_id, path, packet.new(now.wish), None)
                self._say("created", photo_id, path, ours)
        except (XmpBroken, OSError) as exc:
            self._say("failed", photo_id, path, ours, None, _why(exc))

    def _put(self, photo_id: int, path: bytes, made: bytes, as_read: os.stat_result | None) -> None:
        files.check_inside(self._root.path, path)
        if self._order.is_dry:
            return
        seen = files.replace(files.at(self._root.path, path), made, as_read)
        file = FoundFile(path, seen.st_size, seen.st_mtime_ns)
        self._readings[path] = (Reading(file, rating_of(made), None), photo_id)

    async def _remember(self) -> None:
        """So that the next import does not take our own words for those of another program."""
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            there = await queries.decided(session, sorted({photo_id for _, photo_id in self._readings.values()}))
            await _record(session, self._root, {path: one for path, one in self._readings.items() if one[1] in there})
            # The file agrees now. Should it say the same as before once more, that is a new word.
            await session.execute(
                delete(RatingConflict).where(
                    col(RatingConflict.photo_id).in_(there), col(RatingConflict.state) == file_ratings.KEPT_OURS
                )
            )

    def _say(
        self, kind: Kind, photo_id: int, path: bytes, ours: int | None, theirs: int | None = None, why: str = ""
    ) -> None:
        self._outcomes.append(Outcome(kind, photo_id, self._shown(path), ours, theirs, why))

    def _shown(self, path: bytes) -> str:
        return f"{self._root.label.rstrip('/')}/{shown(path)}"


async def _record(session: AsyncSession, root: Root, readings: Mapping[bytes, tuple[Reading, int]]) -> None:
    units = [Unit(FoundFile(path, 0, 0), None, (reading.file,)) for path, (reading, _) in readings.items()]
    owners = {path: photo_id for path, (_, photo_id) in readings.items()}
    said = {path: reading for path, (reading, _) in readings.items()}
    await file_ratings.heed(session, await sidecars.record(session, root, units, said, owners))


def _why(error: XmpBroken | OSError) -> str:
    if isinstance(error, OSError):
        if error.errno == errno.ELOOP:
            return "It is a link to another place."
        return f"{os.strerror(error.errno or 0)}."
    return error.message


async def named(session: AsyncSession, name: str) -> int:
    """The root of this number, or of this path. Raises Refused when there is none."""
    rows = (await session.scalars(select(Root).order_by(col(Root.id)))).all()
    wanted = {os.fsencode(name), os.fsencode(os.path.realpath(Path(name).expanduser()))}
    found = [root for root in rows if str(root.id) == name or root.path in wanted]
    if not found:
        known = "; ".join(f"{root.id}: {root.label}" for root in rows) or "none yet, import a folder first"
        raise Refused(404, "unknown_root", f"There is no folder of photos {name}. Known: {known}.")
    return max(found, key=lambda root: root.state == "online").id
