"""The settings."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.access.keyring import Guard
from orchestrator.context import ServicesDep
from orchestrator.preferences.keys import GROUPS, Action
from orchestrator.rendering import render
from orchestrator.root_settings import queries as root_settings
from orchestrator.root_settings.queries import RootSettingsList
from orchestrator.write_back.routes import LIGHTROOM

router = APIRouter(include_in_schema=False)


class SettingsPage(BaseModel):
    title: str = "Settings"
    event: int
    groups: Mapping[str, tuple[Action, ...]] = GROUPS
    folders: RootSettingsList
    note: str = LIGHTROOM
    guard: Guard


@router.get("/settings", response_class=HTMLResponse)
async def show_settings(request: Request, services: ServicesDep) -> HTMLResponse:
    event = services.live.last_id
    async with services.sessions() as session:
        folders = await root_settings.roots(session)
    guard = await services.keyring.guard()
    return render(request, "settings.html", SettingsPage(event=event, folders=folders, guard=guard))
