"""`/styleguide`: every component in its states, made by the templates and modules of the pages themselves."""

from datetime import UTC, datetime, timedelta

from fastapi import Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from orchestrator.failures.advice import advice
from orchestrator.failures.causes import Cause
from orchestrator.failures.queries import PhotoOfFailure
from orchestrator.rendering import render

_LONG = "A sentence that goes on and on " + "and on " * 60


class _Styleguide(BaseModel):
    title: str = "Style guide"
    is_open: bool = True  # the causes: their letters may be put back
    causes: list[Cause]
    next: str = "/"
    refused: str = "That is not the password."


async def show_styleguide(request: Request) -> HTMLResponse:
    causes = [
        _cause("CorruptFile", 1_204, "DSC_0027.CR2 ends in the middle of its image data.", photos=12),
        _cause(
            "ReplyNeverValid", 3, "The vision model's reply could not be read.", stage="curate", status=503, photos=3
        ),
        _cause("Undecodable", 1, "A message on the convert queue that Keepers did not publish.", can_requeue=False),
        _cause("E" * 80, 1_000_000, _LONG, photos=1, stage="bursts"),
    ]
    return render(request, "styleguide.html", _Styleguide(causes=causes))


def _cause(
    error_type: str,
    count: int,
    message: str,
    *,
    stage: str = "convert",
    status: int = 0,
    photos: int = 0,
    can_requeue: bool = True,
) -> Cause:
    now = datetime.now(UTC)
    return Cause(
        stage=stage,
        error_type=error_type,
        status=status,
        count=count,
        message=message,
        advice=advice(error_type, status),
        can_requeue=can_requeue,
        photos=[PhotoOfFailure(id=0, file_name=f"DSC_{n:04}.CR2", thumbnail_url=None) for n in range(photos)],
        first_at=now - timedelta(days=2),
        last_at=now - timedelta(minutes=5),
    )
