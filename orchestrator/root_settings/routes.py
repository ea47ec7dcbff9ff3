"""What is switched on for each folder of photos, as JSON."""

from fastapi import APIRouter

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
from orchestrator.root_settings import queries
from orchestrator.root_settings.queries import RootSettingsList

router = APIRouter(responses=ERRORS)


@router.get("/api/roots/settings")
async def list_root_settings(services: ServicesDep) -> RootSettingsList:
    async with services.sessions() as session:
        return await queries.roots(session)
