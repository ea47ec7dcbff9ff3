"""`keepers backfill`: asks the Keepers that is open to fill in what photos lack, and says how far it is."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from orchestrator.embedded.client import Client, NotAnswering
from orchestrator.embedded.progress import Reporter, duration
from shared.bucket_address import BucketAddress
from shared.claims import claim_of
from shared.errors import KeepersError

_FAILED, _INTERRUPTED = 1, 130
_OPEN = ("running", "paused")
_PAUSE_SECONDS = 0.5
_SILENCE_SECONDS = 60.0  # an orchestrator that starts again is back before


@dataclass(frozen=True)
class Options:
    """`action`: pause or cancel what is open of this kind; None begins, or goes on with what was wished for in the same
    words and did not come to its end; `from_start` begins anyway."""

    kind: str
    where: Sequence[str] = ()
    source: Path | BucketAddress | None = None
    action: str | None = None
    waits: bool = True
    from_start: bool = False


@dataclass
class Watcher:
    """The client, where to print, and how time passes."""

    client: Client
    out: TextIO = field(default_factory=lambda: sys.stdout)
    pause: Callable[[], None] = lambda: time.sleep(_PAUSE_SECONDS)
    silence_seconds: float = _SILENCE_SECONDS


def backfill(watcher: Watcher, options: Options) -> int:
    """Exit status 0 when every photo of it was done. Raises KeepersError with a sentence."""
    if options.action is not None:
        return _change_open(watcher, options.kind, options.action)
    wish: dict[str, Any] = {
        "kind": options.kind,
        "where": list(options.where),
        "from_start": options.from_start,
    }  # Any: JSON
    if options.source is not None:
        wish["source_claim"] = claim_of(_named(options.source))
    seen = watcher.client.begin_backfill(wish)
    if not seen["total"]:
        print("No photo lacks this: there is nothing to do.", file=watcher.out)
        return 0
    if not options.waits:
        print(f"Backfill {seen['id']}: {_line(seen)}. It goes on while Keepers is open.", file=watcher.out)
        return 0
    if _settled(seen):
        print("It goes on where it was. With --from-start it begins anew.", file=watcher.out)
    try:
        return _watch(watcher, seen)
    except KeyboardInterrupt:
        print(
            "\nIt goes on in Keepers. The same command shows it again; with --pause or --cancel it stops.",
            file=watcher.out,
        )
        return _INTERRUPTED


def _named(source: Path | BucketAddress) -> str:
    return str(source if isinstance(source, BucketAddress) else source.expanduser().absolute())


def _change_open(watcher: Watcher, kind: str, action: str) -> int:
    open_ones = [one for one in watcher.client.backfills() if one["kind"] == kind and one["state"] in _OPEN]
    for one in open_ones:
        seen = watcher.client.change_backfill(one["id"], action)
        print(f"Backfill {seen['id']} is {seen['state']}: {_line(seen)}.", file=watcher.out)
    if not open_ones:
        print(f"There is no open backfill of {kind}.", file=watcher.out)
    return 0


def _watch(watcher: Watcher, seen: Mapping[str, Any]) -> int:  # Any: JSON
    reporter, said = Reporter(watcher.out), None
    answered_at = time.monotonic()
    while seen["state"] == "running":
        if seen["why"] != said and (said := seen["why"]):
            reporter.say(said)
        reporter.show_share(_settled(seen), seen["total"], _line(seen))
        watcher.pause()
        try:
            seen = watcher.client.backfill(seen["id"])
            answered_at = time.monotonic()
        except NotAnswering as exc:
            if time.monotonic() - answered_at > watcher.silence_seconds:
                raise KeepersError("Keepers was closed. It goes on with this when it is open again.") from exc
    reporter.say(f"{seen['state'].capitalize()}: {_line(seen)}.")
    if seen["failed"]:
        reporter.say("The page Problems says why photos failed.")
    return 0 if seen["state"] == "done" and not seen["failed"] else _FAILED


def _line(seen: Mapping[str, Any]) -> str:  # Any: JSON
    """`120 of 4,000 photos, 5 min left, 2 failed, 7 left out`."""
    parts = [f"{_settled(seen):,} of {seen['total']:,} photos"]
    if seen["seconds_left"]:
        parts.append(f"{duration(seen['seconds_left'])} left")
    parts += [f"{seen[name]:,} {word}" for name, word in (("failed", "failed"), ("skipped", "left out")) if seen[name]]
    return ", ".join(parts)


def _settled(seen: Mapping[str, Any]) -> int:  # Any: JSON
    return int(seen["done"] + seen["failed"] + seen["skipped"])
