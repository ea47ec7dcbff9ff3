"""The settings."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import ServicesDep
from orchestrator.preferences.keys import GROUPS, Action
from orchestrator.rendering import render

router = APIRouter(include_in_schema=False)


class SettingsPage(BaseModel):
    title: str = "Settings"
    event: int
    groups: Mapping[str, tuple[Action, ...]] = GROUPS


@router.get("/settings", response_class=HTMLResponse)
async def show_settings(request: Request, services: ServicesDep) -> HTMLResponse:
    return render(request, "settings.html", SettingsPage(event=services.live.last_id))
