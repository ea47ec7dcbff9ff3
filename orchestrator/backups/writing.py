"""Writing a backup while Keepers is at work: one snapshot of the database, and the files that nothing can make again.

Not `pg_dump`: that must be at least as new as the server and be there at all, which in a container or beside a server
of one's own it need not. A COPY of each table needs no program, and a restore runs no SQL that came out of a file.
"""

import asyncio
import errno
import hashlib
import json
import os
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from uuid import UUID

import asyncpg

from orchestrator.backups import kept
from orchestrator.backups.databases import connect
from orchestrator.backups.manifest import CHUNK_BYTES, FORM, MANIFEST, Manifest, Part, Table, Why, check
from orchestrator.backups.tables import Source, sequences, sources
from orchestrator.db import plain_dsn
from shared.claims import ClaimStore
from shared.errors import KeepersError, OutsideRoots

BACKING_UP = 0x6B6565706261  # advisory lock: one backup of a database at a time
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FAST = 1  # of zlib: text shrinks to a quarter at once, and hardly more with four times the work
_READABLE = {"DateStyle": "ISO, YMD", "TimeZone": "UTC", "bytea_output": "hex", "extra_float_digits": "1"}
_CLAIMS = {"taste_models": "artifact", "placards": "upload"}  # files that are in a backup, and where they are named


class NotWritten(KeepersError):
    """The backup could not be written."""


class Busy(NotWritten):
    """A backup is being written already."""


async def begin(database_url: str) -> asyncpg.Connection:
    """A connection under which nobody else makes a backup until it ends: `terminate` it, perhaps in the middle of a
    table. Raises Busy when somebody does, and NoAnswer."""
    connection = await connect(plain_dsn(database_url), **_READABLE)
    if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", BACKING_UP):
        await connection.close()
        raise Busy
    return connection


async def write(
    connection: asyncpg.Connection, claims: ClaimStore, folder: Path, why: Why, *, drops_old: bool = True
) -> Path:
    """Write a backup into `folder`, read it again, and return it; `connection` is that of `begin`. Older ones of the
    same archive and reason go, but for the newest five. Raises NotWritten with a sentence; the older ones stay then."""
    try:
        archive, now = await archive_of(connection), datetime.now(UTC)
        path = folder / kept.name_of(now, why, archive)
        async with _complete_or_nothing(path, archive) as file:
            await _fill(file, connection, claims, why)
        if drops_old:
            await asyncio.to_thread(kept.drop_old, folder, why, archive, now)
        return path
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as exc:
        raise NotWritten(f"The backup could not be written. PostgreSQL said: {exc}.") from exc


async def archive_of(connection: asyncpg.Connection) -> str | None:
    """The id of the archive, as it stands in names of backups. One that is older than such ids has that which its
    upgrade will give it (migration 0002); None while it has no photos either."""
    known = await connection.fetchval(
        "SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema()"
        " AND table_name = 'backup_state' AND column_name = 'archive'"
    )
    found: str | None = await connection.fetchval("SELECT archive FROM backup_state" if known else _ID_TO_COME)
    return found


_ID_TO_COME = """
    SELECT left(md5(concat(encode(path, 'hex'), extract(epoch FROM created_at))), 12) FROM roots ORDER BY id LIMIT 1
    """


@asynccontextmanager
async def _complete_or_nothing(path: Path, archive: str | None) -> AsyncIterator[zipfile.ZipFile]:
    unfinished = path.with_name(f"{path.name}{kept.UNFINISHED}")
    try:
        await asyncio.to_thread(kept.prepare, path.parent, archive)
        descriptor = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)  # as private as the photos
        with os.fdopen(descriptor, "wb") as raw:
            with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=_FAST) as file:
                yield file
            await asyncio.to_thread(_to_disk, raw.fileno())
        await asyncio.to_thread(check, unfinished)
        await asyncio.to_thread(_publish, unfinished, path)
    except OSError as exc:
        raise NotWritten(_sentence(exc, path.parent)) from exc
    finally:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)


