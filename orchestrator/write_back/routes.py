"""Whether sidecars may be written in a root, as JSON."""

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
from orchestrator.models import Root
from orchestrator.paging import RowId
from orchestrator.write_back import queries, service
from orchestrator.write_back.queries import Due

router = APIRouter(responses=ERRORS)

LIGHTROOM = (
    "Lightroom reads XMP sidecars beside proprietary RAW files only, such as NEF, CR3 or ARW. For DNG, JPEG and TIFF it"
    " looks into the file itself, which Keepers never changes."
)


class NewState(BaseModel):
    enabled: bool


class WriteBack(BaseModel):
    """Off until the person switches it on. `keepers xmp --root <id>` writes at once."""

    root_id: int
    label: str
    enabled: bool
    state: Due
    note: str = LIGHTROOM


@router.get("/api/roots/{root_id}/write-back")
async def show_write_back(services: ServicesDep, root_id: RowId) -> WriteBack:
    async with services.sessions() as session:
        return await _view(session, await service.root_of(session, root_id))


@router.post("/api/roots/{root_id}/write-back")
async def switch_write_back(services: ServicesDep, root_id: RowId, wish: NewState) -> WriteBack:
    """Switch it on or off. On, what was decided before is written too, and from then on each decision some seconds
    after it was made. 409 where nothing can be written: not connected, or read-only."""
    root = await service.allow(services.sessions, root_id, wish.enabled)
    async with services.sessions() as session:
        return await _view(session, root)


async def _view(session: AsyncSession, root: Root) -> WriteBack:
    state = await queries.due_of(session, [root.id])
    return WriteBack(root_id=root.id, label=root.label, enabled=root.writes_sidecars, state=state[root.id])
