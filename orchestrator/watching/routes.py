"""Watched folders as JSON."""

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import ServicesDep
from orchestrator.imports.bucket_roots import NOT_WATCHED
from orchestrator.paging import RowId
from orchestrator.watching import service
from orchestrator.watching.queries import WatchList, watches
from orchestrator.write_back.service import root_of
from shared.bucket_address import is_address

router = APIRouter(responses=ERRORS)


class WatchWish(BaseModel):
    """`polled`: look now and then, because the system says nothing of this folder."""

    enabled: bool
    polled: bool = False


@router.get("/api/watches")
async def list_watches(services: ServicesDep) -> WatchList:
    """Every folder whose new files are imported as they come."""
    async with services.sessions() as session:
        return WatchList(items=await watches(session))


@router.post("/api/roots/{root_id}/watch")
async def switch_watch(services: ServicesDep, root_id: RowId, wish: WatchWish) -> WatchList:
    """Import what comes into a root from now on, and what is in it and not in the archive yet; or stop doing so."""
    async with services.sessions.begin() as session:
        root = await root_of(session, root_id)
        if wish.enabled and is_address(root.path):
            raise Refused(409, "root_in_bucket", NOT_WATCHED.format(root.label))
        if wish.enabled:
            await service.switch_on(session, root_id, is_polled=wish.polled)
        else:
            await service.switch_off(session, root_id)
        return WatchList(items=await watches(session, root_id))