async def _fill(file: zipfile.ZipFile, connection: asyncpg.Connection, claims: ClaimStore, why: Why) -> None:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        revision = await connection.fetchval("SELECT version_num FROM alembic_version")
        told = await sequences(connection)
        tables = [await _copy(file, connection, source) for source in await sources(connection)]
        names = {table.table for table in tables}
        named = await _named_claims(connection, names)
        log = await connection.fetchval("SELECT id FROM decision_log") if "backup_state" in names else None
    found = [await asyncio.to_thread(_add, file, claims, claim) for claim in named]
    manifest = Manifest(
        what="keepers backup",
        form=FORM,
        version=version("keepers"),
        revision=revision,
        why=why,
        made_at=datetime.now(UTC),
        photos=sum(table.rows for table in tables if table.table == "photos"),
        tables=tables,
        sequences=told,
        decision_log=log and UUID(str(log)),
        files=[part for part in found if isinstance(part, Part)],
        missing=[claim for claim, part in zip(named, found, strict=True) if part is None],
    )
    file.writestr(MANIFEST, json.dumps(manifest.model_dump(mode="json"), indent=1))


async def _copy(file: zipfile.ZipFile, connection: asyncpg.Connection, source: Source) -> Table:
    name = f"tables/{source.table}.{source.form}"
    with _Member(file, name) as member:

        async def take(data: bytes) -> None:
            if member.hold(data):
                await asyncio.to_thread(member.flush)

        done: str = await connection.copy_from_table(
            source.table,
            output=take,
            columns=source.columns,
            format=source.form,
            header=True if source.form == "csv" else None,
        )
        await asyncio.to_thread(member.flush)
    rows = int(done.rsplit(maxsplit=1)[-1])
    said = member.part()
    return Table(**said.model_dump(), table=source.table, columns=source.columns, rows=rows, form=source.form)


async def _named_claims(connection: asyncpg.Connection, tables: set[str]) -> list[str]:
    named: list[str] = []
    for table, column in _CLAIMS.items():
        if table in tables:
            rows = await connection.fetch(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL ORDER BY 1")
            named += [row[column] for row in rows]
    return named


def _add(file: zipfile.ZipFile, claims: ClaimStore, claim: str) -> Part | None:
    """None when there is no such file any more."""
    try:
        source = claims.open(claim)
    except (FileNotFoundError, OutsideRoots):
        return None
    with source, _Member(file, f"claims/{claim}", claim) as member:
        while data := source.read(CHUNK_BYTES):
            member.hold(data)
            member.flush()
    return member.part()


class _Member:
    """A file in the ZIP, written in large pieces."""

    def __init__(self, file: zipfile.ZipFile, name: str, claim: str | None = None) -> None:
        self._name, self._claim = name, claim
        self._digest, self._size, self._held = hashlib.sha256(), 0, bytearray()
        self._file = file.open(name, "w", force_zip64=True)

    def __enter__(self) -> "_Member":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def hold(self, data: bytes) -> bool:
        """Whether there is enough now to be worth a write."""
        self._held += data
        return len(self._held) >= CHUNK_BYTES

    def flush(self) -> None:
        self._digest.update(self._held)
        self._size += len(self._held)
        self._file.write(self._held)
        self._held.clear()

    def part(self) -> Part:
        return Part(name=self._name, bytes=self._size, sha256=self._digest.hexdigest(), claim=self._claim)


def _to_disk(descriptor: int) -> None:
    os.fsync(descriptor)


def _publish(unfinished: Path, path: Path) -> None:
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _sentence(error: OSError, folder: Path) -> str:
    if error.errno in _FULL:
        return f"There is no room for a backup in {folder}. The earlier ones are untouched."
    return f"No backup could be written to {folder}: {error.strerror or error}. The earlier ones are untouched."
