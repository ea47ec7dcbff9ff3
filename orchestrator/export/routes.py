"""Exports as JSON."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query

from orchestrator.answers import ERRORS, Refused
from orchestrator.context import Services, ServicesDep
from orchestrator.export import queries
from orchestrator.export.service import Wish
from orchestrator.export.views import ExportPlan, ExportView, NewExport
from orchestrator.imports.folders import folder_named

router = APIRouter(responses=ERRORS)

_SHOWN = 24  # photos of each group


@router.post("/api/exports", status_code=202)
async def start_export(services: ServicesDep, wish: NewExport) -> ExportView:
    """Begin to export what the rule takes and the folder does not have yet. Returns at once. 409 while another runs,
    422 with a sentence when the folder cannot be exported to."""
    folder = await asyncio.to_thread(folder_named, wish.target, wish.target_claim)
    wanted = Wish(folder, wish.project or None, wish.full_size, wish.gps, wish.dry_run, wish.refresh)
    return await services.exports.start(wanted)


@router.get("/api/exports/plan")
async def plan_export(
    services: ServicesDep, project: Annotated[str | None, Query(description="the name of a project")] = None
) -> ExportPlan:
    """What the rule takes, by what speaks for it: photos that the person rated and did not reject, with 4 stars or
    more, picked, or scored 70 or more by a taste that beats guessing."""
    return await plan_of(services, project)


@router.get("/api/exports/{export_id}")
async def show_export(services: ServicesDep, export_id: str) -> ExportView:
    """How far it is, whichever orchestrator makes it. The newest twenty are known."""
    return await services.exports.find(export_id)


@router.post("/api/exports/{export_id}/stop", status_code=202)
async def stop_export(services: ServicesDep, export_id: str) -> ExportView:
    """End it at the next photo. What was exported stays, and the same export again goes on."""
    return await services.exports.end(export_id)


async def plan_of(services: Services, project: str | None) -> ExportPlan:
    async with services.sessions() as session:
        project_id = await queries.project_named(session, project) if project else None
        if project and project_id is None:
            raise Refused(404, "unknown_project", f"There is no project {project}.")
        return await queries.plan(session, project_id, _SHOWN)
