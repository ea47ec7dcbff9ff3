"""`keepers rejects`, on the terminal."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TextIO
from uuid import UUID

from orchestrator.answers import Refused
from orchestrator.db import Sessions, open_engine, open_sessions
from orchestrator.imports.folders import shown
from orchestrator.imports.walk import SET_ASIDE
from orchestrator.rejects import queries, room, service
from orchestrator.rejects.queries import Wanted
from orchestrator.rejects.service import Move, Order
from orchestrator.rejects.views import Batch, Drive
from orchestrator.removal.freed import said
from orchestrator.write_back.service import named

_MOST_NAMED = 20
_FOLDER = shown(SET_ASIDE)


Verb = Literal["list", "move", "restore"]
Ask = Callable[[str], str]


@dataclass(frozen=True)
class Options:
    """`root` is a number or a folder. Without `confirm` the number of photos is asked for."""

    verb: Verb
    root: str | None = None
    confirm: int | None = None
    batch: UUID | None = None
    only_restored: bool = False


async def rejects(database_url: str, options: Options, out: TextIO | None = None, ask: Ask = input) -> int:
    """Say, or do, and how many photos stayed where they were. Raises Refused with a sentence to print."""
    engine = open_engine(database_url)
    try:
        return await _rejects(open_sessions(engine), options, out or sys.stdout, ask)
    finally:
        await engine.dispose()


async def _rejects(sessions: Sessions, options: Options, out: TextIO, ask: Ask) -> int:
    if options.verb == "list":
        return await _list(sessions, out)
    order = await (_move(sessions, options, ask) if options.verb == "move" else _restore(sessions, options))
    lines = _Lines(out)
    return _summed_up(await service.carry_out(sessions, order, lines.told), out)


async def _list(sessions: Sessions, out: TextIO) -> int:
    drives = (await room.free_space(sessions)).drives
    for drive in drives:
        print(f"{drive.root_id}: {drive.path}", file=out)
        for line in _lines(drive):
            print(f"   {line}", file=out)
    if not drives:
        print("No folder of photos yet: import one first.", file=out)
    return 0


def _lines(drive: Drive) -> list[str]:
    lines = [f"{_photos(drive.rejected.photos)} rejected, {said(drive.rejected.bytes)}"]
    aside = drive.set_aside
    if aside.photos or aside.missing:
        lines.append(f"{_photos(aside.photos)} set aside, {said(aside.bytes)}, in {drive.folder}")
    if aside.restored:
        lines.append(
            f"{aside.restored:,} of them are not rejected any more: --restore --only-restored brings them back"
        )
    if aside.missing:
        lines.append(f"{aside.missing:,} files that were set aside are not there any more")
    if drive.free_bytes is not None and drive.total_bytes is not None:
        lines.append(f"{said(drive.free_bytes)} free of {said(drive.total_bytes)}")
    return [*lines, *([drive.trouble] if drive.trouble else [])]


async def _move(sessions: Sessions, options: Options, ask: Ask) -> Order:
    root_id = await _root_id(sessions, options)
    root = await service.usable_root(sessions, root_id)
    async with sessions() as session:
        found = await queries.rejected(session, root_id)
    if not found.photos:
        raise Refused(409, "nothing_rejected", f"No rejected photo of {root.label} is to be set aside.")
    if options.confirm is not None:
        return Move(root_id, options.confirm)
    question = f"{_photos(found.photos)} of {root.label}, {said(found.bytes)}, will be moved into its folder {_FOLDER}."
    typed = _answer(ask, f"{question}\nType the number to go on: ")
    if typed.strip().replace(",", "") != str(found.photos):
        raise Refused(409, "not_confirmed", "That is another number. Nothing was moved.")
    return Move(root_id, found.photos)


def _answer(ask: Ask, question: str) -> str:
    try:
        return ask(question)
    except EOFError:  # nobody sits there
        return ""


async def _restore(sessions: Sessions, options: Options) -> Order:
    if options.batch is None:
        return Wanted(await _root_id(sessions, options), only_restored=options.only_restored)
    async with sessions() as session:
        found = await queries.roots_of(session, batch=options.batch, photo_ids=None)
    if not found:
        raise Refused(409, "nothing_aside", "Nothing of that is set aside.")
    return Wanted(found.pop(), options.batch, only_restored=options.only_restored)


async def _root_id(sessions: Sessions, options: Options) -> int:
    if options.root is None:
        raise Refused(422, "no_root", "Say which folder of photos: --root. `keepers rejects --list` names them.")
    async with sessions() as session:
        return await named(session, options.root)


class _Lines:
    """One line for each batch of photos."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._done: int | None = None

    def told(self, batch: Batch) -> None:
        if self._done is None:
            print(f"Batch {batch.id}", file=self._out, flush=True)
        elif batch.done > self._done:
            print(f"{batch.done:,} of {_photos(batch.total)}", file=self._out, flush=True)
        self._done = batch.done


def _summed_up(batch: Batch, out: TextIO) -> int:
    for one in batch.not_moved[:_MOST_NAMED]:
        print(one.message, file=sys.stderr)
    if (unnamed := batch.left - _MOST_NAMED) > 0:
        print(f"... and {unnamed:,} more.", file=sys.stderr)
    verb = "set aside" if batch.kind == "move" else "brought back"
    files = f"{batch.files:,} file{'' if batch.files == 1 else 's'}"
    stayed = f", {_photos(batch.left)} stayed" if batch.left else ""
    print(f"{files} {verb}, {said(batch.bytes)}{stayed}.", file=out)
    if batch.error:
        print(batch.error, file=sys.stderr)
    return batch.left + (1 if batch.error else 0)


def _photos(n: int) -> str:
    return f"{n:,} photo{'' if n == 1 else 's'}"
