"""Roots: the folders that files are stored relative to. A drive that comes back elsewhere is recognised."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import breakers
from orchestrator.models import Root
from shared.claims import claim_of

log = structlog.get_logger()

FINGERPRINT_FILES = 20  # known files that are looked for where a root may have come back
FINGERPRINT_SHARE = 0.9


@dataclass(frozen=True)
class Place:
    """A folder to import: its root, and its path relative to it (b"" for the root itself)."""

    root: Root
    folder: bytes


@dataclass(frozen=True)
class KnownFile:
    path: bytes
    size: int
    mtime_ns: int


def root_key(root_id: int) -> str:
    """The breaker key of everything that needs this root."""
    return f"root:{root_id}"


def identity_of(folder: Path) -> str | None:
    """File-system id and inode of a folder: stays when it is renamed or its drive is mounted elsewhere."""
    try:
        return f"{os.statvfs(folder).f_fsid:x}:{folder.stat().st_ino}"
    except OSError:
        return None


def is_empty_or_missing(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return True


async def place(session: AsyncSession, folder: Path, library_roots: Sequence[Path] | None) -> Place:
    """The root that this existing folder belongs to, made if it is new; a root that has moved here is found again."""
    await session.execute(text("LOCK TABLE roots IN SHARE ROW EXCLUSIVE MODE"))
    roots = (await session.execute(select(Root))).scalars().all()
    for candidate in [folder, *folder.parents]:
        for root in roots:
            if await _has_come_back(session, root, candidate):
                await relocate(session, root, candidate)
    for root in sorted((r for r in roots if r.state == "online"), key=lambda r: len(r.path), reverse=True):
        if (relative := _relative(folder, _path(root))) is not None:
            return Place(root, relative)
    top = next((base for base in library_roots or () if _relative(folder, base.resolve()) is not None), folder)
    root = await _create(session, top.resolve())
    for inner in roots:
        if inner.state == "online" and (prefix := _relative(_path(inner), _path(root))):
            await _absorb(session, root, inner, prefix)
    relative = _relative(folder, _path(root))
    assert relative is not None
    return Place(root, relative)


def _path(root: Root) -> Path:
    return Path(os.fsdecode(root.path))


def _relative(folder: Path, base: Path) -> bytes | None:
    """b"" for the base itself; None when the folder is not inside it."""
    try:
        relative = folder.relative_to(base)
    except ValueError:
        return None
    return b"" if relative == Path() else os.fsencode(relative)


async def _create(session: AsyncSession, path: Path) -> Root:
    label = os.fsencode(path).decode(errors="replace")
    root = Root(path=os.fsencode(path), label=label, identity=identity_of(path))
    session.add(root)
    await session.flush()
    return root


async def _has_come_back(session: AsyncSession, root: Root, folder: Path) -> bool:
    """Whether `folder` is this root under a new path: its old path is empty or gone, and identity or files agree."""
    if _path(root) == folder or not is_empty_or_missing(_path(root)):
        return False
    if root.identity is not None and root.identity == identity_of(folder):
        return True
    known = await _fingerprint(session, root)
    return bool(known) and sum(_is_same(folder, file) for file in known) >= FINGERPRINT_SHARE * len(known)


async def _fingerprint(session: AsyncSession, root: Root) -> list[KnownFile]:
    rows = await session.execute(
        text("SELECT path, size, mtime_ns FROM photo_files WHERE root_id = :root ORDER BY path LIMIT :limit"),
        {"root": root.id, "limit": FINGERPRINT_FILES},
    )
    return [KnownFile(*row) for row in rows]


def _is_same(folder: Path, file: KnownFile) -> bool:
    try:
        found = (folder / os.fsdecode(file.path)).stat()
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (file.size, file.mtime_ns)


async def relocate(session: AsyncSession, root: Root, folder: Path) -> None:
    """The root lies at `folder` from now on; what waited for it goes on."""
    old, new = claim_of(root.path), claim_of(folder)
    log.info("roots.relocated", root=root.id, old=old, new=new)
    root.path, root.state, root.problem = os.fsencode(folder), "online", None
    root.label, root.identity = os.fsencode(folder).decode(errors="replace"), identity_of(folder)
    await session.flush()
    await _rewrite_requests(session, root.id, old, new)
    await session.execute(
        text("UPDATE photos SET file_path = :new || substr(file_path, :length) WHERE root_id = :root"),
        {"new": root.label, "length": len(path_text(old)) + 1, "root": root.id},
    )
    await breakers.close(session, root_key(root.id))


def path_text(claim: str) -> str:
    """A path to read: bytes that are not UTF-8 are replaced."""
    from urllib.parse import unquote

    return unquote(claim, errors="replace")


async def _rewrite_requests(session: AsyncSession, root_id: int, old: str, new: str) -> None:
    """Requests hold absolute claims: those under the old path get the new one."""
    await session.execute(
        text(
            """
            UPDATE stage_runs SET request = request
              || jsonb_build_object('root', CAST(:new AS text))
              || jsonb_build_object('file_path', CAST(:new AS text) || substr(request->>'file_path', :length))
              || CASE WHEN request->>'companion' IS NULL THEN '{}'::jsonb ELSE
                 jsonb_build_object('companion', CAST(:new AS text) || substr(request->>'companion', :length)) END
            WHERE gate = :gate AND state IN ('queued', 'held', 'published', 'retrying', 'failed')
            """
        ),
        {"new": new, "length": len(old) + 1, "gate": root_key(root_id)},
    )


async def _absorb(session: AsyncSession, outer: Root, inner: Root, prefix: bytes) -> None:
    """A parent folder of a root becomes the root: the files of both are then known under one path each."""
    parameters = {"outer": outer.id, "inner": inner.id, "prefix": prefix + b"/"}
    for table in ("photo_files", "imports"):
        column = "path" if table == "photo_files" else "folder"
        await session.execute(
            text(f"UPDATE {table} SET root_id = :outer, {column} = :prefix || {column} WHERE root_id = :inner"),
            parameters,
        )
    await session.execute(
        text("UPDATE import_items SET path = :prefix || path FROM imports"
             " WHERE imports.id = import_id AND imports.root_id = :outer"),
        parameters,
    )  # fmt: skip
    await session.execute(text("UPDATE photos SET root_id = :outer WHERE root_id = :inner"), parameters)
    await session.execute(
        text(
            "UPDATE stage_runs SET gate = :new, request = request || jsonb_build_object("
            "'root', CAST(:root AS text), 'root_key', CAST(:new AS text)) WHERE gate = :old"
        ),
        {"new": root_key(outer.id), "old": root_key(inner.id), "root": claim_of(outer.path)},
    )
    await session.delete(inner)
    await session.flush()


async def by_id(session: AsyncSession, root_id: int) -> Root:
    return (await session.execute(select(Root).where(col(Root.id) == root_id))).scalar_one()
