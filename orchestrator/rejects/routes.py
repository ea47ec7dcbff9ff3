"""Setting originals aside, over JSON."""

from uuid import UUID

from fastapi import APIRouter, Request

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import Services, ServicesDep
from orchestrator.rejects import queries, room
from orchestrator.rejects.background import rejects_of
from orchestrator.rejects.queries import Wanted
from orchestrator.rejects.service import Move
from orchestrator.rejects.views import Batch, FreeSpace, NewMove, NewRestore

router = APIRouter(responses=ERRORS)


@router.get("/api/free-space")
async def show_free_space(services: ServicesDep) -> FreeSpace:
    """What kept, rejected and set aside originals take on each drive."""
    return await room.free_space(services.sessions)


@router.post("/api/rejects/move", status_code=202)
async def set_aside(request: Request, services: ServicesDep, wish: NewMove) -> Batch:
    """Begin to move the originals of all rejected photos of a root into its folder `_keepers_rejected`, with what
    lies beside them. Returns at once. 409, with a sentence, for another number of photos than was typed, while
    something is moved already, and where nothing can be moved."""
    return await rejects_of(request.app, services.sessions).start(Move(wish.root, wish.confirm_count))


@router.post("/api/rejects/restore", status_code=202)
async def bring_back(request: Request, services: ServicesDep, wish: NewRestore) -> Batch:
    """Begin to move what was set aside back to where it was. Returns at once. What lies there by now is left alone."""
    root_id = wish.root if wish.root is not None else await _root_of(services, wish)
    wanted = Wanted(root_id, wish.batch, wish.photo_ids, wish.only_restored)
    return await rejects_of(request.app, services.sessions).start(wanted)


@router.get("/api/rejects/batches/{batch_id}")
async def show_batch(services: ServicesDep, batch_id: UUID) -> Batch:
    """How far it is, whichever process moves it."""
    async with services.sessions() as session:
        found = await queries.batch(session, batch_id)
    if found is None:
        raise Refused(404, "unknown_batch", "Nothing was set aside or brought back under this number.")
    return found


async def _root_of(services: Services, wish: NewRestore) -> int:
    async with services.sessions() as session:
        found = await queries.roots_of(session, batch=wish.batch, photo_ids=wish.photo_ids)
    if not found:
        raise Refused(409, "nothing_aside", "Nothing of that is set aside.")
    if len(found) > 1:
        why = "These originals were set aside on several drives. Bring them back one drive after the other."
        raise Refused(422, "several_roots", why)
    return found.pop()
