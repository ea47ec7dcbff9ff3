"""Which photos a backfill is for: a folder, and conditions of a small closed set."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.answers import Refused
from orchestrator.backfills.kinds import WORK, Kind
from orchestrator.embedding import service as embedding
from orchestrator.imports.folders import shown
from orchestrator.models import Json
from shared.bucket_address import BucketAddress, address_of, is_address
from shared.claims import claim_of, path_of
from shared.contracts import storable
from shared.contracts.curate import ContentType

CONDITIONS = "missing, all, model=NAME, older-than=YYYY-MM-DD, content-type=TYPE"
_WITH_PREVIEW = "p.preview IS NOT NULL AND p.deleted_at IS NULL"
_IN_A_PLACE = """EXISTS (SELECT 1 FROM photo_files f
  JOIN unnest(CAST(:roots AS bigint[]), CAST(:folders AS bytea[])) AS place (root, folder) ON place.root = f.root_id
  WHERE f.photo_id = p.id AND f.role = 'original' AND substr(f.path, 1, octet_length(folder)) = folder)"""
_OLDER = """EXISTS (SELECT 1 FROM stage_runs r WHERE r.stage = :stage AND r.subject = p.id::text
  AND r.finished_at < :older_than)"""


@dataclass(frozen=True)
class Which:
    """A condition of photos `p` in SQL, and its values."""

    sql: str
    values: dict[str, Any]  # Any: whatever the driver takes


def checked(kind: Kind, where: Sequence[str]) -> list[str]:
    """The conditions in one order, without repetitions. None means what is missing. Refused with a sentence."""
    found = sorted({_checked(kind, str(storable(one)).strip()) for one in where}) or ["missing"]
    names = [one.partition("=")[0] for one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise _invalid(f"{twice}= can be named once.")
    return found


def _checked(kind: Kind, condition: str) -> str:
    name, _, value = condition.partition("=")
    if name in ("missing", "all") and not value:
        return name
    if name == "model" and value:
        if WORK[kind].of_model is None:
            raise _invalid(f"No model makes this: model= is for embed and curate, not for {kind}.")
        return condition
    if name == "older-than" and value:
        _day(value)
        return condition
    if name == "content-type" and value:
        if value not in get_args(ContentType):
            raise _invalid(f"There is no content type {value}. They are: {', '.join(get_args(ContentType))}.")
        return condition
    raise _invalid(f"There is no condition {condition or 'without a name'}. They are: {CONDITIONS}.")


def _day(value: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(value), time(), UTC)
    except ValueError:
        raise _invalid(f"{value} is no date. Write it as 2026-01-31.") from None


def _invalid(sentence: str) -> Refused:
    return Refused(422, "invalid", sentence)


async def wish(session: AsyncSession, where: Sequence[str], source: Path | BucketAddress | None) -> Json:
    """What is stored: the conditions and, of a folder, where its photos are. Drives may come back elsewhere later."""
    if source is None:
        return {"where": list(where)}
    return {"where": list(where), "source": claim_of(str(source)), "places": await _places(session, source)}


async def _places(session: AsyncSession, source: Path | BucketAddress) -> list[tuple[int, str]]:
    rows = await session.execute(text("SELECT id, path FROM roots ORDER BY id"))
    known = [(id_, path) for id_, path in rows]
    if isinstance(source, BucketAddress):
        places = _of_bucket(source, known)
    else:
        places = await asyncio.to_thread(_of_folder, source, known)
    if not places:
        raise Refused(404, "unknown_folder", f"No photos of the archive lie in {shown(str(source))}.")
    return places


def _of_folder(source: Path, roots: Sequence[tuple[int, bytes]]) -> list[tuple[int, str]]:
    """(root, folder in it) of all that lies in `source`: a part of one root, or several whole ones."""
    if not source.is_absolute() or "\0" in str(source):
        raise _invalid("Name a folder by its whole path, beginning with /.")
    folder = Path(os.path.realpath(source))
    places: list[tuple[int, str]] = []
    for id_, path in roots:
        if is_address(path):
            continue
        root = Path(os.path.realpath(os.fsdecode(path)))
        if folder != root and folder.is_relative_to(root):
            places.append((id_, claim_of(folder.relative_to(root))))
        elif root.is_relative_to(folder):
            places.append((id_, ""))
    return places


def _of_bucket(source: BucketAddress, roots: Sequence[tuple[int, bytes]]) -> list[tuple[int, str]]:
    places: list[tuple[int, str]] = []
    for id_, path in roots:
        root = address_of(path)
        if root is not None and (inner := source.below(root)):
            places.append((id_, claim_of(inner)))
        elif root is not None and root.below(source) is not None:
            places.append((id_, ""))
    return places


async def which(session: AsyncSession, kind: Kind, stored: Json) -> Which:
    """The photos that a stored wish is for."""
    work = WORK[kind]
    parts, values = [_WITH_PREVIEW], dict[str, Any]()
    for condition in stored["where"]:
        name, _, value = condition.partition("=")
        if name == "missing":
            parts.append(work.missing)
        elif name == "model":
            parts.append(work.of_model or "false")
            values["model"] = value
        elif name == "older-than":
            parts.append(_OLDER)
            values |= {"stage": work.stage, "older_than": _day(value)}
        elif name == "content-type":
            parts.append("p.content_type = :content_type")
            values["content_type"] = value
    if ":newest" in " ".join(parts):
        values["newest"] = await embedding.newest(session)
    if "places" in stored:
        parts.append(_IN_A_PLACE)
        values["roots"] = [root for root, _ in stored["places"]]
        values["folders"] = [os.fsencode(path_of(folder)) + b"/" if folder else b"" for _, folder in stored["places"]]
    return Which(" AND ".join(parts), values)
