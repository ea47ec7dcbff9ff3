"""The pipeline at a glance, as JSON."""

from fastapi import APIRouter

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
from orchestrator.pipeline import stages
from orchestrator.stages.queries import StageList, stage_list

router = APIRouter(responses=ERRORS)


@router.get("/api/stages")
async def list_stages(services: ServicesDep) -> StageList:
    async with services.sessions() as session:
        return await stage_list(session, stages(services.pipeline), services.trouble_of)
