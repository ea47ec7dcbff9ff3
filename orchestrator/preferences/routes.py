"""Preferences over JSON."""

from fastapi import APIRouter

from orchestrator.answers import ERRORS
from orchestrator.context import ServicesDep
from orchestrator.preferences.views import NewPreferences, Preferences

router = APIRouter(responses=ERRORS)


@router.get("/api/preferences")
async def show_preferences(services: ServicesDep) -> Preferences:
    return services.preferences.current


@router.patch("/api/preferences")
async def change_preferences(services: ServicesDep, wish: NewPreferences) -> Preferences:
    """Stored at once; pages that are open follow."""
    return await services.preferences.change(wish)
