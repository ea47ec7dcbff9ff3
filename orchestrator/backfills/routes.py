"""Backfills as JSON."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.answers import ERRORS, Refused
from orchestrator.backfills import queries, service
from orchestrator.backfills.kinds import Kind
from orchestrator.backfills.queries import BackfillList, BackfillView, Sight
from orchestrator.context import Services, ServicesDep
from orchestrator.imports.folders import place_named
from orchestrator.paging import RowId
from shared.bucket_address import BucketAddress
from shared.claims import ClaimPath
from shared.errors import KeepersError

router = APIRouter(responses=ERRORS)


class NewBackfill(BaseModel):
    """`where`: `missing`, `all`, `model=NAME`, `older-than=YYYY-MM-DD`, `content-type=TYPE`; all of them must hold, and
    none means `missing`. Only photos in the folder `source`, as text or as a claim."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind
    where: list[Annotated[str, Field(max_length=200)]] = Field(default_factory=list, max_length=10)
    source: str | None = None
    source_claim: ClaimPath | None = None
    from_start: Annotated[bool, Field(description="do not go on with one that was interrupted or cancelled")] = False


def _sight(services: ServicesDep) -> Sight:
    return Sight(services.pipeline, services.trouble_of, services.rate_of)


SightDep = Annotated[Sight, Depends(_sight)]


@router.post("/api/backfills", status_code=202)
async def begin_backfill(services: ServicesDep, sight: SightDep, wish: NewBackfill) -> BackfillView:
    """Begin, or go on with what was wished for in the same words and did not come to its end, also if it was
    cancelled."""
    source: Path | BucketAddress | None = None
    if wish.source is not None or wish.source_claim is not None:
        try:
            source = await asyncio.to_thread(place_named, wish.source, wish.source_claim)
        except KeepersError as exc:
            raise Refused(422, "invalid", exc.message) from exc
    async with services.sessions.begin() as session:
        backfill = await service.begin(
            session, wish.kind, wish.where, source, from_start=wish.from_start, describer=services.settings.llm_model
        )
        return await queries.one(session, sight, backfill.id)


@router.get("/api/backfills")
async def list_backfills(services: ServicesDep, sight: SightDep) -> BackfillList:
    """The open ones, then the newest of the others: twenty at most."""
    async with services.sessions() as session:
        return await queries.newest(session, sight)


@router.get("/api/backfills/{backfill_id}")
async def show_backfill(services: ServicesDep, sight: SightDep, backfill_id: RowId) -> BackfillView:
    async with services.sessions() as session:
        return await queries.one(session, sight, backfill_id)


@router.post("/api/backfills/{backfill_id}/pause")
async def pause_backfill(services: ServicesDep, sight: SightDep, backfill_id: RowId) -> BackfillView:
    """Nothing more of it is begun; what workers have is finished."""
    return await _changed(services, sight, backfill_id, service.pause)


@router.post("/api/backfills/{backfill_id}/resume")
async def resume_backfill(services: ServicesDep, sight: SightDep, backfill_id: RowId) -> BackfillView:
    return await _changed(services, sight, backfill_id, service.resume)


@router.post("/api/backfills/{backfill_id}/cancel")
async def cancel_backfill(services: ServicesDep, sight: SightDep, backfill_id: RowId) -> BackfillView:
    """End it here. What is done stays."""
    return await _changed(services, sight, backfill_id, service.cancel)


async def _changed(
    services: Services, sight: Sight, backfill_id: int, change: Callable[[AsyncSession, int], Awaitable[None]]
) -> BackfillView:
    async with services.sessions.begin() as session:
        await change(session, backfill_id)
        view = await queries.one(session, sight, backfill_id)
    services.wake()
    return view
