"""The picture of a photo that is given away: its preview, or the JPEG in full size."""

from collections.abc import Callable, Sequence

from orchestrator.export.full_size import NotRendered
from orchestrator.export.photo import Photo, Source
from shared import exif, jpeg
from shared.claims import ClaimStore
from shared.errors import Hold, KeepersError
from shared.formats import extension_of

_HEAD_BYTES = 256 * 1024  # Exif stands at the beginning
_JPEG = ("jpg", "jpeg")

Rendered = Callable[[int], bytes]  # all pixels of the photo with this number, as JPEG; raises NotRendered


class NotExportable(KeepersError):
    """This photo cannot be exported."""


def picture_of(
    photo: Photo, claims: ClaimStore, rendered: Rendered | None = None, *, gps: bool = False
) -> jpeg.Picture:
    """The preview or, with `rendered`, the picture in full size: that makes it of what is no JPEG in sRGB.

    Raises NotExportable with the sentence that says why not, and Hold while the place of previews is away.
    """
    preview = _preview(photo, claims, is_needed=rendered is None)
    data = preview if rendered is None else _full_size(photo, claims, rendered)
    try:
        return jpeg.for_giving_away(data, _credit(photo, claims), _profile(preview), with_place=gps)
    except jpeg.NotAJpeg as exc:
        raise NotExportable(f"{photo.file_name} is damaged: {exc}.") from exc


def is_to_be_rendered(photo: Photo) -> bool:
    """Whether its full size has to be made, as far as that shows without reading pictures."""
    return not _jpegs(photo)


def trouble_with(photo: Photo, claims: ClaimStore, *, full_size: bool) -> str | None:
    """Why it cannot be exported, as far as that shows without reading pictures."""
    if full_size:
        files = _jpegs(photo) or photo.sources
        return None if any(claims.has_original(one.root, one.path) for one in files) else _gone(photo)
    if photo.preview is None or not claims.verify(photo.preview):
        return _no_preview(photo)
    return None


def _preview(photo: Photo, claims: ClaimStore, *, is_needed: bool) -> bytes:
    try:
        if photo.preview is not None and (data := claims.read(photo.preview)):
            return data
    except Hold:  # what is away is away for all photos: the export ends, and can be asked for again
        if is_needed:
            raise
    except (OSError, KeepersError) as exc:
        if is_needed:
            raise NotExportable(_no_preview(photo)) from exc
    if is_needed:
        raise NotExportable(_no_preview(photo))
    return b""


def _full_size(photo: Photo, claims: ClaimStore, rendered: Rendered) -> bytes:
    files = _jpegs(photo)
    away: Hold | None = None
    for one in files:
        try:
            data = claims.read_original(one.root, one.path)
        except Hold as hold:
            away = hold
            continue
        except (OSError, KeepersError):
            continue
        if jpeg.is_srgb(data, _says_srgb) and _has_all_pixels(one, data, photo):
            return data
        break
    else:
        if away is not None:
            raise away
        if files:
            raise NotExportable(_gone(photo))
    try:
        return rendered(photo.id)
    except (NotRendered, OSError) as exc:
        why = exc.message if isinstance(exc, NotRendered) else f"{exc.strerror}."
        raise NotExportable(f"{photo.file_name} cannot be exported in full size: {why}") from exc


def _has_all_pixels(source: Source, data: bytes, photo: Photo) -> bool:
    """Not so a small JPEG that the camera wrote beside its RAW."""
    least = (photo.long_edge or 0) - jpeg.CROPPED_PIXELS
    return source.role != "companion" or max(jpeg.size_of(data)) >= least


def _says_srgb(profile: bytes) -> bool:
    """Of a profile that only a worker could understand: it has the name."""
    return b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile


def _jpegs(photo: Photo) -> Sequence[Source]:
    """The best first: what the camera wrote beside the RAW, the original, its copies."""
    return [one for one in photo.sources if extension_of(one.path) in _JPEG]


def _credit(photo: Photo, claims: ClaimStore) -> exif.Tags:
    """Who made it, whose it is and where it was, as the camera or an editor wrote it into a file of the photo; nothing
    when its drive is away. An orientation is none of a preview's: that is upright."""
    known = exif.Tags()
    for one in photo.sources:
        try:
            tags = jpeg.tags_of(claims.read_original(one.root, one.path, _HEAD_BYTES))
        except (OSError, KeepersError):
            continue
        known = exif.Tags(
            known.artist or tags.artist, known.copyright or tags.copyright, place=known.place or tags.place
        )
    return known


def _profile(preview: bytes) -> tuple[bytes, ...]:
    """sRGB, as every preview carries it."""
    try:
        return jpeg.profile_of(preview)
    except jpeg.NotAJpeg:
        return ()


def _no_preview(photo: Photo) -> str:
    return f"{photo.file_name} has no preview yet. Export again once it has."


def _gone(photo: Photo) -> str:
    return f"The files of {photo.file_name} are not there. If they are on a drive, is it connected?"
