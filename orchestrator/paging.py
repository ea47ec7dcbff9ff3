"""Cursors: where a page of a list ended, as text that a client hands back unread."""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query
from fastapi.exceptions import RequestValidationError
from pydantic import Field

MAX_LIMIT = 500
MAX_ID = 2**63 - 1
RowId = Annotated[int, Field(ge=0, le=MAX_ID)]  # of a row of any table
Value = str | float | None


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: its sort value, None where it has none, and its id. Good for one order only."""

    order: str
    value: Value
    id: int

    def encode(self) -> str:
        packed = json.dumps([self.order, self.value, self.id], separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def decode(text: str | None, order: str) -> Cursor | None:
    """The cursor behind `text`, None for the first page. Raises a validation error when it is not of this order."""
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        match found:
            case [str(name), str() | int() | float() | None as value, int(id_)] if name == order and abs(id_) < 2**63:
                return Cursor(name, value, id_)
    except (ValueError, binascii.Error):
        pass
    raise RequestValidationError(
        [{"type": "cursor", "loc": ("query", "after"), "msg": "this is not a `next` of the same list", "input": text}]
    )


@dataclass(frozen=True)
class Page:
    after: str | None
    limit: int


def _page(
    after: Annotated[str | None, Query(description="`next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
) -> Page:
    return Page(after, limit)


PageDep = Annotated[Page, Depends(_page)]
