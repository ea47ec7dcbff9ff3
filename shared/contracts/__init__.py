"""What travels through the broker, one module per stage. Read a message through its module: `convert.Request`."""

import re
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

MAX_TEXT = 2_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def storable(text: Any) -> Any:  # Any: a validator sees whatever arrived
    """Text that PostgreSQL can hold: no NUL, no lone surrogates, at most MAX_TEXT characters."""
    return _UNSTORABLE.sub("", text)[:MAX_TEXT] if isinstance(text, str) else text


Text = Annotated[str, BeforeValidator(storable)]


class Message(BaseModel):
    """One frozen message; unknown fields are ignored, so that old and new versions understand each other."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)
    kind: ClassVar[str]
