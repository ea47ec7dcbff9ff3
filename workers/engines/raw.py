"""Camera RAW through LibRaw: the picture the photographer saw, and sharpness from the sensor's own pixels."""

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

import cv2
import numpy as np
import rawpy
from numpy.typing import NDArray

from shared import jpeg
from shared.errors import CorruptFile, Reject, UnsupportedFile
from workers.domain import damage
from workers.engines import tiff_tags, vips_images
from workers.engines.colour import linear_of_srgb, srgb_of_linear
from workers.engines.exif import Capture
from workers.engines.pixels import PREVIEW_EDGE, THUMBNAIL_EDGE, Decoded, Pixels, luma_of
from workers.engines.vips_images import CheckSize

Render = Literal["embedded", "demosaic"]
Source = Literal["embedded", "companion", "demosaic"]
Sample = TypeVar("Sample", np.uint8, np.uint16)

_ORIENTATIONS = {0: 1, 3: 3, 5: 8, 6: 6}  # LibRaw's flip as Exif counts
_GREY_OF_BAYER = {
    "RGGB": cv2.COLOR_BayerRGGB2GRAY,
    "BGGR": cv2.COLOR_BayerBGGR2GRAY,
    "GRBG": cv2.COLOR_BayerGRBG2GRAY,
    "GBRG": cv2.COLOR_BayerGBRG2GRAY,
}
_CELLS = ((0, 0), (0, 1), (1, 0), (1, 1))
HEADER_ONLY_SHARE = 0.9  # with more than this of the sensor data missing there is no picture
MOST_FILLED_BYTES = 512 * 1024**2
MOSAIC_VARIANCE_GAIN = 3.2  # bilinear against AHD, median of 28 generated DNGs; see the decision
SRGB_CURVE = (2.4, 12.92)


Ready = Mapping[Source, Decoded | None]  # pictures that need no development, the preferred one first


@dataclass(frozen=True)
class RawPhoto:
    shown: Decoded
    source: Source
    luma: Pixels  # full resolution, as bright as `shown`
    is_mosaic: bool  # luma was made from the mosaic without a demosaic
    width: int  # of the sensor's picture, not turned
    height: int
    orientation: int
    preview_exif: bytes | None  # what the camera's own JPEG holds
    preview_xmp: bytes | None
    capture: Capture


@dataclass(frozen=True)
class Flaw:
    sentence: str
    is_total: bool  # nothing of the sensor data can be shown


@dataclass(frozen=True)
class _Sensor:
    """The sensor's pixels, and their colours where they are a plain Bayer pattern."""

    mosaic: NDArray[np.uint16] | None
    colors: tuple[int, ...] = ()  # of the four cells: 0 red, 1 green, 2 blue, 3 the other green
    grey_code: int | None = None


def decode(data: bytes, render: Render, companion: Decoded | None, check_size: CheckSize) -> RawPhoto:
    """`companion` is the picture beside the RAW, preferred to the camera's preview inside it.

    Raises UnsupportedFile, CorruptFile, MemoryError, and what `check_size` raises.
    """
    data, missing_share = made_whole(data)
    with opened(data) as raw:
        sizes, orientation = raw.sizes, orientation_of(raw)  # before a demosaic, after which LibRaw forgets the turn
        check_size(sizes.width, sizes.height)
        preview = _camera_preview(raw, data)
        flaw = unpack(raw, data, missing_share)
        ready: Ready = {"companion": companion, "embedded": preview}
        if flaw and flaw.is_total:
            shown, source = _last_resort(flaw, ready)
            luma, is_mosaic = luma_of(shown.pixels), False
        else:
            sensor = _sensor(raw)  # the pattern is forgotten too
            shown, source = _choose(raw, ready if render == "embedded" else {}, orientation)
            luma, is_mosaic = _sensor_luma(raw, sensor, shown)
        return RawPhoto(
            replace(shown, damage=flaw.sentence) if flaw else shown,
            source,
            luma,
            is_mosaic,
            sizes.width,
            sizes.height,
            orientation,
            preview.exif if preview else None,
            preview.xmp if preview else None,
            raw.other,
        )


def made_whole(data: bytes) -> tuple[bytes, float]:
    """A RAW with its end missing, filled up with zeros, and the share that is missing.

    LibRaw gives up at the end of a file; so it shows what there is.
    """
    missing, total = tiff_tags.missing_bytes(data)
    if not 0 < missing < MOST_FILLED_BYTES:
        return data, missing / total if missing else 0
    return data + bytes(missing), missing / total


