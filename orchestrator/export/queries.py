"""What is exported, and why."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.export.photo import Photo, Source
from orchestrator.export.views import ExportPlan, Group, PhotoToExport, Reason
from orchestrator.photos.addresses import thumbnail_url
from orchestrator.projects.names import tidy
from orchestrator.taste.service import MATCH_SCORE

Row = Any  # Any: columns by their names

LEAST_STARS = 4
DOUBTFUL_STARS = 2  # a score that the person's own stars speak against

_TRUSTED = "EXISTS (SELECT 1 FROM taste_state WHERE is_trusted)"  # until it beats guessing, a score approves nothing
# A photo without stars is never exported, whatever else speaks for it.
_RULE = f"""
    user_rating IS NOT NULL AND rejected_at IS NULL AND deleted_at IS NULL
    AND (user_rating >= {LEAST_STARS} OR manual_match OR (preference_score >= {MATCH_SCORE} AND {_TRUSTED}))
"""
_REASON = f"CASE WHEN user_rating >= {LEAST_STARS} THEN 'stars' WHEN manual_match THEN 'pick' ELSE 'score' END"
_OF_PROJECT = "(CAST(:project AS bigint) IS NULL OR project_id = :project)"
_READ = f"""
    SELECT photos.id, content_hash, file_name, greatest(width, height) AS long_edge, preview, user_rating,
      manual_match, preference_score, subject, content_type, lighting_critique, artistic_mood,
      coalesce(tags, suggested_tags, '{{}}') AS tags, captured_at, utc_offset_minutes,
      projects.name AS project, ({_RULE}) AS passes
    FROM photos LEFT JOIN projects ON projects.id = project_id
"""
_FILES = text(
    """
    SELECT photo_id, role, roots.path AS root, photo_files.path FROM photo_files JOIN roots ON roots.id = root_id
    WHERE photo_id = ANY(:ids) ORDER BY role = 'companion' DESC, role = 'original' DESC, photo_files.id
    """
)
_GROUPS = text(
    f"""
    SELECT {_REASON} AS reason, count(*) AS photos, count(*) FILTER (WHERE user_rating <= {DOUBTFUL_STARS}) AS doubtful
    FROM photos WHERE {_RULE} AND {_OF_PROJECT} GROUP BY 1
    """
)
_SHOWN = text(  # of each group the first few; those that want a second look before all others
    f"""
    SELECT * FROM (
      SELECT id, file_name, thumbnail, subject, user_rating, manual_match, preference_score, {_REASON} AS reason,
        row_number() OVER (
          PARTITION BY {_REASON} ORDER BY ({_REASON} = 'score' AND user_rating <= {DOUBTFUL_STARS}) DESC, id DESC
        ) AS place
      FROM photos WHERE {_RULE} AND {_OF_PROJECT}) AS ranked
    WHERE place <= :most ORDER BY place
    """
)
_ORDER: tuple[Reason, ...] = ("stars", "pick", "score")


async def project_named(session: AsyncSession, name: str) -> int | None:
    same = text("SELECT id FROM projects WHERE lower(name) = lower(:name)")
    found: int | None = await session.scalar(same, {"name": tidy(name)})
    return found


async def project_names(session: AsyncSession) -> list[str]:
    return list((await session.execute(text("SELECT name FROM projects ORDER BY lower(name), id"))).scalars())


async def root_folders(session: AsyncSession) -> list[bytes]:
    return list((await session.execute(text("SELECT path FROM roots"))).scalars())


async def is_trusted(session: AsyncSession) -> bool:
    return bool((await session.execute(text(f"SELECT {_TRUSTED}"))).scalar())


async def to_export(session: AsyncSession, project: int | None) -> list[Photo]:
    """All photos that the rule takes, oldest first."""
    query = text(f"{_READ} WHERE {_RULE} AND {_OF_PROJECT} ORDER BY photos.id")
    return await _photos(session, (await session.execute(query, {"project": project})).mappings().all())


async def known(session: AsyncSession, ids: Iterable[int], hashes: Iterable[str]) -> list[Photo]:
    """The photos of this archive with these numbers or contents, whatever the rule says of them."""
    query = text(f"{_READ} WHERE photos.id = ANY(:ids) OR content_hash = ANY(:hashes) ORDER BY passes DESC")
    rows = await session.execute(query, {"ids": list(ids), "hashes": list(hashes)})
    return [_photo(row, ()) for row in rows.mappings()]


async def plan(session: AsyncSession, project: int | None, most: int) -> ExportPlan:
    """What would be exported, in groups, with the first `most` photos of each."""
    wanted = {"project": project, "most": most}
    trusted = await is_trusted(session)
    shown: dict[str, list[PhotoToExport]] = defaultdict(list)
    for row in (await session.execute(_SHOWN, wanted)).mappings():
        shown[row["reason"]].append(_shown(row, trusted))
    counted = {row.reason: row for row in await session.execute(_GROUPS, {"project": project})}
    groups = [
        Group(
            reason=reason,
            photos=counted[reason].photos,
            doubtful=counted[reason].doubtful if reason == "score" else 0,
            items=shown[reason],
        )
        for reason in _ORDER
        if reason in counted
    ]
    return ExportPlan(total=sum(group.photos for group in groups), groups=groups, is_trusted=trusted)


def _reasons(user_rating: int | None, manual_match: bool, preference_score: int | None, trusted: bool) -> list[Reason]:
    """All that speaks for a photo, the strongest first."""
    speaks: dict[Reason, bool] = {
        "stars": (user_rating or 0) >= LEAST_STARS,
        "pick": manual_match,
        "score": trusted and (preference_score or 0) >= MATCH_SCORE,
    }
    return [reason for reason in _ORDER if speaks[reason]]


async def _photos(session: AsyncSession, rows: Sequence[Row]) -> list[Photo]:
    sources: dict[int, list[Source]] = defaultdict(list)
    for row in await session.execute(_FILES, {"ids": [row["id"] for row in rows]}):
        sources[row.photo_id].append(Source(row.role, row.root, row.path))
    return [_photo(row, tuple(sources[row["id"]])) for row in rows]


def _photo(row: Row, sources: tuple[Source, ...]) -> Photo:
    return Photo(
        **{name: row[name] for name in _SAME_NAME},
        mood=row["artistic_mood"],
        lighting=row["lighting_critique"],
        tags=tuple(row["tags"]),
        sources=sources,
    )


_SAME_NAME = (
    "id", "content_hash", "file_name", "long_edge", "preview", "user_rating", "manual_match", "preference_score",
    "subject", "content_type", "captured_at", "utc_offset_minutes", "project", "passes",
)  # fmt: skip


def _shown(row: Row, trusted: bool) -> PhotoToExport:
    stars, pick, score = row["user_rating"], row["manual_match"], row["preference_score"]
    return PhotoToExport(
        **{name: row[name] for name in ("id", "file_name", "subject", "user_rating")},
        thumbnail_url=thumbnail_url(row["id"], row["thumbnail"]),
        reasons=_reasons(stars, pick, score, trusted),
        is_doubtful=row["reason"] == "score" and stars <= DOUBTFUL_STARS,
    )
