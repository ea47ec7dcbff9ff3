"""How the person wants Keepers to behave, as JSON; every page carries it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from orchestrator.preferences import keys
from orchestrator.preferences.keys import MOST_KEYS, Keys

CullOrder = Literal["match", "captured", "newest"]


class Preferences(BaseModel):
    keys: Annotated[Keys, Field(description="action -> its keys; none: it is switched off")] = Field(
        default_factory=lambda: keys.in_force({})
    )
    auto_advance: Annotated[bool, Field(description="a rating in the loupe leads to the next photo")] = False
    cull_order: Annotated[CullOrder, Field(description="lowest taste match first, as captured, or newest first")] = (
        "match"
    )

    def hint(self, action: str) -> str:
        """ " (x)" for a title: the first key of the action; nothing for one without."""
        found = self.keys[action]
        return f" ({keys.shown(found[0])})" if found else ""

    def shown_keys(self, action: str) -> list[str]:
        return [keys.shown(key) for key in self.keys[action]]


KeyList = Annotated[list[Annotated[str, Field(max_length=20)]], Field(max_length=MOST_KEYS)]


class NewPreferences(BaseModel):
    """Only what is sent is changed."""

    model_config = ConfigDict(extra="forbid")

    keys: Annotated[
        dict[str, KeyList | None] | None,
        Field(max_length=100, description="an action with null gets its usual keys again; null: all of them"),
    ] = None
    auto_advance: StrictBool | None = None
    cull_order: CullOrder | None = None
