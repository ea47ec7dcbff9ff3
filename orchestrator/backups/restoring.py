"""Putting a backup in the place of the database. All of it is read, checked and loaded into a new database before
anything that is there is touched."""

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from orchestrator.backups import databases
from orchestrator.backups.manifest import Manifest, NotUsable, Part, Table, check, chunks, opened
from orchestrator.backups.tables import sources
from orchestrator.db import is_known_revision, migrate, open_engine
from shared.claims import ClaimStore, claim_of, path_of

_PLACES = ("taste/", "placards/")  # of the claims folder; nothing else comes from a backup


@dataclass(frozen=True)
class Restored:
    """`before` is the name under which the database that was there is kept; None after a dry run."""

    manifest: Manifest
    before: str | None


async def restore(
    database_url: str, path: Path, claims: ClaimStore, say: Callable[[str], None], *, is_dry: bool = False
) -> Restored:
    """Raises KeepersError with a sentence when it cannot be done; nothing has changed then."""
    say(f"Reading {path} ...")
    manifest = await asyncio.to_thread(check, path)
    _require_known(path, manifest)
    async with databases.server_of(database_url) as (server, names):
        if not is_dry:
            await databases.require_unused(server, names)
        say(f"Loading {manifest.photos:,} photos into a new database ...")
        await databases.create(server, names)
        try:
            await _build(databases.with_database(database_url, names.restoring), path, manifest)
            if is_dry:
                return Restored(manifest, None)
            await asyncio.to_thread(_put_files, path, manifest, claims)
            await databases.exchange(server, names)
        finally:
            await databases.drop(server, names.restoring)  # is not there any more once it took the other's place
        return Restored(manifest, names.before)


def _require_known(path: Path, manifest: Manifest) -> None:
    if not is_known_revision(manifest.revision):
        raise NotUsable(f"{path} was written by a newer Keepers ({manifest.version}). Update Keepers first.")
    for part in manifest.files:
        claim = part.claim or ""
        if not claim.startswith(_PLACES) or ".." in path_of(claim).parts or claim_of(path_of(claim)) != claim:
            raise NotUsable(f"{path} is no backup of Keepers: it holds a file for {claim}.")


async def _build(url: str, path: Path, manifest: Manifest) -> None:
    engine = open_engine(url)
    try:
        await migrate(engine, revision=manifest.revision)  # as it was when the backup was made
        connection = await asyncpg.connect(url)
        try:
            with opened(path) as (file, _):
                await _load(connection, file, path, manifest)
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.SyntaxOrAccessError) as exc:
            raise NotUsable(f"{path} does not fit together, so it was not restored: {exc}.") from exc
        finally:
            await connection.close()
        await migrate(engine)
    finally:
        await engine.dispose()


async def _load(connection: asyncpg.Connection, file: zipfile.ZipFile, path: Path, manifest: Manifest) -> None:
    """In one transaction: with `wal_level = minimal` PostgreSQL then writes everything only once."""
    await _require_tables(connection, path, manifest)
    async with connection.transaction():
        named = ", ".join(_quoted(table.table) for table in manifest.tables)
        await connection.execute(f"TRUNCATE {named} CASCADE")
        for table in manifest.tables:
            await connection.execute(
                f"ALTER TABLE {_quoted(table.table)} DISABLE TRIGGER USER"
            )  # done by whoever wrote
            await _copy(connection, file, path, table)
            await connection.execute(f"ALTER TABLE {_quoted(table.table)} ENABLE TRIGGER USER")
        for name, value in manifest.sequences.items():
            await connection.execute("SELECT setval($1::text::regclass, $2)", _quoted(name), value)
        await _begin_anew(connection, manifest)
    await connection.execute("ANALYZE")


async def _require_tables(connection: asyncpg.Connection, path: Path, manifest: Manifest) -> None:
    """Names that come out of a file are used as names of tables only when they are of our tables."""
    there = {source.table: set(source.columns) for source in await sources(connection)}
    for table in manifest.tables:
        if unknown := set(table.columns) - there.get(table.table, set()):
            column = min(unknown)
            raise NotUsable(f"{path} holds {table.table}.{column}, which this Keepers does not have.")


async def _copy(connection: asyncpg.Connection, file: zipfile.ZipFile, path: Path, table: Table) -> None:
    done: str = await connection.copy_to_table(
        table.table,
        source=_chunks(file, table, path),
        columns=table.columns,
        format=table.form,
        header=True if table.form == "csv" else None,
    )
    if int(done.rsplit(maxsplit=1)[-1]) != table.rows:
        raise NotUsable(f"{path} is damaged: of {table.table} it has not as many rows as it says.")


async def _chunks(file: zipfile.ZipFile, part: Part, path: Path) -> AsyncIterator[bytes]:
    for chunk in chunks(file, part, path):
        yield chunk


async def _begin_anew(connection: asyncpg.Connection, manifest: Manifest) -> None:
    """Another identity. A broker that knows the old one has answers to requests that this database never sent, and
    not those that it waits for: under a new one all that was out goes out again."""
    await connection.execute("UPDATE broker_epoch SET id = gen_random_uuid()")
    if manifest.decision_log is not None:
        await connection.execute(
            "UPDATE decision_log SET id = gen_random_uuid(), parent = $1, begins_after = $2",
            manifest.decision_log,
            manifest.sequences.get("rating_events_id_seq", 0),
        )


def _put_files(path: Path, manifest: Manifest, claims: ClaimStore) -> None:
    with opened(path) as (file, _):
        for part in manifest.files:
            claim = part.claim or ""
            if not _is_whole(claims, claim, part):
                claims.remove(claim)
                claims.put(str(path_of(claim)), b"".join(chunks(file, part, path)))


def _is_whole(claims: ClaimStore, claim: str, part: Part) -> bool:
    try:
        return hashlib.sha256(claims.read(claim)).hexdigest() == part.sha256
    except FileNotFoundError:
        return False


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
