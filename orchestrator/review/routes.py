"""Decisions over JSON."""

from collections.abc import Sequence
from uuid import UUID

from fastapi import APIRouter

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import Services, ServicesDep
from orchestrator.paging import RowId
from orchestrator.photos.chosen import Chosen
from orchestrator.photos.missing import unknown_photo
from orchestrator.photos.queries import photos_by_id
from orchestrator.photos.selection import Selection
from orchestrator.review import queries, verbs
from orchestrator.review.service import Decision
from orchestrator.review.verbs import Action, Wish
from orchestrator.review.views import MOST_AT_ONCE, Decidable, Decided, History, NewDecision, NewUndo

router = APIRouter(responses=ERRORS)


@router.patch("/api/photos/{photo_id}")
async def change_photo(services: ServicesDep, photo_id: RowId, decided: Decidable) -> Decided:
    """Rate, pick, tag, or put into a project. A rating or a pick also keeps the photo."""
    return await _carry_out(services, Chosen([photo_id]), decided.wish())


@router.post("/api/photos/{photo_id}/keep")
async def keep_photo(services: ServicesDep, photo_id: RowId) -> Decided:
    """Seen, and it stays. Restores a rejected photo."""
    return await _act(services, photo_id, "keep")


@router.post("/api/photos/{photo_id}/reject")
async def reject_photo(services: ServicesDep, photo_id: RowId) -> Decided:
    """Hide the photo; nothing else about it changes, and nothing is deleted."""
    return await _act(services, photo_id, "reject")


@router.post("/api/photos/{photo_id}/restore")
async def restore_photo(services: ServicesDep, photo_id: RowId) -> Decided:
    """No longer rejected; all that was said about the photo before is true again."""
    return await _act(services, photo_id, "restore")


@router.get("/api/photos/{photo_id}/history")
async def show_history(services: ServicesDep, photo_id: RowId) -> History:
    """What was decided about the photo, newest first."""
    async with services.sessions() as session:
        found = await queries.history(session, photo_id)
    if found is None:
        raise unknown_photo()
    return found


@router.post("/api/decisions")
async def decide(services: ServicesDep, decided: NewDecision) -> Decided:
    """One decision about up to a thousand photos by their `ids`, or about all that a `selection` of the grid holds.
    Photos that are not there are passed over. What a selection holds is settled once, as the decision is made."""
    return await _carry_out(services, decided.chosen(), decided.wish(), decided.batch)


@router.post("/api/decisions/{batch}/undo")
async def undo(services: ServicesDep, batch: UUID, wish: NewUndo | None = None) -> Decided:
    """Take a decision back; what was changed again since stays. Undoing the `undo` of the answer is to redo."""
    async with services.sessions() as session:
        if not await queries.is_known(session, batch):
            raise Refused(404, "unknown_decision", "There is no decision with this number.")
    made = await verbs.take_back(services.sessions, batch, wish.batch if wish else None)
    why = "Nothing was taken back: it was undone before, or all of it was changed again or removed since."
    return await _answer(services, made, made.photo_ids, why)


async def _act(services: Services, photo_id: int, action: Action) -> Decided:
    return await _carry_out(services, Chosen([photo_id]), Wish(action=action))


async def _carry_out(services: Services, chosen: Chosen, wish: Wish, batch: UUID | None = None) -> Decided:
    made = await verbs.carry_out(services.sessions, chosen, wish, batch)
    is_named = chosen.selection is None
    shown = [*chosen.ids, *made.photo_ids] if is_named or len(made.photo_ids) <= MOST_AT_ONCE else []
    why = "Nothing changed: it was so already." if is_named else "Nothing changed: no photo of the selection needs it."
    return await _answer(services, made, shown, why)


async def _answer(services: Services, made: Decision, ids: Sequence[int], why_nothing: str) -> Decided:
    async with services.sessions() as session:
        items = await photos_by_id(session, Selection(None), list(dict.fromkeys(ids))[:MOST_AT_ONCE])
    message = None if made.batch else why_nothing
    return Decided(items=items, count=len(made.photo_ids), undo=made.batch, message=message)
