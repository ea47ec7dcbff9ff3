"""Tags that many photos are given or lose, whatever other tags each of them has."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.review.writing import Wanted

MOST_TAGS = 50  # of a photo

# The person's tags, else those that were suggested. A photo that would get too many stays as it is.
_RETAGGED = """
SELECT id AS photo_id, fields || CASE WHEN has <> had AND cardinality(has) <= greatest(:most, cardinality(had))
  THEN jsonb_build_object('tags', has) ELSE '{}'::jsonb END AS fields
FROM (__WANTED__) AS wished JOIN photos ON photos.id = wished.photo_id
CROSS JOIN LATERAL (SELECT coalesce(tags, suggested_tags, '{}') AS had) AS before
CROSS JOIN LATERAL (SELECT
  ARRAY(SELECT tag FROM unnest(had) WITH ORDINALITY AS old (tag, n)
    WHERE lower(tag) NOT IN (SELECT lower(taken) FROM unnest(CAST(:taken AS text[])) AS taken) ORDER BY n)
  || ARRAY(SELECT tag FROM unnest(CAST(:added AS text[])) WITH ORDINALITY AS new (tag, n)
    WHERE lower(tag) NOT IN (SELECT lower(old) FROM unnest(had) AS old) ORDER BY n) AS has) AS after
"""


@dataclass(frozen=True)
class Retags:
    """In small letters or capitals alike."""

    added: Sequence[str] = ()
    taken: Sequence[str] = ()


def retagged(wanted: Wanted, tags: Retags) -> Wanted:
    """The same, and these tags."""
    values = {**wanted.values, "added": list(tags.added), "taken": list(tags.taken), "most": MOST_TAGS}
    return Wanted(_RETAGGED.replace("__WANTED__", wanted.sql), values, {*wanted.columns, "tags"})
