"""The picture of a photo that is given away: its preview, or the JPEG in full size."""

import os
from collections.abc import Sequence
from pathlib import Path

from orchestrator.export.photo import Photo, Source
from orchestrator.models.states import COMPANION
from shared import exif, jpeg
from shared.claims import ClaimStore, claim_of
from shared.errors import KeepersError
from shared.formats import RAW_EXTENSIONS, extension_of

_HEAD_BYTES = 256 * 1024  # Exif stands at the beginning
_JPEG = ("jpg", "jpeg")


class NotExportable(KeepersError):
    """This photo cannot be exported."""


def picture_of(photo: Photo, claims: ClaimStore, *, full_size: bool) -> jpeg.Picture:
    """Raises NotExportable with the sentence that says why not."""
    preview = _preview(photo, claims, is_needed=not full_size)
    try:
        if not full_size:
            return jpeg.for_giving_away(preview, _credit(photo, claims))
        data = _full_size(photo, claims)
        return jpeg.for_giving_away(data, _credit(photo, claims), _profile(preview))
    except jpeg.NotAJpeg as exc:
        raise NotExportable(f"{photo.file_name} is damaged: {exc}.") from exc


def trouble_with(photo: Photo, claims: ClaimStore, *, full_size: bool) -> str | None:
    """Why it cannot be exported, as far as that shows without reading pictures."""
    if full_size:
        if not (files := _jpegs(photo)):
            return _no_jpeg(photo)
        return None if any(_is_there(one, claims) for one in files) else _gone(photo)
    if photo.preview is None or not claims.verify(photo.preview):
        return _no_preview(photo)
    return None


def _preview(photo: Photo, claims: ClaimStore, *, is_needed: bool) -> bytes:
    try:
        if photo.preview is not None and (data := claims.path(photo.preview).read_bytes()):
            return data
    except (OSError, KeepersError) as exc:
        if is_needed:
            raise NotExportable(_no_preview(photo)) from exc
    if is_needed:
        raise NotExportable(_no_preview(photo))
    return b""


def _full_size(photo: Photo, claims: ClaimStore) -> bytes:
    if not (files := _jpegs(photo)):
        raise NotExportable(_no_jpeg(photo))
    for one in files:
        try:
            return _path(one, claims).read_bytes()
        except (OSError, KeepersError):
            continue
    raise NotExportable(_gone(photo))


def _jpegs(photo: Photo) -> Sequence[Source]:
    """The best first: what the camera wrote beside the RAW, the original, its copies."""
    return [one for one in photo.sources if extension_of(one.path) in _JPEG]


def _credit(photo: Photo, claims: ClaimStore) -> exif.Tags:
    """Who made it and whose it is, as the camera or an editor wrote it into a file of the photo; nothing when its drive
    is away. An orientation is none of a preview's: that is upright."""
    for one in photo.sources:
        try:
            with open(_path(one, claims), "rb") as file:
                tags = jpeg.tags_of(file.read(_HEAD_BYTES))
        except (OSError, KeepersError):
            continue
        if tags.artist or tags.copyright:
            return exif.Tags(tags.artist, tags.copyright)
    return exif.Tags()


def _profile(preview: bytes) -> tuple[bytes, ...]:
    """sRGB, as every preview carries it."""
    try:
        return jpeg.profile_of(preview)
    except jpeg.NotAJpeg:
        return ()


def _is_there(one: Source, claims: ClaimStore) -> bool:
    try:
        return _path(one, claims).is_file()
    except (OSError, KeepersError):
        return False


def _path(one: Source, claims: ClaimStore) -> Path:
    return claims.path(claim_of(os.path.join(one.root, one.path)))


def _no_preview(photo: Photo) -> str:
    return f"{photo.file_name} has no preview yet. Export again once it has."


def _no_jpeg(photo: Photo) -> str:
    kinds = [extension_of(one.path) for one in photo.sources if one.role != COMPANION]
    if any(kind in RAW_EXTENSIONS for kind in kinds):
        return f"{photo.file_name}: full size of a RAW without a JPEG is to come. Its preview can be exported."
    return f"{photo.file_name}: full size of anything but JPEG is to come. Its preview can be exported."


def _gone(photo: Photo) -> str:
    return f"The files of {photo.file_name} are not there. If they are on a drive, is it connected?"
