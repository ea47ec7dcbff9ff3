"""One piece of work on one drive, batch by batch: written down, renamed, and settled by what lies on the disk."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar
from uuid import uuid4

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import identity_lock
from orchestrator.answers import Refused
from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.imports import roots
from orchestrator.imports.folders import shown
from orchestrator.models import RejectsBatch, Root, SetAside
from orchestrator.rejects import inspection, journal, queries, renames
from orchestrator.rejects.disk import Disk, DriveTrouble
from orchestrator.rejects.queries import Wanted
from orchestrator.rejects.renames import Renamed
from orchestrator.rejects.views import MOST_NAMED, Batch, Left

log = structlog.get_logger()

AT_ONCE = 50  # photos of which something is on its way at one time
_LEAST = -(2**62)
_RESTORED = "A photo was restored while it was set aside: it is back where it was."
_BUG = "Something went wrong in Keepers. The log has the details. What was moved is written down."

Told = Callable[[Batch], None]
P = ParamSpec("P")
T = TypeVar("T")


class Overtaken(Exception):
    """The root has become part of a larger one."""


class Work:
    """`lock` holds the lock of the database; a batch begins only while it does. For one drive, open as `disk`."""

    def __init__(self, sessions: Sessions, lock: AsyncSession, root: Root, disk: Disk) -> None:
        self._sessions = sessions
        self._lock = lock
        self._root = root
        self._disk = disk
        self._told: Told = lambda batch: None

    async def settle_interrupted(self) -> None:
        """Raises DriveTrouble."""
        while True:
            async with self._sessions() as session:
                entries = await journal.under_way(session, self._root.id)
            if not entries:
                return
            log.info("rejects.taken_up", root_id=self._root.id, files=len(entries))
            await self._settle(entries)

    async def set_aside(self, confirm_count: int, told: Told) -> Batch:
        """All that is rejected. Raises Refused when it is another number of photos."""
        async with self._sessions() as session:
            found = (await queries.rejected(session, self._root.id)).photos
        if found != confirm_count:
            now = f"{found:,} rejected photo{'' if found == 1 else 's'}"
            why = f"{self._root.label} has {now} to be set aside by now, not {confirm_count:,}."
            raise Refused(409, "other_count", f"{why} Look at them again, and type that number.")
        return await self._carried_out("move", found, told, self._set_all_aside)

    async def bring_back(self, wanted: Wanted, told: Told) -> Batch:
        """What is wanted. Raises Refused when there is nothing."""
        async with self._sessions() as session:
            found = await queries.count_aside(session, wanted)
        if not found:
            raise Refused(409, "nothing_aside", f"Nothing of that is set aside in {self._root.label}.")
        return await self._carried_out("restore", found, told, lambda batch: self._bring_all_back(batch, wanted))

    def sentence(self, trouble: DriveTrouble | Overtaken) -> str:
        label = self._root.label
        if isinstance(trouble, Overtaken):
            return f"{label} became part of a larger folder of photos. Ask for the same again there."
        return f"{label} {trouble.message}. What was moved before is written down; the same again goes on."

    async def _carried_out(self, kind: str, total: int, told: Told, work: Callable[[Batch], Awaitable[None]]) -> Batch:
        self._told = told
        batch = Batch.model_validate(
            {
                "id": uuid4(),
                "root_id": self._root.id,
                "label": self._root.label,
                "kind": kind,
                "state": "running",
                "total": total,
                "started_at": datetime.now(UTC),
            }
        )
        await self._save(batch)
        try:
            await work(batch)
        except (DriveTrouble, Overtaken) as exc:
            batch.state, batch.error = "stopped", self.sentence(exc)
        except Exception as exc:
            batch.state, batch.error = "stopped", _BUG
            log.warning("rejects.interrupted", batch=str(batch.id), exc_info=not is_passing_trouble(exc))
        else:
            batch.state = "done"
        batch.finished_at = datetime.now(UTC)
        log.info("rejects.finished", **batch.model_dump(include={"kind", "state", "files", "left", "error"}))
        await self._save(batch)
        return batch

    async def _set_all_aside(self, batch: Batch) -> None:
        after = 0
        while True:
            await self._lock.scalar(text("SELECT 1"))  # raises when the lock was lost
            async with self._sessions() as session:
                candidates = await queries.candidates(session, self._root.id, after, AT_ONCE)
            if not candidates:
                return
            await self._set_some_aside(batch, candidates)
            after = candidates[-1].photo_id

    async def _set_some_aside(self, batch: Batch, candidates: Sequence[inspection.Candidate]) -> None:
        found = await in_thread(inspection.inspect, self._disk, candidates)
        async with self._sessions() as session:
            read = await queries.sidecars_read(session, self._root.id, inspection.sidecar_paths(found.groups))
            heeded = inspection.heed_sidecars(found.groups, read)
            paths = inspection.possible_paths(heeded.groups)
            known = await queries.known_paths(session, self._root.id, paths)
        named = await in_thread(inspection.name_aside, self._disk, heeded.groups, known)
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            entries = await journal.intend(session, self._root, batch.id, named.groups)
        going = {entry.photo_id for entry in entries}
        passed_over = [(one.photo_id, _passed_over(one)) for one in named.groups if one.photo_id not in going]
        self._note(batch, [*found.left, *heeded.left, *named.left, *passed_over])
        await self._rename(batch, entries, len(candidates))
        await self._put_back_what_was_restored(batch, entries)

    async def _put_back_what_was_restored(self, batch: Batch, entries: Sequence[SetAside]) -> None:
        """A photo that the person restored while its files were on their way was not to be set aside."""
        async with self._sessions() as session:
            meanwhile = await queries.restored(session, {e.photo_id for e in entries if e.photo_id is not None})
            wanted = Wanted(self._root.id, photo_ids=meanwhile)
            back = await queries.aside(session, wanted, _LEAST, AT_ONCE) if meanwhile else []
        if back:
            await self._bring_some_back(None, back)
            batch.files -= len(back)
            batch.bytes -= sum(entry.size for entry in back)
            self._note(batch, [(photo_id, _RESTORED) for photo_id in {entry.photo_id for entry in back}])

    async def _bring_all_back(self, batch: Batch, wanted: Wanted) -> None:
        after = _LEAST
        while True:
            await self._lock.scalar(text("SELECT 1"))
            async with self._sessions() as session:
                entries = await queries.aside(session, wanted, after, AT_ONCE)
            if not entries:
                return
            await self._bring_some_back(batch, entries)
            after = queries.key_of(entries[-1])

    async def _bring_some_back(self, batch: Batch | None, entries: Sequence[SetAside]) -> None:
        plan = await in_thread(renames.plan_return, self._disk, entries)
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            known = await queries.known_paths(session, self._root.id, [stray.aside_path for stray in plan.strays])
            plan.strays = [stray for stray in plan.strays if stray.aside_path not in known]  # they have their own entry
            await journal.recall(session, [*plan.entries, *plan.back], plan.sizes, plan.strays)
        self._note(batch, plan.left)
        photos = len({queries.key_of(entry) for entry in entries})
        going = sorted([*plan.entries, *plan.strays], key=queries.key_of)
        await self._rename(batch, going, photos, known_back=plan.back)
        await in_thread(renames.remove_empty_folders, self._disk, plan.entries)

    async def _rename(
        self, batch: Batch | None, entries: Sequence[SetAside], photos: int, known_back: Sequence[SetAside] = ()
    ) -> None:
        """Raises DriveTrouble, after what can be settled was."""
        renamed: Renamed = await in_thread(renames.rename_all, self._disk, entries)
        self._note(batch, renamed.left)
        if batch is not None:
            batch.done += 0 if renamed.trouble else photos
        await self._settle([*entries, *known_back], batch)
        if renamed.trouble:
            raise DriveTrouble(renamed.trouble)

    async def _settle(self, entries: Sequence[SetAside], batch: Batch | None = None) -> None:
        outcomes = await in_thread(renames.seen, self._disk, entries)
        arrived = [one.entry for one in outcomes if one.has_arrived]
        async with self._sessions.begin() as session:
            await identity_lock.take(session)
            await self._check_unchanged(session, entries)
            await journal.settle(session, await roots.by_id(session, self._root.id), outcomes)
            if batch is not None:
                batch.files += len(arrived)
                batch.bytes += sum(entry.size for entry in arrived)
                await _store(session, batch)
        if batch is not None:
            self._told(batch)

    async def _check_unchanged(self, session: AsyncSession, entries: Sequence[SetAside]) -> None:
        """A root that became part of a larger one took its journal along, under other paths: it is settled there."""
        ids = [entry.id for entry in entries]
        here = select(col(SetAside.id)).where(col(SetAside.id).in_(ids), col(SetAside.root_id) == self._root.id)
        if len((await session.scalars(here)).all()) != len(entries):
            raise Overtaken

    def _note(self, batch: Batch | None, left: Collection[tuple[int | None, str]]) -> None:
        if batch is not None:
            batch.left += len({photo_id for photo_id, _ in left})
            named = [Left(photo_id=photo_id, message=why) for photo_id, why in left]
            batch.not_moved = [*batch.not_moved, *named][:MOST_NAMED]

    async def _save(self, batch: Batch) -> None:
        async with self._sessions.begin() as session:
            await _store(session, batch)
        self._told(batch)


def _passed_over(group: inspection.Group) -> str:
    name = shown(group.steps[-1].path)
    return f"{name} stays: the photo was restored just now, or one of its files is being read. Look at it again."


async def _store(session: AsyncSession, batch: Batch) -> None:
    seen = batch.model_dump(mode="json")
    await session.merge(RejectsBatch(id=batch.id, root_id=batch.root_id, seen=seen, started_at=batch.started_at))


async def in_thread(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Beside the event loop. Who is cancelled, even again and again, waits for its end all the same: the drive is open
    and locked for it."""
    task = asyncio.create_task(asyncio.to_thread(function, *arguments, **named))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        raise
