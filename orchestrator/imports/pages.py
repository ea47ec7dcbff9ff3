"""The Import page, and the strip of photos that an import brought last."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from sqlalchemy import select, text
from sqlmodel import col

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
from orchestrator.imports import browse
from orchestrator.models import Import, Project
from orchestrator.paging import RowId
from orchestrator.photos.queries import photos_by_id
from orchestrator.photos.selection import Selection
from orchestrator.photos.views import PhotoItem
from orchestrator.rendering import render

router = APIRouter()
router.include_router(browse.router)


class ImportState(BaseModel):
    roots: browse.RootList
    event: int


class ImportPage(BaseModel):
    title: str = "Import"
    state: ImportState
    projects: list[str]
    is_first: bool


class Strip(BaseModel):
    items: list[PhotoItem]
    next: None = None


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
async def show_import_page(request: Request, services: ServicesDep) -> HTMLResponse:
    event = services.live.last_id
    roots = await browse.list_roots(services)
    async with services.sessions() as session:
        projects = list(await session.scalars(select(col(Project.name)).order_by(col(Project.name)).limit(500)))
        is_first = await session.scalar(select(col(Import.id)).limit(1)) is None
    state = ImportState(roots=roots, event=event)
    return render(request, "import.html", ImportPage(state=state, projects=projects, is_first=is_first))


@router.get("/api/imports/{import_id}/landed", responses=ERRORS)
async def list_landed(services: ServicesDep, import_id: RowId, limit: Annotated[int, Query(ge=1, le=50)] = 12) -> Strip:
    """The photos that an import finished last, newest first."""
    sql = """SELECT photo_id FROM import_items WHERE import_id = :id AND state IN ('done', 'damaged')
      ORDER BY changed_at DESC LIMIT :limit"""
    async with services.sessions() as session:
        ids = [id_ for id_ in await session.scalars(text(sql), {"id": import_id, "limit": limit}) if id_]
        items = {item.id: item for item in await photos_by_id(session, Selection("all"), ids)}
    return Strip(items=[items[id_] for id_ in ids if id_ in items])