@contextmanager
def opened(data: bytes) -> Iterator[rawpy.RawPy]:
    try:
        with rawpy.RawPy() as raw:
            raw.open_buffer(io.BytesIO(data))
            yield raw
    except rawpy.LibRawUnsufficientMemoryError as exc:
        raise MemoryError from exc
    except (rawpy.LibRawFileUnsupportedError, rawpy.NotSupportedError) as exc:
        raise UnsupportedFile(decoder=_words(exc)) from exc
    except rawpy.LibRawError as exc:
        raise CorruptFile(decoder=_words(exc)) from exc


def _last_resort(flaw: Flaw, ready: Ready) -> tuple[Decoded, Source]:
    """A picture beside or inside the RAW whose sensor data is lost."""
    for source, picture in ready.items():
        if picture and max(picture.pixels.shape) >= THUMBNAIL_EDGE:
            return picture, source
    raise CorruptFile(decoder=flaw.sentence)


def _choose(raw: rawpy.RawPy, ready: Ready, orientation: int) -> tuple[Decoded, Source]:
    """The first ready picture that is whole and large enough; else the sensor data."""
    least = min(PREVIEW_EDGE, max(raw.sizes.width, raw.sizes.height) - jpeg.CROPPED_PIXELS)
    for source, picture in ready.items():
        if picture and picture.damage is None and max(picture.pixels.shape) >= least:
            return picture, source
    return Decoded(_developed(raw), orientation=orientation), "demosaic"


def _camera_preview(raw: rawpy.RawPy, data: bytes) -> Decoded | None:
    """The largest picture that the camera put into the file, turned as the RAW is; None when there is none to use."""
    stored = camera_picture(raw, data)
    if not isinstance(stored, bytes):
        return stored
    try:
        preview = vips_images.decode(stored, "JPEG", lambda width, height: None, PREVIEW_EDGE)
    except Reject:
        return None
    height, width = preview.pixels.shape[:2]
    return replace(preview, orientation=preview_orientation(raw, preview.orientation, width, height))


def camera_picture(raw: rawpy.RawPy, data: bytes) -> bytes | Decoded | None:
    """The same as it is stored: a JPEG, or, of few old cameras, pixels."""
    try:
        thumb = raw.extract_thumb()
    except (rawpy.LibRawError, rawpy.NotSupportedError):
        return None
    if thumb.format is rawpy.ThumbFormat.BITMAP:
        return Decoded(np.ascontiguousarray(thumb.data), orientation=orientation_of(raw))
    return _as_stored(bytes(thumb.data), data)


def _as_stored(picture: bytes, data: bytes) -> bytes:
    """Without the Exif that LibRaw puts in front of a preview that starts with none: its orientation is a guess."""
    if picture[2:4] != b"\xff\xe1" or picture[:128] in data:
        return picture
    return picture[:2] + picture[4 + int.from_bytes(picture[4:6], "big") :]


def orientation_of(raw: rawpy.RawPy) -> int:
    return _ORIENTATIONS.get(raw.sizes.flip, 1)


def preview_orientation(raw: rawpy.RawPy, own: int, width: int, height: int) -> int:
    """Its own Exif first. Some cameras store it upright already: then its sides are swapped against the sensor's."""
    if own != 1:
        return own
    is_upright_already = (height > width) != (raw.sizes.height > raw.sizes.width)
    return 1 if is_upright_already else orientation_of(raw)


def unpack(raw: rawpy.RawPy, data: bytes, missing_share: float) -> Flaw | None:
    """Decode the sensor data; what is wrong with it, if anything."""
    try:
        raw.unpack()
    except rawpy.LibRawUnsufficientMemoryError:
        raise
    except rawpy.LibRawError as exc:
        return Flaw(f"The sensor data is damaged: {_words(exc)}.", is_total=True)
    mosaic = _mosaic(raw)
    return (None if mosaic is None else _flaw_of_pixels(mosaic, raw.white_level)) or _flaw_of_file(data, missing_share)


def _flaw_of_pixels(mosaic: NDArray[np.uint16], white_level: int) -> Flaw | None:
    flat = mosaic if mosaic.ndim == 2 else mosaic[:, :, 1]
    if damage.is_blank(flat):
        return Flaw("The sensor data is empty.", is_total=True)
    if damage.is_noise(flat, white_level):
        return Flaw("The sensor data is noise.", is_total=True)
    return None


def _flaw_of_file(data: bytes, missing_share: float) -> Flaw | None:
    if missing_share:
        percent = max(1, round(100 * missing_share))
        return Flaw(f"{percent} % of the sensor data is missing.", missing_share > HEADER_ONLY_SHARE)
    if damage.has_zero_tail(data, damage.RAW_ZERO_TAIL_BYTES):
        return Flaw("The end of the file is overwritten with zeros.", is_total=False)
    return None


