"""Every decision goes into `decisions.jsonl` within seconds. It is read from what the decision left in the database, so
the decision itself does not wait for the disk, and one that a kill kept from the log is written after the next start.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import structlog
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import Sessions, is_passing_trouble
from orchestrator.decision_log.file import Unwritable, Writer, append, reached
from orchestrator.decision_log.lines import path_text, written
from orchestrator.models.columns import Json

log = structlog.get_logger()

EVERY_SECONDS = 2.0
AT_ONCE = 2_000  # lines between two waits for the disk
_WRITING = 0x6A736F6E6C  # advisory lock: one orchestrator of those on a database writes
_TRIES, _PAUSE_SECONDS = 20, 0.05

_Stamp = tuple[int, int, int]  # inode, size, mtime in ns

_STATE = text("SELECT id, parent, begins_after, projects, problem FROM decision_log")
_LAST_EVENT = text("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM rating_events_id_seq")
_BEGUN_UNTIL = text("SELECT CAST(CAST(pg_snapshot_xmax(pg_current_snapshot()) AS text) AS bigint)")
_ENDED_UNTIL = text("SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint)")
_PROJECTS = text("SELECT id, name FROM projects ORDER BY id")
_EVENTS = text(
    """
    SELECT e.id, e.batch, e.undoes, e.source, e.after, e.created_at, p.content_hash, p.file_path, f.path, f.root,
      coalesce(projects.name, ended_projects.name) AS project
    FROM rating_events AS e JOIN photos AS p ON p.id = e.photo_id
    LEFT JOIN LATERAL (
      SELECT photo_files.path, roots.path AS root FROM photo_files JOIN roots ON roots.id = root_id
      WHERE photo_id = p.id ORDER BY role <> 'original', photo_files.id LIMIT 1) AS f ON true
    LEFT JOIN projects ON projects.id = CAST(e.after ->> 'project_id' AS bigint)
    LEFT JOIN ended_projects ON ended_projects.project_id = CAST(e.after ->> 'project_id' AS bigint)
    WHERE e.id > :after AND e.id <= :last ORDER BY e.id LIMIT :limit
    """
)
_ANOTHER_WRITER = text(
    "UPDATE decision_log SET parent = id, id = gen_random_uuid(), begins_after = :last, projects = '{}'"
    " RETURNING id, parent, begins_after"
)
_TOLD = text("UPDATE decision_log SET projects = CAST(:projects AS jsonb), problem = NULL")
_SAY = text(
    "UPDATE decision_log SET problem = CAST(:problem AS text)"
    " WHERE problem IS DISTINCT FROM CAST(:problem AS text) RETURNING id"
)


class DecisionLog:
    """Follows the decisions of a database into `file`."""

    def __init__(self, sessions: Sessions, file: Path) -> None:
        self._sessions = sessions
        self._file = file
        self._known: tuple[_Stamp | None, Writer, int] | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self.try_to_catch_up()
            await asyncio.sleep(EVERY_SECONDS)

    async def try_to_catch_up(self) -> None:
        """What could not be written is written the next time; the settings page says why."""
        try:
            try:
                await self.catch_up()
            except Unwritable as exc:
                await self._say(exc.message)
        except Exception as exc:  # it is all still in the database
            log.warning("decision_log.interrupted", exc_info=not is_passing_trouble(exc))

    async def catch_up(self) -> None:
        """Write what has been decided since the last line. Raises Unwritable."""
        async with self._sessions.begin() as session:
            if not await session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _WRITING}):
                return
            state = (await session.execute(_STATE)).one()
            last = await session.scalar(_LAST_EVENT) or 0
            names = {str(row.id): row.name for row in await session.execute(_PROJECTS)}
            writer = Writer(state.id, state.parent, state.begins_after)
            at = await asyncio.to_thread(self._reached, writer)
            told = state.projects if self._file.exists() else {}
            if last < at:  # an older copy of the database was put in its place by other means
                await session.execute(_ANOTHER_WRITER, {"last": last})
            elif (last > at and await _is_settled(session)) or (last == at and names != told):
                await self._append(writer, at, [_naming(writer, at, *naming) for naming in _namings(told, names)])
                await self._write(session, writer, at, last)
                await session.execute(_TOLD, {"projects": json.dumps(names)})
            elif state.problem:
                await session.execute(_SAY, {"problem": None})

    async def _write(self, session: AsyncSession, writer: Writer, at: int, last: int) -> None:
        while at < last:
            span = {"after": at, "last": last, "limit": AT_ONCE}
            rows = (await session.execute(_EVENTS, span)).mappings().all()
            at = rows[-1]["id"] if len(rows) == AT_ONCE else last
            await self._append(writer, at, [_decision(writer, row) for row in rows])

    async def _append(self, writer: Writer, event: int, lines: Sequence[bytes]) -> None:
        if lines:
            await asyncio.to_thread(append, self._file, b"".join(lines))
        self._known = _stamp(self._file), writer, event

    def _reached(self, writer: Writer) -> int:
        """Read from the file, unless nobody but this has written to it."""
        if self._known is None or self._known[:2] != (_stamp(self._file), writer):
            at = reached(self._file, writer)
            self._known = _stamp(self._file), writer, at
        return self._known[2]

    async def _say(self, problem: str) -> None:
        async with self._sessions.begin() as session:
            if (await session.execute(_SAY, {"problem": problem})).first():
                log.warning("decision_log.failed", error=problem)


async def _is_settled(session: AsyncSession) -> bool:
    """Whether every transaction that may have taken one of these numbers has ended: a lower number may be committed
    after a higher one. Numbers are taken by transactions that write, so it is enough that those begun by now ended."""
    begun = await session.scalar(_BEGUN_UNTIL)
    for _ in range(_TRIES):
        if await session.scalar(_ENDED_UNTIL) >= begun:
            return True
        await asyncio.sleep(_PAUSE_SECONDS)
    return False  # the next round looks again


def _namings(told: Mapping[str, str], names: Mapping[str, str]) -> list[tuple[str | None, str | None]]:
    """(was, name) of each project that is not as the log was told."""
    ids = [*told, *(id_ for id_ in names if id_ not in told)]
    pairs = [(told.get(id_), names.get(id_)) for id_ in ids]
    return [(was, name) for was, name in pairs if was != name]


def _naming(writer: Writer, event: int, was: str | None, name: str | None) -> bytes:
    at = datetime.now(UTC).isoformat()
    return written({"log": str(writer.id), "event": event, "at": at, "naming": {"was": was, "name": name}})


def _decision(writer: Writer, row: RowMapping) -> bytes:
    decided = dict(row["after"])
    if "project_id" in decided:
        del decided["project_id"]
        decided["project"] = row["project"]
    path = row["file_path"] if row["path"] is None else path_text(row["root"], row["path"])
    line: Json = {
        "log": str(writer.id),
        "event": row["id"],
        "at": row["created_at"].isoformat(),
        "photo": {"hash": row["content_hash"], "path": path},
        "decided": decided,
        "source": row["source"],
        "batch": str(row["batch"]),
    }
    return written(line | ({"undoes": str(row["undoes"])} if row["undoes"] else {}))


def _stamp(file: Path) -> _Stamp | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
