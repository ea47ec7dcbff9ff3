"""Projects by their names."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import storable


async def named(session: AsyncSession, name: str | None) -> int | None:
    """The id of the project of this name, made if it is new, by somebody else at the same moment perhaps. None for a
    name of nothing."""
    name = str(storable(name or "")).strip()
    if not name:
        return None
    await session.execute(
        text("INSERT INTO projects (name) VALUES (:name) ON CONFLICT (name) DO NOTHING"), {"name": name}
    )
    rows = await session.execute(text("SELECT id FROM projects WHERE name = :name"), {"name": name})
    return int(rows.scalar_one())
