"""Renditions as JSON, and as pictures."""

import asyncio
import time

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, Response

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import Services, ServicesDep
from orchestrator.paging import RowId
from orchestrator.photos.pictures import Version, send
from orchestrator.renditions import queries, service
from orchestrator.renditions.views import Renditions, RenditionsWanted
from orchestrator.stages.names import stage_name
from orchestrator.stages.queries import paused_since
from shared.contracts.render import Size

router = APIRouter(responses=ERRORS)

_LOOK_SECONDS = 0.03


@router.post("/api/renditions")
async def ask_for_renditions(services: ServicesDep, wanted: RenditionsWanted) -> Renditions:
    """Photos in more pixels than their previews have: the long edge 2560 (`view`) or 3840 (`dense`), or all pixels
    (`full`); never more than the original has. A photo whose preview has all its pixels is answered with that."""
    answer = await _wish(services, wanted)
    services.wake()
    deadline = time.monotonic() + wanted.wait_ms / 1000
    while wanted.ids[0] in answer.pending and time.monotonic() < deadline:
        await asyncio.sleep(_LOOK_SECONDS)
        async with services.sessions() as session:
            (first,) = await queries.asked(session, wanted.ids[:1], wanted.size)
        if first.made is not None or first.state not in service.UNDER_WAY:
            answer = await _wish(services, wanted)
            services.wake()
            break
    return answer.model_copy(update={"waits_for": await _hindrance(services)}) if answer.pending else answer


async def _hindrance(services: Services) -> str | None:
    if trouble := services.trouble_of(service.STAGE):
        return trouble
    async with services.sessions() as session:
        is_paused = service.STAGE in await paused_since(session)
    return f"{stage_name(service.STAGE)} are paused. Resume them in the pipeline." if is_paused else None


async def _wish(services: Services, wanted: RenditionsWanted) -> Renditions:
    return await service.wish(services.sessions, services.claims, wanted.ids, wanted.size)


@router.get("/photos/{photo_id}/view.jpg", response_class=FileResponse)
async def show_view(request: Request, services: ServicesDep, photo_id: RowId, v: Version = None) -> Response:
    return await _show(request, services, photo_id, "view", v)


@router.get("/photos/{photo_id}/dense.jpg", response_class=FileResponse)
async def show_dense(request: Request, services: ServicesDep, photo_id: RowId, v: Version = None) -> Response:
    return await _show(request, services, photo_id, "dense", v)


@router.get("/photos/{photo_id}/full.jpg", response_class=FileResponse)
async def show_full(request: Request, services: ServicesDep, photo_id: RowId, v: Version = None) -> Response:
    return await _show(request, services, photo_id, "full", v)


async def _show(request: Request, services: Services, photo_id: int, size: Size, v: str | None) -> Response:
    async with services.sessions() as session:
        (photo,) = await queries.asked(session, [photo_id], size)
    if photo.name is None or photo.made is None:
        raise Refused(404, f"no_{size}", "This photo is not rendered in this size. Ask for it at /api/renditions.")
    if answer := await send(request, services.claims, photo.made.claim, v):
        return answer
    await service.wish(services.sessions, services.claims, [photo_id], size, service.PASSED_BY)
    services.wake()
    raise Refused(410, f"{size}_missing", "This picture was missing on disk. It is being made again.")
