"""Figures of the archive, which every orchestrator on a database gives alike: to be looked at once, never added up.

Each costs the same at a hundred photos and at ten million: sums that are kept, heads of indexes, counts with an end.
"""

import asyncio
import shutil
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from prometheus_client.core import GaugeMetricFamily
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import tallies
from orchestrator.backups import kept
from orchestrator.context import Services
from orchestrator.pipeline import stages
from shared.settings import Settings

FRESH_SECONDS = 5.0  # two scrapers cost no more than one
PATIENCE_SECONDS = 3.0
MOST_LETTERS = 10_000
HEAD_OF_LINE = 500  # runs; a paused import may be in front of others

Families = list[GaugeMetricFamily]


class Archive:
    """Reads again when what it has is older than a few seconds."""

    def __init__(self) -> None:
        self._families: Families = []
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._disks: asyncio.Future[Families] | None = None

    async def families(self, services: Services) -> Families:
        """Without the figures of a database or a disk that does not answer."""
        async with self._reading:
            if time.monotonic() - self._read_at > FRESH_SECONDS:
                self._families = [
                    *await _of_database(services),
                    *await self._of_disks(services),
                    *_of_broker(services),
                ]
                self._read_at = time.monotonic()
            return self._families

    async def _of_disks(self, services: Services) -> Families:
        """A drive that hangs costs its figures and one thread, not one more with every scrape."""
        if self._disks is None or self._disks.done():
            self._disks = asyncio.ensure_future(
                asyncio.to_thread(_disk_families, services.settings, await _archive(services))
            )
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.shield(self._disks)
        except TimeoutError:
            return []


async def _archive(services: Services) -> str | None:
    """Whose backups are looked at; None while the database does not say."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), services.sessions() as session:
            return cast(str, await session.scalar(text("SELECT archive FROM backup_state")))
    except (SQLAlchemyError, OSError, TimeoutError):
        return None


async def _of_database(services: Services) -> Families:
    answers = GaugeMetricFamily("keepers_orchestrator_database_up", "Whether the database answers this orchestrator")
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), services.sessions() as session:
            of_stages = await _stage_families(session, stages(services.pipeline))
            families = [*of_stages, *await _trouble_families(session)]
    except (SQLAlchemyError, OSError, TimeoutError):
        answers.add_metric([], 0)
        return [answers]
    answers.add_metric([], 1)
    return [answers, *families]


async def _stage_families(session: AsyncSession, names: Sequence[str]) -> Families:
    counts = await tallies.of_stages(session)
    runs = ((stage, state, n) for stage in names for state, n in counts[stage].items())
    paused = set((await session.execute(text("SELECT stage FROM stage_pauses"))).scalars())
    oldest = await session.execute(
        text(
            """
            SELECT s.stage, coalesce(extract(epoch FROM now() - min(head.queued_at)), 0)::float
            FROM unnest(CAST(:stages AS text[])) AS s (stage) LEFT JOIN LATERAL (
              SELECT queued_at, import_id FROM stage_runs WHERE stage = s.stage AND state = 'queued'
              ORDER BY priority, id LIMIT :head
            ) AS head ON coalesce(head.import_id, 0) NOT IN (SELECT id FROM imports WHERE state = 'paused')
            GROUP BY s.stage
            """
        ),
        {"stages": [stage for stage in names if stage not in paused], "head": HEAD_OF_LINE},
    )
    return [
        _gauge("runs", "Requests by state; those that wait in the outbox are `queued`", ["stage", "state"], runs),
        _gauge("outbox_oldest_seconds", "How long the first in line have waited; what is paused does not count",
               ["stage"], oldest),
        _gauge("stage_paused", "Whether the person has paused the stage", ["stage"],
               ((stage, stage in paused) for stage in names)),
    ]  # fmt: skip


async def _trouble_families(session: AsyncSession) -> Families:
    breakers = await session.execute(
        text(
            "SELECT stage, split_part(key, ':', 1) AS kind, count(*),"
            " max(extract(epoch FROM now() - opened_at))::float FROM breakers GROUP BY 1, 2"
        )
    )
    opened = breakers.all()
    letters = await session.execute(
        text(
            "SELECT stage, count(*) FROM (SELECT stage FROM dead_letters WHERE state = 'open' LIMIT :most) AS letters"
            " GROUP BY 1"
        ),
        {"most": MOST_LETTERS},
    )
    return [
        _gauge("breakers_open", "Open breakers, by what is away: root, vision, model, claims, or the consent of the"
               " person", ["stage", "kind"], (row[:3] for row in opened)),
        _gauge("breaker_age_seconds", "How long the oldest of them is open", ["stage", "kind"],
               ((row.stage, row.kind, row[3]) for row in opened)),
        _gauge("dead_letters_open", f"Dead letters that nobody has seen to; counted up to {MOST_LETTERS}", ["stage"],
               letters),
    ]  # fmt: skip


def _disk_families(settings: Settings, archive: str | None) -> Families:
    try:
        space = [] if settings.claims_url else _space(settings.claims_folder)
        return [*space, *_last_backup(kept.folder_of(settings), archive)]
    except OSError:
        return []


def _space(folder: Path) -> Families:
    if not folder.is_dir():
        return []
    usage = shutil.disk_usage(folder)
    return [
        _gauge("claims_free_bytes", "Free space where previews are kept", [], [(usage.free,)]),
        _gauge("claims_disk_bytes", "Size of the disk where previews are kept", [], [(usage.total,)]),
    ]


def _last_backup(folder: Path, archive: str | None) -> Families:
    """None, rather than that of another archive in the same folder, while it is not known which this is."""
    newest = kept.newest(kept.listed(folder, archive), datetime.now(UTC)) if archive else None
    made = [(newest.made_at.timestamp(),)] if newest else []
    return [_gauge("last_backup_timestamp_seconds", "When the newest backup was made", [], made)]


def _of_broker(services: Services) -> Families:
    queues = services.queues()
    return [
        _gauge("queue_messages", "Messages that wait in a queue of the broker", ["queue"],
               ((name, state.ready) for name, state in queues.items())),
        _gauge("queue_consumers", "Consumers of a queue of the broker", ["queue"],
               ((name, state.consumers) for name, state in queues.items())),
    ]  # fmt: skip


def _gauge(name: str, says: str, labels: Sequence[str], rows: Iterable[Sequence[object]]) -> GaugeMetricFamily:
    """The last column is the value, those before it are the labels."""
    family = GaugeMetricFamily(
        f"keepers_archive_{name}", f"{says}. Of the archive: alike on every orchestrator", labels=labels
    )
    for *names, value in rows:
        family.add_metric([str(one) for one in names], float(value))  # type: ignore[arg-type]  # numbers, as selected
    return family
