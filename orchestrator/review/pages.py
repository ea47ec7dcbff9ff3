"""The loupe: one photo after another, as large as the window is."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.context import ServicesDep
from orchestrator.preferences.keys import ACTIONS, Action
from orchestrator.rendering import render
from orchestrator.review.pass_queries import Kind

router = APIRouter(include_in_schema=False)


class LoupeState(BaseModel):
    """The page opens the pass itself: looking at an address changes nothing."""

    kind: Kind


class LoupePage(BaseModel):
    title: str = "Review"
    state: LoupeState
    event: int
    actions: Mapping[str, Action] = ACTIONS


@router.get("/review", response_class=HTMLResponse)
async def show_loupe(
    request: Request, services: ServicesDep, kind: Annotated[Kind, Query(alias="pass")] = "cull"
) -> HTMLResponse:
    return render(request, "loupe.html", LoupePage(state=LoupeState(kind=kind), event=services.live.last_id))
