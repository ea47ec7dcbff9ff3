"""Exports as JSON."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.claims import ClaimPath

Reason = Literal["stars", "pick", "score"]


class PhotoToExport(BaseModel):
    id: int
    file_name: str
    thumbnail_url: str | None
    subject: str | None
    user_rating: int
    reasons: list[Reason]  # all that speak for it, the strongest first
    is_doubtful: bool  # only its score speaks for it, against one or two stars


class Group(BaseModel):
    """The photos with one strongest reason; `items` are the first of them."""

    reason: Reason
    photos: int
    doubtful: int
    items: list[PhotoToExport]


class ExportPlan(BaseModel):
    total: int
    groups: list[Group]
    is_trusted: bool  # scores approve


class NewExport(BaseModel):
    """A target folder by its path, or by its claim where the path is not text."""

    model_config = ConfigDict(extra="forbid")

    target: Annotated[str | None, Field(max_length=4096)] = None
    target_claim: ClaimPath | None = None
    project: Annotated[str | None, Field(max_length=200, description="only photos of this project")] = None
    full_size: bool = False
    gps: Annotated[bool, Field(description="pictures say where they were made, if the photos do")] = False
    dry_run: bool = False
    refresh: Annotated[bool, Field(description="bring entries up to date and mark withdrawn ones")] = False

    @model_validator(mode="after")
    def _has_a_target(self) -> "NewExport":
        if (self.target is None) == (self.target_claim is None):
            raise ValueError("name the folder to export to by its path, or by its claim")
        return self


class NotExported(BaseModel):
    photo_id: int
    file_name: str
    message: str


class ExportView(BaseModel):
    """Of a dry run, the numbers say what would be done. `left` is how many photos could not be exported, `not_exported`
    the first of them."""

    id: str
    state: Literal["running", "done", "failed"]
    error: str | None
    target: str
    project: str | None
    full_size: bool
    gps: bool
    dry_run: bool
    refresh: bool
    total: int
    done: int
    exported: int
    already: int
    updated: int
    withdrawn: int
    left: int
    not_exported: list[NotExported]
    started_at: datetime
    finished_at: datetime | None
