"""What a backup says about itself: `manifest.json` in its ZIP file, written last.

The tables are CSV, so that they can be read without Keepers; vectors are PostgreSQL's binary form, a quarter of the
size. Which columns there are and in which order tables are to be filled stands here, so a backup of an older version
can be restored by a newer one.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import KeepersError

FORM = 1  # of the backup as a whole; rises when an older Keepers could not read it
MANIFEST = "manifest.json"
CHUNK_BYTES = 1 << 20
_MOST_BYTES = 256 << 20  # of a manifest
_ZIP = b"PK"
_UNREADABLE = (KeyError, zipfile.BadZipFile, EOFError, zlib.error, RuntimeError)  # the last: encrypted, by whomever

Why = Literal["daily", "upgrade", "asked"]


class NotUsable(KeepersError):
    """This file is no backup of Keepers."""


class Part(BaseModel):
    """A file in the backup; `claim` says where it belongs, when it is one of the claims folder."""

    model_config = ConfigDict(frozen=True)

    name: str
    bytes: int
    sha256: str
    claim: str | None = None


class Table(Part):
    table: str
    columns: list[str]
    rows: int
    form: Literal["csv", "binary"]


class Manifest(BaseModel):
    model_config = ConfigDict(frozen=True)

    what: Literal["keepers backup"]
    form: int
    version: str  # of Keepers
    revision: str  # of the schema
    why: Why
    made_at: datetime
    photos: int
    tables: list[Table]
    sequences: dict[str, int]
    decision_log: UUID | None  # of which database
    files: list[Part]
    missing: list[str]  # claims that the database names and that could not be read

    def rows_of(self, table: str) -> int:
        return sum(one.rows for one in self.tables if one.table == table)


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """A backup and its manifest. Raises NotUsable, with a sentence, for whatever is none."""
    try:
        with zipfile.ZipFile(path) as file:
            yield file, _manifest(file, path)
    except zipfile.BadZipFile as exc:
        raise NotUsable(_what_is_wrong(path)) from exc
    except OSError as exc:
        raise NotUsable(f"{path} cannot be read: {exc.strerror or exc}.") from exc


def check(path: Path) -> Manifest:
    """Read all of it and compare it with its checksums. Raises NotUsable."""
    with opened(path) as (file, manifest):
        for part in (*manifest.tables, *manifest.files):
            digest, size = hashlib.sha256(), 0
            for chunk in chunks(file, part, path):
                digest.update(chunk)
                size += len(chunk)
            if (size, digest.hexdigest()) != (part.bytes, part.sha256):
                raise _damaged(path, part)
        return manifest


def chunks(file: zipfile.ZipFile, part: Part, path: Path) -> Iterator[bytes]:
    """The bytes of a part. Raises NotUsable when they cannot be unpacked."""
    try:
        with file.open(part.name) as member:
            while chunk := member.read(CHUNK_BYTES):
                yield chunk
    except _UNREADABLE as exc:
        raise _damaged(path, part) from exc


def _manifest(file: zipfile.ZipFile, path: Path) -> Manifest:
    foreign = NotUsable(f"{path} is a ZIP file, but no backup of Keepers.")
    try:
        info = file.getinfo(MANIFEST)
        if info.file_size > _MOST_BYTES:
            raise foreign
        said = json.loads(file.read(info))
    except (*_UNREADABLE, ValueError) as exc:
        raise foreign from exc
    if isinstance(said, dict) and isinstance(said.get("form"), int) and said["form"] > FORM:
        raise NotUsable(f"{path} was written by a newer Keepers ({said.get('version')}). Update Keepers first.")
    try:
        return Manifest.model_validate(said)
    except ValidationError as exc:
        raise foreign from exc


def _what_is_wrong(path: Path) -> str:
    with open(path, "rb") as file:
        head = file.read(len(_ZIP))
    if head == _ZIP:
        return f"{path} was cut short, or damaged: its end is not that of a backup. Take another copy of it."
    return f"{path} is no backup of Keepers."


def _damaged(path: Path, part: Part) -> NotUsable:
    return NotUsable(f"{path} is damaged: {part.name} is not what was written. Take another copy, or another backup.")
