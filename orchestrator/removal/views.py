"""Removals as JSON."""

from uuid import UUID

from pydantic import BaseModel

from orchestrator.photos.chosen import ChosenPhotos
from orchestrator.removal.freed import said


class NewRemoval(ChosenPhotos):
    """With `dry_run` nothing is removed. Who names the `removal` may send it again when no answer came."""

    dry_run: bool = False
    removal: UUID | None = None


class Removal(BaseModel):
    """`count` photos; `bytes` of previews and other derived files. `removal` undoes it; null when nothing was done."""

    count: int
    bytes: int
    message: str
    removal: UUID | None


def would_remove(count: int, size: int) -> Removal:
    sentence = f"Remove {_photos(count)} from Keepers: frees {said(size)} of previews, originals stay."
    return Removal(count=count, bytes=size, message=sentence if count else _NOTHING, removal=None)


def removed(count: int, size: int, removal: UUID) -> Removal:
    sentence = f"{_photos(count).capitalize()} removed from Keepers. The originals stay."
    return Removal(count=count, bytes=size, message=sentence if count else _NOTHING, removal=removal if count else None)


def brought_back(count: int) -> Removal:
    nothing = "Nothing was brought back: it was brought back before."
    sentence = f"{_photos(count).capitalize()} brought back." if count else nothing
    return Removal(count=count, bytes=0, message=sentence, removal=None)


_NOTHING = "Nothing is removed: no photo is selected."


def _photos(count: int) -> str:
    return "1 photo" if count == 1 else f"{count:,} photos"
