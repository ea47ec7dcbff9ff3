"""Imports as JSON."""

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field, model_validator

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import ServicesDep
from orchestrator.imports import queries
from orchestrator.imports.folders import place_named
from orchestrator.imports.queries import ImportView
from orchestrator.imports.service import Wish
from orchestrator.paging import RowId
from orchestrator.removal.tombstones import bring_back_met
from orchestrator.review.verbs import patiently
from shared.claims import ClaimPath
from shared.errors import KeepersError

router = APIRouter(responses=ERRORS)


class NewImport(BaseModel):
    """A folder by its path, or by its claim where the path is not text. A bucket is s3://bucket/folder."""

    path: str | None = None
    claim: ClaimPath | None = None
    sample: Annotated[int | None, Field(ge=1, le=10_000_000, description="so many new photos, at random")] = None
    project: Annotated[str | None, Field(max_length=200)] = None
    watch: Annotated[bool, Field(description="import what comes into the folder later, too")] = False

    @model_validator(mode="after")
    def _has_a_folder(self) -> "NewImport":
        if (self.path is None) == (self.claim is None):
            raise ValueError("name the folder to import by its path, or by its claim")
        if self.watch and self.sample is not None:
            raise ValueError("a folder is watched for all of its photos, not for a sample")
        return self


class Started(BaseModel):
    id: int


class ImportList(BaseModel):
    items: list[ImportView]
    next: str | None


@router.post("/api/imports", status_code=202)
async def start_import(services: ServicesDep, wish: NewImport) -> Started:
    """Begin to import a folder. Returns at once; the import is scanning from its first read on."""
    try:
        where = await asyncio.to_thread(place_named, wish.path, wish.claim)
    except KeepersError as exc:
        raise Refused(422, "folder_refused", exc.message) from exc
    return Started(id=await services.imports.start(Wish(where, wish.sample, wish.project, wish.watch)))


@router.get("/api/imports")
async def list_imports(
    services: ServicesDep,
    after: RowId | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> ImportList:
    """Newest first."""
    async with services.sessions() as session:
        views = await queries.newest(session, after, limit)
    return ImportList(items=views, next=str(views[-1].id) if len(views) == limit else None)


@router.get("/api/imports/{import_id}")
async def show_import(services: ServicesDep, import_id: RowId) -> ImportView:
    async with services.sessions() as session:
        view = await queries.by_id(session, import_id)
    if view is None:
        raise Refused(404, "unknown_import", "There is no import with this number.")
    return view


@router.post("/api/imports/{import_id}/anyway")
async def import_anyway(services: ServicesDep, import_id: RowId) -> ImportView:
    """Bring back the photos that this import met and that were removed before, with all that was said about them."""
    await patiently(lambda: bring_back_met(services.sessions, import_id))
    services.wake()
    return await show_import(services, import_id)


@router.post("/api/imports/{import_id}/{action}")
async def change_import(
    services: ServicesDep, import_id: RowId, action: Literal["pause", "resume", "cancel"]
) -> ImportView:
    """Pause, resume or cancel. 409 when the import is over."""
    await getattr(services.imports, action)(import_id)
    services.wake()
    return await show_import(services, import_id)
