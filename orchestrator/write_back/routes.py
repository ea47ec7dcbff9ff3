"""Whether sidecars may be written in a root, as JSON."""

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
from orchestrator.models import Root
from orchestrator.paging import RowId
from orchestrator.write_back import service

router = APIRouter(responses=ERRORS)

LIGHTROOM = (
    "Lightroom reads XMP sidecars beside proprietary RAW files only, such as NEF, CR3 or ARW. For DNG, JPEG and TIFF it"
    " looks into the file itself, which Keepers never changes."
)


class NewState(BaseModel):
    enabled: bool


class WriteBack(BaseModel):
    """Off until the person switches it on. `keepers xmp --root <id>` writes."""

    root_id: int
    label: str
    enabled: bool
    note: str = LIGHTROOM


@router.get("/api/roots/{root_id}/write-back")
async def show_write_back(services: ServicesDep, root_id: RowId) -> WriteBack:
    async with services.sessions() as session:
        return _view(await service.root_of(session, root_id))


@router.post("/api/roots/{root_id}/write-back")
async def switch_write_back(services: ServicesDep, root_id: RowId, wish: NewState) -> WriteBack:
    """Allow or forbid it. Writes no file. 409 where nothing can be written: not connected, or read-only."""
    async with services.sessions.begin() as session:
        return _view(await service.allow(session, root_id, wish.enabled))


def _view(root: Root) -> WriteBack:
    return WriteBack(root_id=root.id, label=root.label, enabled=root.writes_sidecars)
