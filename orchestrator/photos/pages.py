"""The gallery."""

from dataclasses import asdict, replace
from datetime import date
from typing import get_args

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel
from sqlalchemy import select
from sqlmodel import col

from orchestrator.context import ServicesDep
from orchestrator.models import Project
from orchestrator.paging import Page
from orchestrator.photos.facets import Facets, facets_of
from orchestrator.photos.queries import photo_page, usual_sort
from orchestrator.photos.selection import SelectionDep
from orchestrator.photos.views import Filter, PhotoList, Sort
from orchestrator.rendering import render
from shared.contracts.curate import ContentType

router = APIRouter(include_in_schema=False)

_FIRST_PAGE = 60


class GalleryState(BaseModel):
    """What the page starts from; the same fields are in its address."""

    filter: Filter
    sort: Sort
    project: str | None
    import_id: int | None
    q: str | None
    content_type: str | None
    tag: str | None
    camera: str | None
    since: date | None
    until: date | None
    least_technical: float | None
    event: int  # the last live event that these photos include
    photos: PhotoList


class GalleryPage(BaseModel):
    title: str = "Gallery"
    state: GalleryState
    projects: list[str]
    facets: Facets
    filters: dict[str, str] = {
        "all": "All",
        "match": "Match",
        "nomatch": "No match",
        "rated": "Rated",
        "unrated": "Unrated",
        "for-projects": "For projects",
        "bursts": "Bursts",
        "rejected": "Rejected",
        "failed": "Failed",
    }
    sorts: dict[str, str] = {
        "newest": "Newest",
        "captured": "Date captured",
        "taste": "Taste, best first",
        "taste-up": "Taste, lowest first",
        "rating": "Rating",
        "sharpness": "Sharpness",
        "exposure": "Exposure",
        "relevance": "Relevance",
    }
    content_types: dict[str, str] = {name: name.replace("_", " ").capitalize() for name in get_args(ContentType)}


@router.get("/gallery", response_class=HTMLResponse)
async def show_gallery(
    request: Request, services: ServicesDep, selection: SelectionDep, sort: Sort | None = None
) -> HTMLResponse:
    selection = replace(selection, filter=selection.filter or "all")
    order = sort or usual_sort(selection)
    event = services.live.last_id
    async with services.sessions() as session:
        photos = await photo_page(session, selection, order, Page(None, _FIRST_PAGE))
        projects = list(await session.scalars(select(col(Project.name)).order_by(col(Project.name)).limit(500)))
        facets = await facets_of(session)
    state = GalleryState.model_validate({**asdict(selection), "sort": order, "event": event, "photos": photos})
    return render(request, "gallery.html", GalleryPage(state=state, projects=projects, facets=facets))
