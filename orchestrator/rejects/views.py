"""Setting originals aside, as JSON."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestrator.paging import RowId

MOST_NAMED = 100


class NewMove(BaseModel):
    model_config = ConfigDict(extra="forbid")

    root: RowId
    confirm_count: Annotated[int, Field(ge=1, description="how many photos, as the person typed it")]


class NewRestore(BaseModel):
    """All that was set aside in a root, or what one batch set aside, or the originals of these photos."""

    model_config = ConfigDict(extra="forbid")

    root: RowId | None = None
    batch: UUID | None = None
    photo_ids: Annotated[list[RowId] | None, Field(min_length=1, max_length=1_000)] = None
    only_restored: Annotated[bool, Field(description="only of photos that are not rejected any more")] = False

    @model_validator(mode="after")
    def _names_one(self) -> "NewRestore":
        if sum(one is not None for one in (self.root, self.batch, self.photo_ids)) != 1:
            raise ValueError("name one of root, batch and photo_ids")
        return self


class Left(BaseModel):
    """A photo whose files stayed where they were."""

    photo_id: int | None
    message: str


class Batch(BaseModel):
    """`total` and `done` count photos, `files` the files that got another place. Of the photos that stayed, `left`,
    some are named. `stopped`: by trouble that `error` tells, or because Keepers ended meanwhile; the same again goes
    on."""

    id: UUID
    root_id: int
    label: str
    kind: Literal["move", "restore"]
    state: Literal["running", "done", "stopped"]
    total: int
    done: int = 0
    files: int = 0
    bytes: int = 0
    left: int = 0
    not_moved: list[Left] = []
    error: str | None = None
    started_at: datetime
    finished_at: datetime | None = None


class Amount(BaseModel):
    photos: int
    bytes: int


class Aside(Amount):
    """`restored` of the photos are not rejected any more. `missing` files are not there: somebody removed them."""

    restored: int
    missing: int


class Drive(BaseModel):
    """A folder of photos. `trouble` says why nothing can be moved there now. Nothing is known of the room on a drive
    that is not connected."""

    root_id: int
    label: str
    path: str
    trouble: str | None
    kept: Amount
    rejected: Amount
    set_aside: Aside
    folder: str  # where set aside originals lie
    free_bytes: int | None
    total_bytes: int | None


class FreeSpace(BaseModel):
    """`batches`: the one that runs, and the newest of each root."""

    drives: list[Drive]
    batches: list[Batch]
