"""Which renditions of photos there are, and what would have to be made."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.render import EDGES, Size

# A photo that is no larger than a size asks for is kept once, in full.
_ASKED = text(
    """
    SELECT asked.id, photos.file_name, photos.deleted_at IS NOT NULL AS is_removed, photos.preview, photos.source,
      photos.preview_width, photos.preview_height, greatest(photos.width, photos.height) AS long_edge, kept.size,
      file.root_id, file.root, file.path, companion.root AS companion_root, companion.path AS companion,
      made.claim, made.width, made.height, made.source AS made_from, run.state,
      run.state = 'failed' AND run.queued_at > now() - make_interval(secs => :patience) AS has_just_failed,
      coalesce(breakers.cause, run.error) AS trouble
    FROM unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS asked (id, place)
    LEFT JOIN photos ON photos.id = asked.id
    CROSS JOIN LATERAL (SELECT CASE WHEN greatest(photos.width, photos.height) <= CAST(:edge AS int)
      THEN 'full' ELSE :size END AS size) AS kept
    LEFT JOIN LATERAL (SELECT photo_files.root_id, roots.path AS root, photo_files.path FROM photo_files
      JOIN roots ON roots.id = root_id WHERE photo_id = photos.id AND role = 'original'
      ORDER BY photo_files.id LIMIT 1) AS file ON true
    LEFT JOIN LATERAL (SELECT roots.path AS root, photo_files.path FROM photo_files
      JOIN roots ON roots.id = root_id WHERE photo_id = photos.id AND role = 'companion'
      ORDER BY photo_files.id LIMIT 1) AS companion ON true
    LEFT JOIN renditions AS made ON made.photo_id = photos.id AND made.size = kept.size
      AND made.preview = photos.preview
    LEFT JOIN stage_runs AS run ON run.stage = 'render' AND run.subject = photos.id || ':' || kept.size
      AND run.request->>'preview' = photos.preview
    LEFT JOIN breakers ON run.state = 'held' AND breakers.key = run.hold_key
    ORDER BY place
    """
)
_FAILED_SECONDS = 60.0  # one that failed is tried again when it is asked for after that


@dataclass(frozen=True)
class File:
    root: bytes
    path: bytes


@dataclass(frozen=True)
class Made:
    claim: str
    width: int
    height: int
    source: str


@dataclass(frozen=True)
class Asked:
    """A photo of which a rendition is wanted. `kept_as` is the size under which it is kept."""

    id: int
    name: str | None  # None: there is no such photo
    preview: str | None
    preview_size: tuple[int, int]
    source: str
    long_edge: int
    kept_as: Size
    root_id: int
    original: File | None
    companion: File | None
    made: Made | None
    state: str | None  # of the run that makes it
    has_just_failed: bool
    trouble: str | None

    @property
    def has_all_in_preview(self) -> bool:
        return max(self.preview_size) >= self.long_edge


async def asked(session: AsyncSession, ids: Sequence[int], size: Size) -> list[Asked]:
    """In the order of `ids`."""
    wanted = {"ids": list(ids), "size": size, "edge": EDGES[size], "patience": _FAILED_SECONDS}
    rows = (await session.execute(_ASKED, wanted)).mappings().all()
    return [
        Asked(
            id=row["id"],
            name=None if row["is_removed"] else row["file_name"],
            preview=row["preview"],
            preview_size=(row["preview_width"] or 0, row["preview_height"] or 0),
            source=row["source"] or "original",
            long_edge=row["long_edge"] or 0,
            kept_as=row["size"],
            root_id=row["root_id"] or 0,
            original=File(row["root"], row["path"]) if row["path"] is not None else None,
            companion=File(row["companion_root"], row["companion"]) if row["companion"] is not None else None,
            made=Made(row["claim"], row["width"], row["height"], row["made_from"]) if row["claim"] else None,
            state=row["state"],
            has_just_failed=bool(row["has_just_failed"]),
            trouble=row["trouble"],
        )
        for row in rows
    ]
