"""Projects by their names: made, renamed, put in order, merged, deleted and brought back."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import events
from orchestrator.answers import Refused
from orchestrator.projects.names import tidy
from orchestrator.review import service as review
from shared.contracts import storable

_TRIES = 5
_MOST_TOLD = 5_000  # more than any page is told one by one: it looks at everything again

_PUT_IN_ORDER = text(
    """
    INSERT INTO project_positions (project_id, photo_id, position)
    SELECT CAST(:project AS bigint), p.id, row_number() OVER (ORDER BY named.n NULLS LAST, o.position NULLS LAST, p.id)
    FROM photos p
    LEFT JOIN unnest(CAST(:ids AS bigint[])) WITH ORDINALITY AS named(id, n) ON named.id = p.id
    LEFT JOIN project_positions o ON o.photo_id = p.id AND o.project_id = :project
    WHERE p.project_id = :project AND (named.n IS NOT NULL OR o.position IS NOT NULL)
    ON CONFLICT (project_id, photo_id) DO UPDATE SET position = excluded.position
      WHERE project_positions.position <> excluded.position
    """
)
_PUT_BEHIND = text(
    """
    INSERT INTO project_positions (project_id, photo_id, position)
    SELECT CAST(:into AS bigint), p.id,
      row_number() OVER (ORDER BY p.project_id = :project, o.position NULLS LAST, p.id)
    FROM photos p LEFT JOIN project_positions o ON o.photo_id = p.id AND o.project_id = p.project_id
    WHERE p.project_id IN (:project, :into)
    ON CONFLICT (project_id, photo_id) DO UPDATE SET position = excluded.position
    """
)
_LOCK_PHOTOS = text(
    "SELECT id, deleted_at IS NULL AS is_there FROM photos WHERE project_id = :project ORDER BY id FOR UPDATE"
)
_KEEP_ENDED = text(
    """
    INSERT INTO ended_projects (project_id, name, cover_id, batch, created_at)
    SELECT id, name, cover_id, CAST(:batch AS uuid), created_at FROM projects WHERE id = :project
    """
)
_BRING_BACK = text(
    """
    INSERT INTO projects (id, name, cover_id, created_at)
    SELECT project_id, name, cover_id, created_at FROM ended_projects WHERE project_id = :project
    ON CONFLICT DO NOTHING RETURNING id
    """
)


@dataclass(frozen=True)
class Ended:
    """A project that is there no more. `photos` were in it."""

    name: str
    photos: int


async def named(session: AsyncSession, name: str | None) -> int | None:
    """The id of the project of this name, made if it is new, by somebody else at the same moment perhaps. Names are
    the same ignoring case. None for a name of nothing."""
    name = tidy(str(storable(name or "")))
    if not name:
        return None
    for _ in range(_TRIES):
        made = await _made(session, name)
        found = made if made is not None else await _found(session, name)
        if found is not None:  # else it was deleted in between
            return found
    raise Refused(409, "busy", f"The project “{name}” is being changed. Try again.")


async def create(session: AsyncSession, name: str) -> int:
    """The id of a new project. Raises Refused when there is one of this name."""
    made = await _made(session, name)
    if made is None:
        raise await _taken(session, name)
    await _tell(session, made)
    return made


async def rename(session: AsyncSession, project_id: int, name: str) -> None:
    await _lock(session, project_id)
    found = await _found(session, name)
    if found not in (None, project_id):
        raise await _taken(session, name)
    await session.execute(text("UPDATE projects SET name = :name WHERE id = :id"), {"id": project_id, "name": name})
    await _tell(session, project_id)


async def choose_cover(session: AsyncSession, project_id: int, photo_id: int | None) -> None:
    """None: the first photo in the order, whichever that is."""
    await _lock(session, project_id)
    if photo_id is not None:
        is_here = text("SELECT 1 FROM photos WHERE id = :photo AND project_id = :project AND deleted_at IS NULL")
        if not await session.scalar(is_here, {"photo": photo_id, "project": project_id}):
            raise Refused(422, "not_in_project", "The cover is one of the photos in the project; this one is not.")
    await session.execute(
        text("UPDATE projects SET cover_id = :photo WHERE id = :id"), {"id": project_id, "photo": photo_id}
    )
    await events.record(session, events.PHOTOS, [])


async def put_in_order(session: AsyncSession, project_id: int, ids: Sequence[int]) -> None:
    """These photos come first, in this order; the others follow as they did. Photos of elsewhere are passed over."""
    await _lock(session, project_id)
    await session.execute(_PUT_IN_ORDER, {"project": project_id, "ids": list(ids)})
    await events.record(session, events.PHOTOS, [])


async def delete(session: AsyncSession, project_id: int) -> Ended:
    """The photos stay, in no project. `bring_back` undoes it."""
    return await _end(session, project_id, None)


async def merge(session: AsyncSession, project_id: int, into: int) -> Ended:
    """All photos go behind those of the other project, in the order they had. `bring_back` undoes it."""
    if project_id == into:
        raise Refused(422, "same_project", "A project cannot be merged into itself.")
    return await _end(session, project_id, into)


async def bring_back(session: AsyncSession, project_id: int) -> UUID:
    """Make a project that ended again, without its photos; the decision that is to be undone for these."""
    ended = text("SELECT name, batch FROM ended_projects WHERE project_id = :project FOR UPDATE")
    row = (await session.execute(ended, {"project": project_id})).one_or_none()
    if row is None:
        raise unknown_project()
    if (await session.execute(_BRING_BACK, {"project": project_id})).first() is None:
        raise await _taken(session, row.name)
    await session.execute(text("DELETE FROM ended_projects WHERE project_id = :project"), {"project": project_id})
    await events.record(session, events.PHOTOS, [])
    return UUID(str(row.batch))


def unknown_project() -> Refused:
    return Refused(404, "unknown_project", "There is no project with this number.")


async def _end(session: AsyncSession, project_id: int, into: int | None) -> Ended:
    # Photos before projects, as every decision takes them: nobody waits in a circle.
    locked = await session.execute(_LOCK_PHOTOS, {"project": project_id})
    there = [row.id for row in locked if row.is_there]
    names = {id_: await _lock(session, id_) for id_ in sorted({project_id, into or project_id})}
    if into is not None:
        await session.execute(_PUT_BEHIND, {"project": project_id, "into": into})
    batch = uuid4()
    made = await review.decide_alike(session, there, {"project_id": into}, batch=batch)
    for table in ("photos", "imports"):  # removed photos go along without a word
        moved = text(f"UPDATE {table} SET project_id = :into WHERE project_id = :project")
        await session.execute(moved, {"project": project_id, "into": into})
    await session.execute(_KEEP_ENDED, {"project": project_id, "batch": batch})
    await session.execute(text("DELETE FROM projects WHERE id = :project"), {"project": project_id})
    await events.record(session, events.PHOTOS, [])
    return Ended(names[project_id], len(made.photo_ids))


async def _made(session: AsyncSession, name: str) -> int | None:
    made = text("INSERT INTO projects (name) VALUES (:name) ON CONFLICT DO NOTHING RETURNING id")
    id_: int | None = await session.scalar(made, {"name": name})
    return id_


async def _found(session: AsyncSession, name: str) -> int | None:
    """Locked, so that it is there until the end of the transaction."""
    found = text("SELECT id FROM projects WHERE lower(name) = lower(:name) FOR KEY SHARE")
    id_: int | None = await session.scalar(found, {"name": name})
    return id_


async def _lock(session: AsyncSession, project_id: int) -> str:
    locked = text("SELECT name FROM projects WHERE id = :id FOR UPDATE")
    name: str | None = await session.scalar(locked, {"id": project_id})
    if name is None:
        raise unknown_project()
    return name


async def _taken(session: AsyncSession, name: str) -> Refused:
    there = text("SELECT name FROM projects WHERE lower(name) = lower(:name)")
    known = await session.scalar(there, {"name": name}) or name
    return Refused(409, "name_taken", f"There is a project “{known}” already.")


async def _tell(session: AsyncSession, project_id: int) -> None:
    """The pages show the name beside its photos."""
    of = text("SELECT id FROM photos WHERE project_id = :project LIMIT :most")
    ids = await session.scalars(of, {"project": project_id, "most": _MOST_TOLD})
    await events.record(session, events.PHOTOS, list(ids))
