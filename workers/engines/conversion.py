"""One original becomes a preview, a thumbnail, measurements and Exif. Runs in the decode child."""

from dataclasses import dataclass
from typing import Literal

import structlog

from shared.claims_folder import FolderClaims
from shared.contracts import convert
from shared.errors import Hold, Reject, UnsupportedFile, Verdict
from shared.formats import extension_of
from shared.settings import Settings
from workers.domain import phash, quality
from workers.domain.names import printable_name
from workers.engines import embedded_rating, exif, images, originals, raw
from workers.engines.originals import Original
from workers.engines.pixels import Decoded, Pixels, Rendered, is_sideways, luma_of, render
from workers.engines.vips_images import CheckSize

log = structlog.get_logger()

Source = Literal["original", "embedded", "companion", "demosaic"]


@dataclass(frozen=True)
class Photo:
    """A decoded original, whatever its format."""

    shown: Decoded
    source: Source
    format: str
    luma: Pixels  # full resolution
    size: tuple[int, int]  # width and height of the original, as stored
    orientation: int  # of the original
    exif: convert.Exif
    rating: int | None  # in the file
    variance_gain: float = 1  # brings the sharpness of a mosaic to the scale of a developed picture
    companion_hash: str = ""


def convert_file(request: convert.Request, settings: Settings, claims: FolderClaims) -> convert.Result:
    """Read, decode, measure, and put the derived files. Raises a Verdict for what is no photograph."""
    name = printable_name(request.file_path)
    original = originals.read(request.file_path, request, claims)
    companion = _read_companion(request, claims)
    try:
        photo = _decode(original, companion, request, settings)
    except Reject as reject:
        images.reject_by_name(reject, name, original.data)
    return _result(request, original, companion, photo, claims)


def _decode(original: Original, beside: Original | None, request: convert.Request, settings: Settings) -> Photo:
    check_size = images.SizeLimit(printable_name(request.file_path), settings.max_megapixels)
    extension = extension_of(printable_name(request.file_path))
    kind = images.kind_of(original.data, extension)
    if kind != "RAW":
        return _decode_image(original.data, kind, check_size)
    companion = _companion(beside, request, check_size) if settings.raw_render == "embedded" else None
    try:
        return _decode_raw(original.data, extension, settings.raw_render, companion, check_size)
    except UnsupportedFile:
        if not images.is_tiff(original.data):
            raise
        return _decode_image(original.data, "TIFF", check_size)  # a TIFF under the name of a RAW


def _decode_image(data: bytes, kind: str, check_size: CheckSize) -> Photo:
    shown, tags = images.decode(data, kind, check_size)
    height, width = shown.pixels.shape[:2]
    luma = luma_of(shown.pixels)
    rating = embedded_rating.read(tags, shown.xmp)
    return Photo(shown, "original", kind, luma, (width, height), shown.orientation, exif.read(tags), rating)


def _decode_raw(
    data: bytes, extension: str, wanted: raw.Render, companion: tuple[Decoded, str] | None, check_size: CheckSize
) -> Photo:
    developed = raw.decode(data, wanted, companion[0] if companion else None, check_size)
    tags = exif.Tags(*exif.blocks_of_raw(data), developed.preview_exif)
    return Photo(
        developed.shown,
        developed.source,
        extension.upper() or "RAW",
        developed.luma,
        (developed.width, developed.height),
        developed.orientation,
        exif.read(tags, developed.capture),
        embedded_rating.read(tags, *embedded_rating.packets_of_raw(tags, data), developed.preview_xmp),
        raw.MOSAIC_VARIANCE_GAIN if developed.is_mosaic else 1,
        companion[1] if companion and developed.source == "companion" else "",
    )


def _read_companion(request: convert.Request, claims: FolderClaims) -> Original | None:
    """The JPEG beside a RAW: its hash tells it from a photo of its own, even where its pixels are not used."""
    if request.companion is None:
        return None
    try:
        return originals.read(request.companion, request, claims)
    except Hold:
        raise
    except Verdict as verdict:
        log.info("convert.companion_unusable", photo_id=request.photo_id, reason=verdict.message)
        return None


def _companion(beside: Original | None, request: convert.Request, check_size: CheckSize) -> tuple[Decoded, str] | None:
    """The pixels and the hash of the companion; None when it cannot stand in for its RAW."""
    if beside is None:
        return None
    try:
        shown = images.decode(beside.data, images.kind_of(beside.data, "jpg"), check_size)[0]
    except Verdict as verdict:
        log.info("convert.companion_unusable", photo_id=request.photo_id, reason=verdict.message)
        return None
    return None if shown.damage else (shown, beside.content_hash)


def _result(
    request: convert.Request, original: Original, companion: Original | None, photo: Photo, claims: FolderClaims
) -> convert.Result:
    rendered = render(photo.shown)
    width, height = photo.size[::-1] if is_sideways(photo.orientation) else photo.size
    key = _key(original, photo)
    return convert.Result(
        photo_id=request.photo_id,
        content_hash=original.content_hash,
        quick_hash=original.quick_hash,
        size=original.size,
        mtime_ns=original.mtime_ns,
        companion_content_hash=companion.content_hash if companion else None,
        companion_quick_hash=companion.quick_hash if companion else None,
        format=photo.format,
        width=width,
        height=height,
        preview=claims.put(f"previews/{key}", rendered.preview),
        preview_width=rendered.pixels.shape[1],
        preview_height=rendered.pixels.shape[0],
        thumbnail=claims.put(f"thumbnails/{key}", rendered.thumbnail),
        placeholder=rendered.placeholder,
        source=photo.source,
        damage=photo.shown.damage,
        perceptual_hash=phash.perceptual_hash(luma_of(rendered.pixels)),
        quality=_quality(photo, rendered),
        exif=photo.exif,
        rating=_rating(photo, companion),
    )


def _rating(photo: Photo, companion: Original | None) -> int | None:
    if photo.rating is None and companion is not None:
        return embedded_rating.of_companion(companion.data)
    return photo.rating


def _key(original: Original, photo: Photo) -> str:
    """Names the content and everything else that decides the pixels: the same photo always gets the same key."""
    source = "" if photo.source == "original" else f"-{photo.source}{photo.companion_hash[:16]}"
    digest = original.content_hash
    return f"{digest[:2]}/{digest}-r{convert.RECIPE}{source}.jpg"


def _quality(photo: Photo, rendered: Rendered) -> convert.Quality:
    """Sharpness from full resolution; a RAW's clipping from what is shown, as its sensor clips later."""
    measured = quality.measure(photo.luma).scaled(photo.variance_gain)
    is_raw = photo.source != "original"
    clipped = quality.clipped_share(luma_of(rendered.pixels) if is_raw else photo.luma)
    scores = quality.score(measured, clipped, photo.size[0] * photo.size[1] / 1e6)
    return convert.Quality(
        laplacian_variance=measured.laplacian_variance,
        tile_variance_p95=measured.tile_variance_p95,
        noise_sigma=measured.noise_sigma,
        clipped_share=clipped,
        sharpness_score=scores.sharpness,
        exposure_score=scores.exposure,
        technical_score=scores.technical,
    )
