"""Deciding again what a log says, in an archive that was imported anew, or restored from an older backup.

Only the last word about each photo is said, by the one way in which decisions are made: what is true already is not
decided again, so a log can be replayed as often as one likes.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import Sessions
from orchestrator.decision_log.folding import Folded, Project, Word
from orchestrator.decision_log.lines import Photo
from orchestrator.projects import service as projects
from orchestrator.review import service as review
from orchestrator.review.service import Change, Source, Value
from orchestrator.review.verbs import patiently

AT_ONCE = 1_000  # photos in a transaction

_BY_HASH = text(
    """
    SELECT content_hash AS key, min(id) AS photo_id FROM photos
    WHERE content_hash = ANY(:hashes) AND deleted_at IS NULL GROUP BY 1
    UNION ALL
    SELECT photo_files.content_hash, min(photos.id) FROM photo_files JOIN photos ON photos.id = photo_id
    WHERE photo_files.content_hash = ANY(:hashes) AND deleted_at IS NULL GROUP BY 1
    """
)
_ROOTS = text("SELECT id, path FROM roots")
_BY_PATH = text(
    "SELECT photo_files.path AS key, photo_id FROM photo_files JOIN photos ON photos.id = photo_id"
    " WHERE photo_files.root_id = :root AND photo_files.path = ANY(:paths) AND deleted_at IS NULL"
)


@dataclass
class Replayed:
    changed: int = 0
    already: int = 0
    missing: list[Photo] = field(default_factory=list)


async def replay(sessions: Sessions, said: Folded, *, is_dry: bool = False) -> Replayed:
    """Make true what the log says about the photos that are found, by their bytes, else by their path."""
    done = Replayed()
    photos = list(said.photos)
    found: dict[int, dict[str, Word]] = {}
    for start in range(0, len(photos), AT_ONCE):
        async with sessions() as session:
            ids = await _matched(session, photos[start : start + AT_ONCE])
        for photo in photos[start : start + AT_ONCE]:
            if photo in ids:
                found[ids[photo]] = _merged(found.get(ids[photo], {}), said.photos[photo])
            else:
                done.missing.append(photo)
    numbers = sorted(found)
    for start in range(0, len(numbers), AT_ONCE):
        some = {id_: found[id_] for id_ in numbers[start : start + AT_ONCE]}
        changed = await _decided(sessions, some, is_dry)
        done.changed += changed
        done.already += len(some) - changed
    if not is_dry:
        async with sessions.begin() as session:
            for project in said.projects.values():  # those without photos too
                await projects.named(session, project.name)
    return done


async def _matched(session: AsyncSession, photos: Sequence[Photo]) -> dict[Photo, int]:
    hashes = [photo.hash for photo in photos if photo.hash]
    rows = await session.execute(_BY_HASH, {"hashes": hashes})
    by_hash = {row.key: row.photo_id for row in reversed(rows.all())}
    ids = {photo: by_hash[photo.hash] for photo in photos if photo.hash in by_hash}
    for root in (await session.execute(_ROOTS)).all():
        inside = {
            photo: os.fsencode(photo.path).removeprefix(root.path).lstrip(b"/")
            for photo in photos
            if photo not in ids and photo.path and os.fsencode(photo.path).startswith(root.path.rstrip(b"/") + b"/")
        }
        rows = await session.execute(_BY_PATH, {"root": root.id, "paths": list(inside.values())})
        by_path = {row.key: row.photo_id for row in rows}
        ids |= {photo: by_path[path] for photo, path in inside.items() if path in by_path}
    return ids


def _merged(one: Mapping[str, Word], other: Mapping[str, Word]) -> dict[str, Word]:
    """What was said last about each field."""
    return {name: max((w[name] for w in (one, other) if name in w), key=lambda w: w.line) for name in {*one, *other}}


async def _decided(sessions: Sessions, found: Mapping[int, Mapping[str, Word]], is_dry: bool) -> int:
    """How many photos are not as they were."""

    async def work() -> int:
        async with sessions() as session:
            changed: set[int] = set()
            ids: dict[str, int | None] = {}
            for source in ("file", "person"):
                changes = [
                    Change(id_, fields)
                    for id_, words in found.items()
                    if (fields := await _fields(session, words, source, ids))
                ]
                changed |= set((await review.decide(session, changes, source)).photo_ids)
            await (session.rollback() if is_dry else session.commit())
            return len(changed)

    return await patiently(work)


async def _fields(
    session: AsyncSession, words: Mapping[str, Word], source: Source, ids: dict[str, int | None]
) -> dict[str, Value]:
    """`ids` are those of the projects that were looked up already."""
    fields: dict[str, Value] = {}
    for name, word in words.items():
        if word.source != source:
            continue
        if name != "project":
            assert not isinstance(word.value, Project)
            fields[name] = word.value
        elif isinstance(word.value, Project):
            if word.value.name not in ids:
                ids[word.value.name] = await projects.named(session, word.value.name)
            fields["project_id"] = ids[word.value.name]
        else:
            fields["project_id"] = None
    return fields
