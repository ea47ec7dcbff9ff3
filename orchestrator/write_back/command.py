"""`keepers xmp`, on the terminal."""

import sys
from collections import Counter
from dataclasses import dataclass
from typing import TextIO

from orchestrator.db import Sessions, open_engine, open_sessions
from orchestrator.write_back import service
from orchestrator.write_back.routes import LIGHTROOM
from orchestrator.write_back.service import Order, Outcome

_WORDS = {
    "edited": "edited", "created": "made new", "unchanged": "said so already", "conflict": "in conflict, not written",
    "changed": "changed elsewhere, not written",
    "unread": "not read yet, not written", "no sidecar": "not RAW and without a sidecar", "failed": "failed",
}  # fmt: skip
_IF_DRY = {"edited": "to be edited", "created": "to be made new"}


@dataclass(frozen=True)
class Options:
    """`root` is a number or a folder. `enable`: None only writes; True allows it first, False forbids it."""

    root: str
    is_dry: bool = False
    enable: bool | None = None
    for_all_files: bool = False


async def xmp(database_url: str, options: Options, out: TextIO | None = None) -> int:
    """Write, and print what became of each file; how many failed. Raises Refused with a sentence to print."""
    engine = open_engine(database_url)
    try:
        return await _xmp(open_sessions(engine), options, out or sys.stdout)
    finally:
        await engine.dispose()


async def _xmp(sessions: Sessions, options: Options, out: TextIO) -> int:
    async with sessions() as session:
        root_id = await service.named(session, options.root)
    if options.enable is not None:
        root = await service.allow(sessions, root_id, options.enable)
        print(f"Writing sidecars is switched {'on' if options.enable else 'off'} for {root.label}.", file=out)
        if options.enable:
            print(LIGHTROOM, file=out)
        return 0
    counts: Counter[str] = Counter()
    async for outcome in service.write(sessions, Order(root_id, options.is_dry, options.for_all_files)):
        counts[outcome.kind] += 1
        if outcome.kind not in ("unchanged", "no sidecar"):
            print(_line(outcome, options.is_dry), file=out)
    words = _WORDS | (_IF_DRY if options.is_dry else {})
    print(", ".join(f"{counts[kind]:,} {word}" for kind, word in words.items() if counts[kind]) or "Nothing.", file=out)
    if counts["no sidecar"]:
        print("Sidecars are made for RAW only; --all-files makes them for every photo.", file=out)
    if counts["conflict"]:
        print("Choose between the two ratings on the page /conflicts, then write again.", file=out)
    return counts["failed"]


def _line(outcome: Outcome, is_dry: bool) -> str:
    word = (_WORDS | (_IF_DRY if is_dry else {}))[outcome.kind]
    values = f"{_said(outcome.theirs)} -> {_said(outcome.ours)}"
    if outcome.kind in ("conflict", "changed", "unread"):
        values = f"file {_said(outcome.theirs)}, Keepers {_said(outcome.ours)}"
    return f"{outcome.path}: {word} ({values}){f'. {outcome.why}' if outcome.why else ''}"


def _said(rating: int | None) -> str:
    if rating is None:
        return "unrated"
    return "rejected" if rating < 0 else f"{rating} stars" if rating > 1 else "1 star"
