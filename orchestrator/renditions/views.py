"""Renditions as JSON."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.paging import RowId
from shared.contracts.render import Size

MOST_AT_ONCE = 60


class RenditionsWanted(BaseModel):
    """`ids` most urgent first. What an earlier request for the same size still waits for comes after all of these, and
    is given up when it has waited for long."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[RowId], Field(min_length=1, max_length=MOST_AT_ONCE)]
    size: Size
    wait_ms: Annotated[
        int, Field(ge=0, le=2_000, description="answer when the first of them is ready, at the latest after this")
    ] = 0


class Rendition(BaseModel):
    """`width` and `height` as shown, upright."""

    id: int
    size: Size
    url: str
    width: int
    height: int
    source: str


class NoRendition(BaseModel):
    id: int
    message: str


class Renditions(BaseModel):
    """What is `pending` is told by an event with its id in `renditions`; then ask again. `waits_for` says in a sentence
    why it does not come now; null when nothing holds it up."""

    ready: list[Rendition]
    pending: list[int]
    failed: list[NoRendition]
    waits_for: str | None = None
