"""One original in more pixels than its preview. Runs in the decode child."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import structlog

from shared import jpeg
from shared.claims_folder import FolderClaims
from shared.contracts import render
from shared.errors import Hold, KeepersError, Reject, UnsupportedFile, Verdict
from shared.exif import Tags
from shared.formats import RAW_EXTENSIONS, extension_of
from shared.settings import Settings
from workers.domain.names import printable_name
from workers.engines import colour, images, originals, raw_rendition, vips_images
from workers.engines.originals import Original
from workers.engines.pixels import FULL_COLOUR, Decoded, Pixels, fit, luma_of, upright
from workers.engines.pixels import jpeg as encoded
from workers.engines.raw_rendition import Stored
from workers.engines.vips_images import CheckSize

log = structlog.get_logger()

QUALITY = 88
LONGEST_JPEG = 65_500  # the format has no more
ROWS_AT_ONCE = 512  # of a whole photo: colours of all rows at once would need many times the memory of its pixels


@dataclass(frozen=True)
class Drawn:
    """A rendition. `key` says what of, beside its size."""

    picture: jpeg.Picture
    source: Literal["original", "embedded", "companion", "demosaic"]
    key: str


def render_file(request: render.Request, settings: Settings, claims: FolderClaims) -> render.Result:
    """Read, decode as far as needed, and put the rendition. Raises a Verdict for what cannot be shown."""
    name = printable_name(request.file_path)
    check_size = images.SizeLimit(name, settings.max_megapixels)
    drawn = _of_companion(request, settings, claims, check_size)
    if drawn is None:
        original = originals.read(request.file_path, request, claims)
        try:
            drawn = _of_original(original, extension_of(name), request, settings, claims, check_size)
        except Reject as reject:
            images.reject_by_name(reject, name, original.data)
    picture = drawn.picture
    key = f"renditions/{drawn.key[:2]}/{drawn.key}-r{render.RECIPE}-{request.size}.jpg"
    return render.Result(
        photo_id=request.photo_id,
        size=request.size,
        rendition=claims.put(key, picture.data),
        width=picture.width,
        height=picture.height,
        bytes=len(picture.data),
        source=drawn.source,
    )


def _of_companion(
    request: render.Request, settings: Settings, claims: FolderClaims, check_size: CheckSize
) -> Drawn | None:
    """Of the JPEG beside a RAW, as its preview is, without a look at the RAW; None when that has more to show."""
    is_raw = extension_of(printable_name(request.file_path)) in RAW_EXTENSIONS
    if request.companion is None or not is_raw or settings.raw_render != "embedded":
        return None
    edge = render.EDGES[request.size]
    try:
        beside = originals.read(request.companion, request, claims)
        least = min(edge or LONGEST_JPEG, (request.long_edge or 0) - jpeg.CROPPED_PIXELS)
        key, kind = f"{beside.content_hash}-companion", images.kind_of(beside.data, "jpg")
        if kind == "JPEG":
            is_enough = max(jpeg.size_of(beside.data)) >= least
            return Drawn(_of_jpeg(beside.data, edge, check_size), "companion", key) if is_enough else None
        shown, _ = images.decode(beside.data, kind, check_size)
        return Drawn(_of_pixels(shown, edge), "companion", key) if max(shown.pixels.shape) >= least else None
    except Hold:
        raise
    except (Verdict, jpeg.NotAJpeg) as reason:
        log.info("render.companion_unusable", photo_id=request.photo_id, reason=str(reason))
        return None


def _of_original(
    original: Original,
    extension: str,
    request: render.Request,
    settings: Settings,
    claims: FolderClaims,
    check_size: CheckSize,
) -> Drawn:
    edge, kind = render.EDGES[request.size], images.kind_of(original.data, extension)
    if kind == "RAW":
        try:
            return _of_raw(original, request, settings, claims, check_size)
        except UnsupportedFile:
            if not images.is_tiff(original.data):
                raise
            kind = "TIFF"  # under the name of a RAW
    if kind == "JPEG":
        return Drawn(_of_jpeg(original.data, edge, check_size), "original", original.content_hash)
    shown, _ = images.decode(original.data, kind, check_size)
    return Drawn(_of_pixels(shown, edge), "original", original.content_hash)


def _of_raw(
    original: Original, request: render.Request, settings: Settings, claims: FolderClaims, check_size: CheckSize
) -> Drawn:
    edge = render.EDGES[request.size]
    seen = _seen(request.preview, claims)
    found, source = raw_rendition.picture(original.data, edge, settings.raw_render, seen, check_size)
    key = f"{original.content_hash}-{source}"
    if source == "demosaic" and seen is not None:  # its brightness is that of this preview
        key += f"-{hashlib.sha256(request.preview.encode()).hexdigest()[:8]}"
    if isinstance(found, Stored):
        return Drawn(_of_stored(found, edge, check_size), source, key)
    return Drawn(_of_pixels(found, edge), source, key)


def _seen(preview: str, claims: FolderClaims) -> Pixels | None:
    """How bright the photo was shown until now; None when its preview is not there."""
    try:
        with claims.open(preview) as file:
            return luma_of(vips_images.decode(file.read(), "JPEG", _any_size).pixels)
    except (OSError, KeepersError):
        return None


def _any_size(width: int, height: int) -> None:
    """One that Keepers made itself."""


def _of_jpeg(data: bytes, edge: int | None, check_size: CheckSize) -> jpeg.Picture:
    return _as_it_is(data, edge, check_size) or _of_pixels(images.decode(data, "JPEG", check_size, edge)[0], edge)


def _of_stored(stored: Stored, edge: int | None, check_size: CheckSize) -> jpeg.Picture:
    if passed_on := _as_it_is(stored.data, edge, check_size, stored.orientation):
        return passed_on
    shown = vips_images.decode(stored.data, "JPEG", check_size, edge)
    return _of_pixels(Decoded(shown.pixels, shown.profile, stored.orientation), edge)


def _as_it_is(
    data: bytes, edge: int | None, check_size: CheckSize, orientation: int | None = None
) -> jpeg.Picture | None:
    """All of a JPEG without decoding it, and without what it says about the photo; None when it has to be decoded."""
    if edge is not None or not jpeg.is_srgb(data, colour.is_srgb):
        return None
    check_size(*jpeg.size_of(data))
    try:
        return jpeg.for_giving_away(data, Tags(), jpeg.profile_segments(colour.srgb_profile()), orientation)
    except jpeg.NotAJpeg:
        return None


def _of_pixels(shown: Decoded, edge: int | None) -> jpeg.Picture:
    """Smaller first, then colours and orientation, as for a preview."""
    pixels = _by_rows(fit(shown.pixels, edge or LONGEST_JPEG), lambda rows: colour.to_srgb(rows, shown.profile))
    turned = np.ascontiguousarray(upright(pixels, shown.orientation))
    data = encoded(turned, QUALITY, colour.srgb_profile(), FULL_COLOUR)
    return jpeg.Picture(data, turned.shape[1], turned.shape[0])


def _by_rows(pixels: Pixels, change: Callable[[Pixels], Pixels]) -> Pixels:
    changed = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, len(pixels), ROWS_AT_ONCE):
        changed[top : top + ROWS_AT_ONCE] = change(np.ascontiguousarray(pixels[top : top + ROWS_AT_ONCE]))
    return changed
