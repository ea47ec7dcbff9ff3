"""Decisions as JSON: what can be asked for, and what is answered."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from orchestrator.photos.chosen import ChosenPhotos
from orchestrator.photos.views import PhotoItem
from orchestrator.review.retagging import MOST_TAGS, Retags
from orchestrator.review.verbs import Action, Wish
from shared.contracts import storable

MOST_AT_ONCE = 1_000  # photos in an answer
LONGEST_TAG, LONGEST_NAME = 80, 200
_MOST_SENT = 1_000  # tags, among them empty ones and the same in other letters


def _stars(value: Any) -> int | None:  # Any: what was sent
    if value is None or (type(value) is int and 1 <= value <= 5):
        return value
    raise ValueError("a rating is a whole number from 1 to 5, or null to clear it")


def _pick(value: Any) -> bool:  # Any: what was sent
    if isinstance(value, bool):
        return value
    raise ValueError("a pick is true or false")


def _project(value: Any) -> str | None:  # Any: what was sent
    if value is None:
        return None
    name = _line(value, "the name of a project")
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ValueError(f"the name of a project has 1 to {LONGEST_NAME} characters; null takes the photo out of it")
    return name


def _tags(value: Any) -> list[str] | None:  # Any: what was sent
    if value is None:
        return None
    if not isinstance(value, list):
        raise ValueError("tags are a list of texts, or null for the suggested ones")
    if len(value) > _MOST_SENT:
        raise ValueError(f"a photo has at most {MOST_TAGS} tags")
    tags = {tag.casefold(): tag for tag in reversed([_line(one, "a tag") for one in value]) if tag}
    if len(tags) > MOST_TAGS:
        raise ValueError(f"a photo has at most {MOST_TAGS} tags")
    if any(len(tag) > LONGEST_TAG for tag in tags.values()):
        raise ValueError(f"a tag has at most {LONGEST_TAG} characters")
    return list(reversed(tags.values()))


def _some_tags(value: Any) -> list[str]:  # Any: what was sent
    tags = _tags(value)
    if not tags:
        raise ValueError("name at least one tag, or leave this out")
    return tags


def _line(value: Any, what: str) -> str:  # Any: what was sent
    if not isinstance(value, str):
        raise ValueError(f"{what} is a text")
    if storable(value) != value:
        raise ValueError(f"{what} holds a character that cannot be stored, or is far too long")
    return value.strip()


class Decidable(BaseModel):
    """What the person says about a photo; only what is sent is changed."""

    model_config = ConfigDict(extra="forbid")

    user_rating: Annotated[
        Annotated[int, Field(ge=1, le=5)] | None, BeforeValidator(_stars), Field(description="null clears the stars")
    ] = None
    manual_match: Annotated[bool, BeforeValidator(_pick), Field(description="chef's pick")] = False
    project: Annotated[
        str | None, BeforeValidator(_project), Field(description="by name, made if it is new; null takes it away")
    ] = None
    tags: Annotated[list[str] | None, BeforeValidator(_tags), Field(description="null: the suggested ones again")] = (
        None
    )

    @model_validator(mode="after")
    def _says_something(self) -> "Decidable":
        if self.wish() == Wish():
            raise ValueError("say what is decided: user_rating, manual_match, project or tags")
        return self

    def wish(self) -> Wish:
        names = self.model_fields_set & Decidable.model_fields.keys()
        return Wish({name: getattr(self, name) for name in names})


class NewDecision(Decidable, ChosenPhotos):
    """The same for many photos at once. Who names the `batch` may send it again when no answer came."""

    action: Action | None = None
    batch: UUID | None = None
    add_tags: Annotated[list[str], BeforeValidator(_some_tags), Field(description="to those that each photo has")] = []
    remove_tags: Annotated[
        list[str], BeforeValidator(_some_tags), Field(description="from those that each photo has")
    ] = []

    @model_validator(mode="after")
    def _says_one_thing_about_tags(self) -> "NewDecision":
        added, taken = ({tag.casefold() for tag in tags} for tags in (self.add_tags, self.remove_tags))
        if added & taken:
            raise ValueError("a tag is added or removed, and not both")
        if (added or taken) and "tags" in self.model_fields_set:
            raise ValueError("say all tags, or which are added and removed, and not both")
        return self

    def wish(self) -> Wish:
        retags = Retags(self.add_tags, self.remove_tags) if self.add_tags or self.remove_tags else None
        return Wish(super().wish().fields, self.action, retags)


class NewUndo(BaseModel):
    model_config = ConfigDict(extra="forbid")

    batch: UUID | None = None


class Decided(BaseModel):
    """`items` are the photos as they are now; none of them where a selection changed more than a thousand. `count` of
    them changed. `undo` takes the decision back; null when nothing was changed, and `message` says why."""

    items: list[PhotoItem]
    count: int
    undo: UUID | None
    message: str | None = None


class PastDecision(BaseModel):
    """One decision about a photo: the fields that changed, as they were and as they became."""

    batch: UUID
    source: str  # person, file, undo
    before: dict[str, Any]  # Any: JSON
    after: dict[str, Any]
    decided_at: datetime


class History(BaseModel):
    items: list[PastDecision]
