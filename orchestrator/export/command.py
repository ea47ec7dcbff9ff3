"""`keepers export`: asks the Keepers that is open to export, and says how far it is."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from orchestrator.embedded.client import Client, NotAnswering, Refused, client_of
from orchestrator.embedded.home import Home
from shared.claims import claim_of
from shared.errors import KeepersError
from shared.settings import Settings

_FAILED = 1
_PAUSE_SECONDS = 0.5
_MOST_NAMED = 10
_MOST_SILENT = 120  # looks, while Keepers restarts


class NotOpen(KeepersError):
    """Keepers is not open. Start it with `keepers up`, then export."""


def export(settings: Settings, target: Path, wishes: Mapping[str, Any], out: TextIO = sys.stdout) -> int:  # Any: JSON
    """Export and wait for the end. Exit status 0 when all of it could be exported. Raises KeepersError."""
    client = client_of(Home(settings.keepers_home))
    if client is None:
        raise NotOpen
    return watched(client, target, wishes, out, lambda: time.sleep(_PAUSE_SECONDS))


def watched(
    client: Client, target: Path, wishes: Mapping[str, Any], out: TextIO, pause: Callable[[], None]
) -> int:  # Any: JSON
    try:
        seen = client.start_export({"target_claim": claim_of(target.expanduser().absolute()), **wishes})
    except NotAnswering as exc:
        raise NotOpen from exc
    try:
        return _summed_up(_followed(client, seen, out, pause), out)
    except KeyboardInterrupt:
        client.stop_export(seen["id"])
        return _summed_up(_followed(client, seen, out, pause), out)


def _followed(
    client: Client, seen: Mapping[str, Any], out: TextIO, pause: Callable[[], None]
) -> Mapping[str, Any]:  # Any: JSON
    """How it was at the end."""
    said, silent = "", 0
    while seen["state"] == "running":
        if seen["total"] and (line := f"{seen['done']:,} of {seen['total']:,} photos") != said:
            print(said := line, file=out, flush=True)
        pause()
        try:
            seen, silent = client.export(seen["id"]), 0
        except (NotAnswering, Refused):
            if (silent := silent + 1) > _MOST_SILENT:
                raise
    return seen


def _summed_up(seen: Mapping[str, Any], out: TextIO) -> int:  # Any: JSON
    for one in seen["not_exported"][:_MOST_NAMED]:
        print(one["message"], file=sys.stderr)
    if (unnamed := seen["left"] - _MOST_NAMED) > 0:
        print(f"... and {unnamed:,} more.", file=sys.stderr)
    verb = "would be exported" if seen["dry_run"] else "exported"
    parts = [f"{seen['exported']:,} {verb} to {seen['target']}", f"{seen['already']:,} there already"]
    if seen["refresh"]:
        parts.append(f"{seen['updated']:,} entries brought up to date, {seen['withdrawn']:,} of them newly withdrawn")
    if seen["left"]:
        parts.append(f"{seen['left']:,} not possible")
    print(", ".join(parts) + ".", file=out)
    if seen["error"]:
        print(seen["error"], file=sys.stderr)
    return _FAILED if seen["error"] or seen["left"] else 0
