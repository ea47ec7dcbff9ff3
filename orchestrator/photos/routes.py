"""Photos as JSON, and their pictures."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import ServicesDep
from orchestrator.models import Photo
from orchestrator.paging import MAX_ID, PageDep, RowId
from orchestrator.photos.anchors import Anchors, Between, PhotoAnchors, ids_between
from orchestrator.photos.chosen import ChosenPhotos, find
from orchestrator.photos.counts import photo_counts
from orchestrator.photos.facets import FacetCounts, facet_counts
from orchestrator.photos.missing import unknown_photo
from orchestrator.photos.pictures import Version, send
from orchestrator.photos.queries import photo_detail, photo_page, photos_by_id, usual_sort
from orchestrator.photos.selection import SelectionDep
from orchestrator.photos.service import make_pictures_again
from orchestrator.photos.tags import TagCounts, tags_of
from orchestrator.photos.views import Counts, PhotoDetail, PhotoList, Sort

router = APIRouter(responses=ERRORS)

T = TypeVar("T")


@router.get("/api/photos")
async def list_photos(
    services: ServicesDep,
    selection: SelectionDep,
    page: PageDep,
    sort: Annotated[Sort | None, Query(description="relevance by default when words are given, else newest")] = None,
    ids: Annotated[str | None, Query(pattern=r"^\d+(,\d+)*$", max_length=10_000, description="only these")] = None,
    last: Annotated[str | None, Query(description="no further than this cursor: `after` of the next anchor")] = None,
) -> PhotoList:
    async with services.sessions() as session:
        if ids is not None:
            wanted = [id_ for id_ in map(int, ids.split(",")) if id_ <= MAX_ID]
            return PhotoList(items=await photos_by_id(session, selection, wanted), next=None)
        shown = replace(selection, filter=selection.filter or "all")
        return await photo_page(session, shown, sort or usual_sort(shown), page, last)


@router.get("/api/photos/anchors")
async def list_anchors(
    request: Request,
    services: ServicesDep,
    selection: SelectionDep,
    sort: Sort | None = None,
    around: Annotated[RowId | None, Query(description="a photo: which segment of the list holds it")] = None,
) -> Anchors:
    """Where one can jump into this list. May lag behind as the counts do; what lies between two anchors does not."""
    kept = _once(request, "photo_anchors", lambda: PhotoAnchors(services.sessions))
    shown = replace(selection, filter=selection.filter or "all")
    return await kept.of(shown, sort or usual_sort(shown), around)


@router.get("/api/photos/between")
async def list_between(
    services: ServicesDep, selection: SelectionDep, first: RowId, last: RowId, sort: Sort | None = None
) -> Between:
    """The photos of this list from one to another, however far apart; none when one of them is not in it."""
    shown = replace(selection, filter=selection.filter or "all")
    async with services.sessions() as session:
        return Between(ids=await ids_between(session, shown, sort or usual_sort(shown), first, last))


@router.get("/api/photos/counts")
async def count_photos(request: Request, services: ServicesDep, selection: SelectionDep) -> Counts:
    """How many photos each filter shows, of those that everything else leaves. May lag behind by twenty times what
    counting takes."""
    kept = _once(request, "photo_counts", lambda: photo_counts(services.sessions, services.live))
    return await kept.of(replace(selection, filter=None))


@router.get("/api/photos/facets")
async def count_facets(request: Request, services: ServicesDep, selection: SelectionDep) -> FacetCounts:
    """How many photos each camera, kind of content, project and tag would leave. May lag behind as the counts do."""
    kept = _once(request, "facet_counts", lambda: facet_counts(services.sessions))
    return await kept.of(replace(selection, filter=selection.filter or "all"))


@router.post("/api/photos/tags")
async def list_tags(services: ServicesDep, chosen: ChosenPhotos) -> TagCounts:
    """The tags of these photos, by their `ids` or as a `selection` of the grid. Nothing is changed."""
    async with services.sessions() as session:
        return await tags_of(session, await find(session, chosen.chosen()))


@router.get("/api/photos/{photo_id}")
async def show_photo(services: ServicesDep, photo_id: RowId) -> PhotoDetail:
    async with services.sessions() as session:
        detail = await photo_detail(session, photo_id)
    if detail is None:
        raise unknown_photo()
    return detail


@router.get("/photos/{photo_id}/{name}.jpg", response_class=FileResponse)
async def show_picture(
    request: Request,
    services: ServicesDep,
    photo_id: RowId,
    name: Literal["preview", "thumbnail"],
    v: Version = None,
) -> Response:
    async with services.sessions() as session:
        photo = await session.get(Photo, photo_id)
    claim: str | None = getattr(photo, name) if photo and not photo.deleted_at else None
    if claim is None:
        raise Refused(404, f"no_{name}", f"There is no {name} of this photo.")
    if answer := await send(request, services.claims, claim, v):
        return answer
    async with services.sessions.begin() as session:
        await make_pictures_again(session, photo_id)
    services.wake()
    raise Refused(410, f"{name}_missing", f"The {name} of this photo was missing on disk. It is being made again.")


def _once(request: Request, name: str, make: Callable[[], T]) -> T:
    """What this application keeps between requests."""
    state = request.app.state
    if not hasattr(state, name):
        setattr(state, name, make())
    kept: T = getattr(state, name)
    return kept
