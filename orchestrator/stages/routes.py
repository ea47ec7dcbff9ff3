"""The pipeline at a glance, and pausing a stage of it, as JSON."""

from typing import Annotated

from fastapi import APIRouter, Depends

from orchestrator import attention
from orchestrator.answers import ERRORS, Refused
from orchestrator.context import ServicesDep
from orchestrator.failures.causes import CausesDep
from orchestrator.pipeline import stages
from orchestrator.stages import service
from orchestrator.stages.queries import StageList, stage_list

router = APIRouter(responses=ERRORS)


@router.get("/api/stages")
async def list_stages(services: ServicesDep, causes: CausesDep) -> StageList:
    problems = await causes.count()
    async with services.sessions() as session:
        is_somebody_there = await attention.is_there(session)
        yielding = [step.stage for step in services.pipeline if step.is_heavy and is_somebody_there]
        items = await stage_list(session, stages(services.pipeline), services.trouble_of, services.rate_of, yielding)
    return StageList(items=items, problems=problems)


def _known(services: ServicesDep, stage: str) -> str:
    if stage not in stages(services.pipeline):
        raise Refused(404, "unknown_stage", f"There is no stage of this name. They are: {_names(services)}.")
    return stage


def _names(services: ServicesDep) -> str:
    return ", ".join(stages(services.pipeline))


StageDep = Annotated[str, Depends(_known)]


@router.post("/api/stages/{stage}/pause", status_code=204)
async def pause_stage(services: ServicesDep, stage: StageDep) -> None:
    async with services.sessions.begin() as session:
        await service.pause(session, stage)


@router.post("/api/stages/{stage}/resume", status_code=204)
async def resume_stage(services: ServicesDep, stage: StageDep) -> None:
    async with services.sessions.begin() as session:
        await service.resume(session, stage)
    services.wake()
