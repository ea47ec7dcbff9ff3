"""Projects as JSON: what can be asked for, and what is answered."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator

from orchestrator.paging import RowId
from orchestrator.projects.names import tidy
from shared.contracts import storable

LONGEST_NAME = 200
MOST_IN_ORDER = 10_000


def _name(value: Any) -> str:  # Any: what was sent
    if not isinstance(value, str):
        raise ValueError("the name of a project is a text")
    if storable(value) != value:
        raise ValueError("the name holds a character that cannot be stored, or is far too long")
    name = tidy(value)
    if not name:
        raise ValueError("a project needs a name")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"the name of a project has at most {LONGEST_NAME} characters; this one has {len(name)}")
    return name


Name = Annotated[str, BeforeValidator(_name)]
Id = Annotated[RowId, Strict()]


class NewProject(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name


class ProjectChange(BaseModel):
    """Only what is sent is changed."""

    model_config = ConfigDict(extra="forbid")

    name: Name = ""
    cover_id: Annotated[Id | None, Field(description="a photo of the project; null: the first one in its order")] = None

    @model_validator(mode="after")
    def _says_something(self) -> "ProjectChange":
        if not self.model_fields_set:
            raise ValueError("say what is changed: name or cover_id")
        return self


class NewMerge(BaseModel):
    model_config = ConfigDict(extra="forbid")

    into: Id


class NewOrder(BaseModel):
    """These photos come first, in this order; the others follow as they did."""

    model_config = ConfigDict(extra="forbid")

    ids: Annotated[list[Id], Field(min_length=1, max_length=MOST_IN_ORDER)]

    @model_validator(mode="after")
    def _names_each_once(self) -> "NewOrder":
        if len(set(self.ids)) < len(self.ids):
            raise ValueError("a photo has one place: ids names one twice")
        return self


class Cover(BaseModel):
    photo_id: int
    thumbnail_url: str | None
    width: int | None
    height: int | None
    placeholder: str | None


class ProjectItem(BaseModel):
    id: int
    name: str
    photos: int  # that the gallery shows: with a preview, not rejected
    rejected: int
    cover: Cover | None  # the chosen one, else the first in its order
    is_cover_chosen: bool
    created_at: datetime


class ProjectList(BaseModel):
    items: list[ProjectItem]  # by name, all of them


class ProjectEnded(BaseModel):
    """POST /api/projects/{id}/restore takes it back."""

    id: int
    name: str
    photos: int
