"""The lines of `decisions.jsonl`: one JSON object for every decision about a photo, and for every project that is made,
renamed or ended. Readable without Keepers, and never changed once they are written."""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_MOST_BYTES = 1 << 20  # of a line; none of ours is a tenth of that


class Photo(BaseModel):
    """`hash` is the SHA-256 of the original, `path` where it lay then; a path that is no text has lone surrogates, as
    `os.fsdecode` writes it. Either may be unknown."""

    model_config = ConfigDict(frozen=True)

    hash: str | None = None
    path: str | None = None


class Decided(BaseModel):
    """What became true; only what is named was decided. A project by its name."""

    user_rating: Annotated[int, Field(ge=1, le=5)] | None = None
    manual_match: bool = False
    kept_at: datetime | None = None
    rejected_at: datetime | None = None
    project: Annotated[str, Field(min_length=1)] | None = None
    tags: list[str] | None = None
    burst_best_at: datetime | None = None
    burst_dissolved_at: datetime | None = None


class Naming(BaseModel):
    """A project is made (`was` is null), renamed, or ended (`name` is null)."""

    was: str | None
    name: str | None


class Line(BaseModel):
    """`log` is the database that wrote it, and `event` the last of its rating events that the log has with it."""

    log: UUID
    event: int
    at: datetime
    photo: Photo | None = None
    decided: Decided | None = None
    source: str = "person"  # person, file, undo
    batch: UUID | None = None
    undoes: UUID | None = None
    naming: Naming | None = None


def written(line: Mapping[str, Any]) -> bytes:  # Any: JSON
    """In plain ASCII, so that even a path that is no text survives."""
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"


def parsed(data: bytes) -> Line | None:
    """None for what is not a line of ours."""
    if len(data) > _MOST_BYTES:
        return None
    try:
        return Line.model_validate(json.loads(data))
    except (ValueError, ValidationError, RecursionError):
        return None


def read(file: Path) -> Iterator[tuple[int, Line | None]]:
    """Every line by its number, from 1. Raises OSError."""
    with open(file, "rb") as opened:
        for number, data in enumerate(opened, 1):
            yield number, parsed(data)


def path_text(root: bytes, path: bytes) -> str:
    return os.fsdecode(os.path.join(root, path))
