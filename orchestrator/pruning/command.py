"""`keepers prune`, on the terminal."""

import asyncio
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TextIO

from orchestrator.db import open_engine, open_sessions
from orchestrator.pruning import files, rows
from orchestrator.pruning.pruned import Pruned
from orchestrator.removal.freed import said
from orchestrator.taste.queries import MOST_VERSIONS
from shared.claims import open_claims
from shared.settings import Settings


@dataclass(frozen=True)
class Options:
    """What is older than `days` goes; `versions` of the taste keep their files."""

    days: int = 30
    versions: int = MOST_VERSIONS
    is_dry: bool = False
    as_json: bool = False


def prune(settings: Settings, database_url: str, options: Options, out: TextIO | None = None) -> None:
    pruned = asyncio.run(carry_out(settings, database_url, options))
    print(_as_json(pruned, options) if options.as_json else _as_text(pruned, options), file=out or sys.stdout)


async def carry_out(settings: Settings, database_url: str, options: Options) -> list[Pruned]:
    engine = open_engine(database_url)
    sessions, claims = open_sessions(engine), open_claims(settings)
    before, is_dry = datetime.now(UTC) - timedelta(days=options.days), options.is_dry
    try:
        return [
            files.logs(settings.keepers_home, before, is_dry=is_dry),
            await files.taste_versions(sessions, claims, options.versions, is_dry=is_dry),
            await rows.dead_letters(sessions, before, is_dry=is_dry),
            await rows.error_logs(sessions, before, is_dry=is_dry),
            await rows.vectors(sessions, is_dry=is_dry),
            await files.orphans(sessions, claims, is_dry=is_dry),
        ]
    finally:
        await engine.dispose()


def _as_json(pruned: Sequence[Pruned], options: Options) -> str:
    return json.dumps({"dry_run": options.is_dry, "pruned": [asdict(one) for one in pruned]}, indent=1)


def _as_text(pruned: Sequence[Pruned], options: Options) -> str:
    verb = "would be removed" if options.is_dry else "removed"
    lines = [f"{one.name:<15} {one.count:>9,} {said(one.bytes):>12}" for one in pruned]
    total = sum(one.bytes for one in pruned)
    lines.append(f"{sum(one.count for one in pruned):,} {verb}, {said(total)}.")
    if later := sum(one.later for one in pruned):
        lines.append(f"{later:,} more files may go tomorrow, if nothing needs them by then.")
    return "\n".join(lines)
