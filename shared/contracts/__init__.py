"""What travels through the broker, one module per stage. Read a message through its module: `convert.Request`."""

import re
from math import isfinite
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

MAX_TEXT = 2_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: Any) -> Any:  # Any: a validator sees whatever arrived
    """Text that PostgreSQL can hold: no NUL, no lone surrogates, at most MAX_TEXT characters."""
    return _UNSTORABLE.sub("", text)[:MAX_TEXT] if isinstance(text, str) else text


def storable_json(value: Any) -> Any:  # Any: JSON, and what is nearly so
    """The same as JSON that PostgreSQL can hold; what is no JSON becomes its text."""
    if isinstance(value, dict):
        return {storable(str(name)): storable_json(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable_json(inner) for inner in value]
    if value is None or isinstance(value, (bool, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    return storable(str(value))


Text = Annotated[str, BeforeValidator(storable)]


class Message(BaseModel):
    """One frozen message; unknown fields are ignored, so that old and new versions understand each other."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    kind: ClassVar[str]
