"""Which tables a database has, and in which order they can be filled. Asked of the database itself: a backup before an
upgrade is of an older schema than the models."""

from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Literal

import asyncpg

# The schema's revision is said elsewhere; the two identities are of one database; events are kept ten minutes.
LEFT_OUT = frozenset({"alembic_version", "broker_epoch", "decision_log", "events"})
_BINARY = frozenset({"photo_vectors"})

_COLUMNS = """
SELECT c.relname AS table, array_agg(a.attname::text ORDER BY a.attnum) AS columns
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r'
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
GROUP BY c.relname ORDER BY c.relname
"""
_REFERENCES = """
SELECT DISTINCT f.relname AS table, t.relname AS needs FROM pg_constraint
JOIN pg_class f ON f.oid = conrelid JOIN pg_class t ON t.oid = confrelid
WHERE contype = 'f' AND f.relnamespace = current_schema()::regnamespace AND f.oid <> t.oid
"""
_SEQUENCES = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()"


@dataclass(frozen=True)
class Source:
    table: str
    columns: list[str]

    @property
    def form(self) -> Literal["csv", "binary"]:
        return "binary" if self.table in _BINARY else "csv"


async def sources(connection: asyncpg.Connection) -> list[Source]:
    """What goes into a backup: what a table refers to comes before it."""
    columns = {row["table"]: list(row["columns"]) for row in await connection.fetch(_COLUMNS)}
    sorter: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(columns, ()))
    for row in await connection.fetch(_REFERENCES):
        sorter.add(row["table"], row["needs"])
    return [Source(name, columns[name]) for name in sorter.static_order() if name not in LEFT_OUT]


async def sequences(connection: asyncpg.Connection) -> dict[str, int]:
    """The last number that each has given; numbers of rows that are gone are not given again."""
    rows = await connection.fetch(_SEQUENCES)
    return {row["sequencename"]: row["last_value"] for row in rows if row["last_value"] is not None}