def _sensor(raw: rawpy.RawPy) -> _Sensor:
    mosaic, pattern = _mosaic(raw), raw.raw_pattern
    if mosaic is None or mosaic.ndim != 2 or pattern is None or pattern.shape != (2, 2):
        return _Sensor(mosaic)
    colors = tuple(int(color) for color in pattern.ravel())
    letters = "".join(chr(raw.color_desc[color]) for color in colors)
    return _Sensor(mosaic, colors, _GREY_OF_BAYER.get(letters))


def _mosaic(raw: rawpy.RawPy) -> NDArray[np.uint16] | None:
    """The sensor's values, shape (height, width) or (height, width, colours); None if LibRaw has none (float DNG)."""
    try:
        return raw.raw_image_visible
    except RuntimeError:
        return None


def _developed(raw: rawpy.RawPy) -> Pixels:
    """Camera white balance, sRGB. Four sensor pixels become one where that still fills the preview."""
    half = is_bayer(raw) and max(raw.sizes.width, raw.sizes.height) >= 2 * PREVIEW_EDGE
    return postprocessed(raw, half, None)


def is_bayer(raw: rawpy.RawPy) -> bool:
    return raw.raw_pattern is not None and raw.raw_pattern.shape == (2, 2)


def postprocessed(raw: rawpy.RawPy, half: bool, algorithm: rawpy.DemosaicAlgorithm | None) -> Pixels:
    pixels = raw.postprocess(
        demosaic_algorithm=algorithm,
        half_size=half,
        use_camera_wb=True,
        output_color=rawpy.ColorSpace.sRGB,
        output_bps=8,
        gamma=SRGB_CURVE,
        user_flip=0,
    )
    return _grey_or_rgb(pixels)


def postprocessed_linear(raw: rawpy.RawPy, half: bool) -> NDArray[np.uint16]:
    """The light itself, in sRGB's primaries, as the camera was exposed."""
    pixels = raw.postprocess(
        demosaic_algorithm=rawpy.DemosaicAlgorithm.PPG,  # somebody waits: half the time of AHD
        half_size=half,
        use_camera_wb=True,
        output_color=rawpy.ColorSpace.sRGB,
        output_bps=16,
        gamma=(1, 1),
        no_auto_bright=True,
        user_flip=0,
    )
    return _grey_or_rgb(pixels.astype(np.uint16, copy=False))


def _grey_or_rgb(pixels: NDArray[Sample]) -> NDArray[Sample]:
    return pixels if pixels.shape[2] == 3 else np.ascontiguousarray(pixels[:, :, 0])


def _sensor_luma(raw: rawpy.RawPy, sensor: _Sensor, shown: Decoded) -> tuple[Pixels, bool]:
    """Full-resolution luminance, as bright as what is shown, and whether the Bayer mosaic sufficed for it.

    Interpolated straight from the mosaic in one cheap step; only rarer sensors are demosaiced for it.
    """
    if sensor.grey_code is None or sensor.mosaic is None:
        return luma_of(postprocessed(raw, False, rawpy.DemosaicAlgorithm.LINEAR)), False
    encoded = np.empty(sensor.mosaic.shape, np.uint8)
    for (row, column), table in zip(
        _CELLS, _encodings(raw, sensor.mosaic, sensor.colors, luma_of(shown.pixels)), strict=True
    ):
        encoded[row::2, column::2] = table[sensor.mosaic[row::2, column::2]]
    return cv2.cvtColor(encoded, sensor.grey_code).astype(np.uint8, copy=False), True


def _encodings(
    raw: rawpy.RawPy, mosaic: NDArray[np.uint16], colors: tuple[int, ...], shown_luma: Pixels
) -> list[Pixels]:
    """For each cell of the pattern a table from sensor values to 8-bit display values.

    White-balanced, and as bright as the picture shown: otherwise a darkly exposed RAW would seem softer than its
    own preview.
    """
    balance = np.array(raw.camera_whitebalance) / (raw.camera_whitebalance[1] or 1)
    gains = [balance[color] if color < 3 and balance[color] > 0 else 1.0 for color in colors]
    black = float(np.mean(raw.black_level_per_channel))
    light = np.clip((np.arange(65_536) - black) / max(1.0, raw.white_level - black), 0, None)
    cells = [
        light[mosaic[row::16, column::16]].mean() * gain for (row, column), gain in zip(_CELLS, gains, strict=True)
    ]
    wanted = linear_of_srgb(np.arange(256) / 255)[shown_luma[::8, ::8]].mean()
    exposure = wanted / max(float(np.mean(cells)), 1e-6)
    return [np.round(255 * srgb_of_linear(np.clip(light * gain * exposure, 0, 1))).astype(np.uint8) for gain in gains]


def _words(error: Exception) -> str:
    text = error.args[0] if error.args else ""
    return text.decode("ascii", "replace") if isinstance(text, bytes) else str(text)
