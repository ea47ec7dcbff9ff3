"""The embedding models as JSON: which is in force, and the button that fetches CLIP."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator import tallies
from orchestrator.answers import ERRORS
from orchestrator.context import Services, ServicesDep
from orchestrator.embedding import service
from orchestrator.embedding.fetching import NotFetchable, fetch_plan
from shared import embedding_models
from shared.settings import CLIP_MODEL, STARTER_MODEL

router = APIRouter(responses=ERRORS)


class ModelView(BaseModel):
    """`absent` ones can be fetched; `ready` ones are on this machine; `in_force` is whose vectors are used now.

    `done` of `wanted` photos have their vector while a model is being built up.
    """

    name: str
    stored_as: str
    state: Literal["absent", "fetching", "ready"]
    in_force: bool
    is_building: bool
    done: int | None = None
    wanted: int | None = None
    plan: str | None = None  # what fetching means, in words
    bytes_here: int = 0
    bytes_total: int = 0
    error: str | None = None


class ModelList(BaseModel):
    items: list[ModelView]
    next: None = None


@router.get("/api/models")
async def list_models(services: ServicesDep) -> ModelList:
    async with services.sessions() as session:
        return ModelList(items=[await _starter(session), await _clip(session, services)])


@router.post("/api/models/clip/fetch", status_code=202)
async def fetch_clip(services: ServicesDep) -> ModelView:
    """Begin to download CLIP, or go on with it. The archive is embedded anew when it is here."""
    if not embedding_models.clip_is_fetched(services.settings):
        services.clip.start()
    async with services.sessions() as session:
        return await _clip(session, services)


async def _starter(session: AsyncSession) -> ModelView:
    stored_as = embedding_models.starter_name()
    in_force = await service.in_force(session) == stored_as
    return ModelView(name=STARTER_MODEL, stored_as=stored_as, state="ready", in_force=in_force, is_building=False)


async def _clip(session: AsyncSession, services: Services) -> ModelView:
    stored_as = embedding_models.clip_name(services.settings)
    counts = await tallies.of_stages(session)
    photos = counts["convert"].get("done", 0)
    is_building = await service.newest(session) == stored_as != await service.in_force(session)
    is_here = embedding_models.clip_is_fetched(services.settings)
    return ModelView(
        name=CLIP_MODEL,
        stored_as=stored_as,
        state="ready" if is_here else "fetching" if services.clip.is_running else "absent",
        in_force=await service.in_force(session) == stored_as,
        is_building=is_building,
        done=counts["embed"].get("done", 0) if is_building else None,
        wanted=photos if is_building else None,
        plan=None if is_here else _plan(services, photos),
        bytes_here=services.clip.bytes_here,
        bytes_total=services.clip.bytes_total,
        error=services.clip.error,
    )


def _plan(services: Services, photos: int) -> str:
    try:
        return fetch_plan(services.settings, photos)
    except NotFetchable as exc:
        return exc.message
