"""What is asked of the database, and how PostgreSQL would find the answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from tests.site import Site

Statement = tuple[str, Any]  # Any: its parameters


@contextmanager
def statements(site: Site) -> Iterator[list[Statement]]:
    """Those that are executed meanwhile, with their parameters."""
    engine = site.services.sessions.kw["bind"].sync_engine
    told: list[Statement] = []

    def listen(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        told.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    yield told
    event.remove(engine, "before_cursor_execute", listen)


async def plan_of(site: Site, statement: Statement) -> list[str]:
    """Sequential scans are switched off, not dear: one that is left in a plan has no index beside it."""
    async with site.session() as session:
        connection = await session.connection()
        await connection.execute(text("SET LOCAL enable_seqscan = off"))
        rows = await connection.exec_driver_sql(f"EXPLAIN {statement[0]}", statement[1])
        return [row[0] for row in rows]
