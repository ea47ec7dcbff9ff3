"""How decisions are written: for ten thousand photos as for one, in one statement."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# What a person decides about a photo, and the type of the column. Nothing else is changed here.
DECIDED: Mapping[str, str] = {
    "user_rating": "smallint",
    "manual_match": "boolean",
    "kept_at": "timestamptz",
    "rejected_at": "timestamptz",
    "project_id": "bigint",
    "tags": "text[]",
    "burst_best_at": "timestamptz",
    "burst_dissolved_at": "timestamptz",
}


@dataclass(frozen=True)
class Wanted:
    """`sql` has the columns `photo_id` and `fields`, which is JSON of some of `columns`. The photos are locked."""

    sql: str
    values: Mapping[str, Any]  # Any: parameters of the statement
    columns: Collection[str]


@dataclass(frozen=True)
class Written:
    photo_ids: list[int]
    concerns_taste: bool


# An unchanged photo has no event and is not written. Columns that nobody speaks of are not set: a trigger listens.
_WRITE = """
WITH wanted AS MATERIALIZED ({wanted}),
compared AS MATERIALIZED (
  SELECT p.id, p.user_rating AS stars, {olds}, {news}
  FROM wanted JOIN photos AS p ON p.id = wanted.photo_id
  CROSS JOIN LATERAL jsonb_to_record(wanted.fields) AS said({types})),
differing AS MATERIALIZED (
  SELECT *, {before} AS before, {after} AS after FROM compared WHERE {differs}),
noted AS (
  INSERT INTO rating_events (batch, undoes, photo_id, source, before, after)
  SELECT CAST(:batch AS uuid), CAST(:undoes AS uuid), id, CAST(:source AS text), before, after
  FROM differing ORDER BY id)
UPDATE photos SET {sets} FROM differing WHERE photos.id = differing.id
RETURNING photos.id, jsonb_exists(differing.after, 'user_rating')
  OR (jsonb_exists(differing.after, 'rejected_at') AND differing.stars IS NOT NULL) AS concerns_taste
"""


async def write(session: AsyncSession, wanted: Wanted, source: str, batch: UUID, undoes: UUID | None) -> Written:
    """Change what is wanted where it differs, and note what was true before."""
    if not wanted.columns:
        return Written([], concerns_taste=False)
    columns = sorted(wanted.columns)
    statement = _WRITE.format(
        wanted=wanted.sql,
        olds=", ".join(f"p.{name} AS old_{name}" for name in columns),
        news=", ".join(f"{_new(name)} AS new_{name}" for name in columns),
        types=types_of(columns),
        before=" || ".join(_noted(name, "old") for name in columns),
        after=" || ".join(_noted(name, "new") for name in columns),
        differs=" OR ".join(f"old_{name} IS DISTINCT FROM new_{name}" for name in columns),
        sets=", ".join(f"{name} = differing.new_{name}" for name in columns),
    )
    told = {"batch": batch, "undoes": undoes, "source": source}
    rows = (await session.execute(text(statement), {**wanted.values, **told})).all()
    return Written(sorted(row.id for row in rows), any(row.concerns_taste for row in rows))


def types_of(columns: Collection[str]) -> str:
    """The columns of a record that JSON is read into."""
    return ", ".join(f"{name} {DECIDED[name]}" for name in sorted(columns))


def _new(name: str) -> str:
    """A moment that is there already stays: what is kept twice was kept once, and then."""
    said = f"said.{name}"
    if DECIDED[name] == "timestamptz":
        said = f"CASE WHEN said.{name} IS NOT NULL THEN coalesce(p.{name}, said.{name}) END"
    return f"CASE WHEN jsonb_exists(wanted.fields, '{name}') THEN {said} ELSE p.{name} END"


def _noted(name: str, which: str) -> str:
    return (
        f"CASE WHEN old_{name} IS DISTINCT FROM new_{name} THEN jsonb_build_object('{name}', {which}_{name})"
        " ELSE '{}'::jsonb END"
    )
