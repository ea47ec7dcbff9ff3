"""Placards as JSON, and their pictures."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel

from orchestrator import identity_lock
from orchestrator.answers import ERRORS, Refused
from orchestrator.context import ServicesDep
from orchestrator.models import Placard
from orchestrator.paging import RowId
from orchestrator.photos import pictures
from orchestrator.placards import service, uploads
from orchestrator.placards.queries import PlacardDetail, PlacardList, latest_placards, placard_detail

router = APIRouter(responses=ERRORS)


class Dropped(BaseModel):
    id: int


@router.post("/api/placards", status_code=202)
async def drop_photo(
    request: Request,
    services: ServicesDep,
    name: Annotated[str | None, Query(description="what the file is called")] = None,
) -> Dropped:
    """One photo, as the body of the request: JPEG, PNG, WebP or HEIC, up to 50 MB. The same bytes are the same
    placard."""
    if "multipart/" in request.headers.get("content-type", ""):
        raise Refused(415, "multipart", "Send one photo, its bytes as the body of the request, and not a form.")
    announced = request.headers.get("content-length", "")
    uploads.refuse_too_large(int(announced) if announced.isdecimal() else 0)
    upload = await uploads.store(request.stream(), services.claims)
    async with services.sessions.begin() as session:
        placard_id = await service.accept(session, services.claims, upload, uploads.printable(name))
    services.wake()
    return Dropped(id=placard_id)


@router.get("/api/placards")
async def list_placards(services: ServicesDep, limit: Annotated[int, Query(ge=1, le=50)] = 12) -> PlacardList:
    async with services.sessions() as session:
        return await latest_placards(session, limit)


@router.get("/api/placards/{placard_id}")
async def show_placard(services: ServicesDep, placard_id: RowId) -> PlacardDetail:
    async with services.sessions() as session:
        detail = await placard_detail(session, placard_id, services.trouble_of)
    if detail is None:
        raise Refused(404, "unknown_placard", service.UNKNOWN)
    return detail


@router.post("/api/placards/{placard_id}/again", status_code=202)
async def try_again(services: ServicesDep, placard_id: RowId) -> PlacardDetail:
    """Try what failed once more; describe it anew when nothing did."""
    async with services.sessions.begin() as session:
        await identity_lock.take(session)
        await service.again(session, services.claims, placard_id, words_too=True)
    services.wake()
    return await show_placard(services, placard_id)


@router.delete("/api/placards/{placard_id}", status_code=204)
async def remove_placard(services: ServicesDep, placard_id: RowId) -> None:
    """The uploaded photo and what was made of it goes, for good, within a day or two."""
    async with services.sessions.begin() as session:
        await service.remove(session, placard_id)


@router.get("/placard/{placard_id}/{name}.jpg", response_class=FileResponse)
async def show_picture(
    request: Request,
    services: ServicesDep,
    placard_id: RowId,
    name: Literal["preview", "thumbnail"],
    v: pictures.Version = None,
) -> Response:
    async with services.sessions() as session:
        placard = await session.get(Placard, placard_id)
    claim: str | None = getattr(placard, name) if placard else None
    answer = await pictures.send(request, services.claims, claim, v) if claim else None
    if answer is None:
        raise Refused(404, f"no_{name}", f"There is no {name} of this placard.")
    return answer
