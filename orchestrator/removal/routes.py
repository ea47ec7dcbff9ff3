"""Removals over JSON."""

from uuid import UUID, uuid4

from fastapi import APIRouter

from orchestrator.answers import ERRORS
from orchestrator.context import Services, ServicesDep
from orchestrator.photos.chosen import Chosen, find
from orchestrator.photos.missing import unknown_photo
from orchestrator.removal import service
from orchestrator.removal.freed import freed_bytes
from orchestrator.removal.views import NewRemoval, Removal, brought_back, removed, would_remove
from orchestrator.review.verbs import committed

router = APIRouter(responses=ERRORS)


@router.post("/api/removals")
async def remove(services: ServicesDep, wish: NewRemoval) -> Removal:
    """Take photos out of Keepers, up to a thousand by their `ids`, or all that a `selection` of the grid holds. No
    import brings them back unless it is asked to. Originals stay, and so does all that was said, for an undo."""
    chosen = wish.chosen()
    async with services.sessions() as session:
        ids = await find(session, chosen)
    size = await freed_bytes(services.sessions, services.claims, ids)
    if wish.dry_run:
        return would_remove(len(ids), size)
    return await _remove(services, chosen, size, wish.removal or uuid4())


@router.post("/api/removals/{removal}/undo")
async def undo_removal(services: ServicesDep, removal: UUID) -> Removal:
    """Bring the photos back. Pictures that are gone from the disk by then are made again."""
    ids = await committed(services.sessions, lambda session: service.undo(session, removal))
    services.wake()
    return brought_back(len(ids))


@router.post("/api/removals/{removal}/again")
async def remove_again(services: ServicesDep, removal: UUID) -> Removal:
    """Redo a removal that was undone, of the same photos, whatever the selection holds by now."""
    ids = await committed(services.sessions, lambda session: service.again(session, removal))
    return removed(len(ids), await freed_bytes(services.sessions, services.claims, ids), removal)


async def _remove(services: Services, chosen: Chosen, size: int, removal: UUID) -> Removal:
    ids = await committed(services.sessions, lambda session: service.remove(session, chosen, removal))
    if not ids and chosen.selection is None:
        raise unknown_photo()
    return removed(len(ids), size, removal)
