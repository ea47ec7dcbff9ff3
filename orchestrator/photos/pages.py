"""The gallery."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from sqlalchemy import select
from sqlmodel import col

from orchestrator.context import ServicesDep
from orchestrator.models import Project
from orchestrator.paging import Page, RowId
from orchestrator.photos.queries import Selection, photo_page
from orchestrator.photos.views import Filter, PhotoList, Sort
from orchestrator.rendering import render

router = APIRouter(include_in_schema=False)

_FIRST_PAGE = 60


class GalleryState(BaseModel):
    """What the page starts from; the same fields are in its address."""

    filter: Filter
    sort: Sort
    project: str | None
    import_id: int | None
    event: int  # the last live event that these photos include
    photos: PhotoList


class GalleryPage(BaseModel):
    title: str = "Gallery"
    state: GalleryState
    projects: list[str]
    filters: dict[str, str] = {
        "all": "All",
        "rated": "Rated",
        "unrated": "Unrated",
        "bursts": "Bursts",
        "rejected": "Rejected",
        "failed": "Failed",
    }
    sorts: dict[str, str] = {
        "newest": "Newest",
        "captured": "Date captured",
        "sharpness": "Sharpness",
        "exposure": "Exposure",
    }


@router.get("/gallery", response_class=HTMLResponse)
async def show_gallery(
    request: Request,
    services: ServicesDep,
    *,
    filter: Filter = "all",
    sort: Sort = "newest",
    project: str | None = None,
    import_id: Annotated[RowId | None, Query(alias="import")] = None,
) -> HTMLResponse:
    selection = Selection(filter, project or None, import_id)
    event = services.live.last_id
    async with services.sessions() as session:
        photos = await photo_page(session, selection, sort, Page(None, _FIRST_PAGE))
        projects = list(await session.scalars(select(col(Project.name)).order_by(col(Project.name)).limit(500)))
    state = GalleryState(
        filter=filter, sort=sort, project=project or None, import_id=import_id, event=event, photos=photos
    )
    return render(request, "gallery.html", GalleryPage(state=state, projects=projects))
