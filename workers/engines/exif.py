"""What the camera wrote about the photo, from any container. Nothing here ever fails a photo."""

import contextlib
import re
import struct
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Protocol

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from shared.contracts import convert

ADOBE_RGB_INTEROP = "R03"
JPEG_SEARCH_BYTES = 1024 * 1024
_LIKE_TIFF = {b"IIU\0": b"II*\0", b"IIRO": b"II*\0", b"IIRS": b"II*\0", b"MMOR": b"MM\0*"}  # Panasonic, Olympus
_TIME = re.compile(r"(\d{4})\D(\d{1,2})\D(\d{1,2})\D(\d{1,2})\D(\d{1,2})\D(\d{1,2})")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")
_YEARS = range(1826, 2200)  # the first photograph; a camera with an empty clock battery says 0000


class Capture(Protocol):
    """What LibRaw finds in makers' own tags, `rawpy.RawPy.other`. Zero stands for unknown."""

    @property
    def iso_speed(self) -> float: ...
    @property
    def shutter_speed(self) -> float: ...
    @property
    def aperture(self) -> float: ...
    @property
    def focal_length(self) -> float: ...
    @property
    def timestamp(self) -> datetime | None: ...


class Tags:
    """The Exif tags of one photo, each directory read on its own, so that one broken part costs only itself."""

    def __init__(self, *blocks: bytes | None) -> None:
        """Blocks are TIFF structures, `Exif` marked or bare; the first one that has a tag says it."""
        self._main: list[dict[int, Any]] = []
        self._exif: list[dict[int, Any]] = []
        self._gps: dict[int, Any] = {}
        self._interop: dict[int, Any] = {}
        for block in filter(None, blocks):
            self._add(block)

    def _add(self, block: bytes) -> None:
        source = Image.Exif()
        with _tolerant():
            source.load(block)
            self._main.append({tag: source.get(tag) for tag in _MAIN_TAGS})
        with _tolerant():
            self._exif.append(dict(source.get_ifd(IFD.Exif)))
        with _tolerant():
            self._gps = self._gps or dict(source.get_ifd(IFD.GPSInfo))
        with _tolerant():
            self._interop = self._interop or dict(source.get_ifd(IFD.Interop))

    def get(self, tag: Base) -> Any:  # Any: cameras write any type under any tag
        """The Exif directory goes before the main one: some RAW kinds keep Exif tags in the main one."""
        found = (tags[tag] for tags in (*self._exif, *self._main) if tags.get(tag) is not None)
        return next(found, None)

    def number(self, tag: Base) -> float | None:
        value = self.get(tag)
        if value is None:
            return None
        with _tolerant():
            number = float(value[0] if isinstance(value, tuple) else value)
            return number if abs(number) < 1e9 else None  # also not for NaN
        return None

    def blob(self, tag: Base) -> bytes | None:
        value = self.get(tag)
        with _tolerant():
            return bytes(value) if isinstance(value, (bytes, tuple)) else None
        return None

    def text(self, tag: Base) -> str | None:
        value = self.get(tag)
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value or "")
        return text.replace("\0", " ").strip() or None

    @property
    def orientation(self) -> int:
        return int(self.number(Base.Orientation) or 1)

    @property
    def has_gps(self) -> bool:
        return bool(self._gps.get(GPS.GPSLatitude)) and bool(self._gps.get(GPS.GPSLongitude))

    @property
    def is_adobe_rgb(self) -> bool:
        """Exif's way to say Adobe RGB without a profile."""
        return str(self._interop.get(1, "")).strip("\0 ") == ADOBE_RGB_INTEROP


_MAIN_TAGS = (
    *(Base.Make, Base.Model, Base.DateTime, Base.Orientation, Base.LensModel, Base.LensSpecification),
    *(Base.DateTimeOriginal, Base.SubsecTimeOriginal, Base.SubsecTime, Base.OffsetTimeOriginal, Base.OffsetTime),
    *(Base.FocalLength, Base.FNumber, Base.ExposureTime, Base.ISOSpeedRatings, Base.ExposureBiasValue),
    Base.SubjectDistance,
    *(Base.XMLPacket, Base.Rating),
)


def read(tags: Tags, capture: Capture | None = None) -> convert.Exif:
    """The fields that pages and bursts need; what LibRaw found itself (`capture`) fills the gaps of a RAW."""
    iso = tags.number(Base.ISOSpeedRatings) or (capture.iso_speed if capture else None)
    return convert.Exif(
        captured_at=_captured_at(tags) or _libraw_time(capture),
        utc_offset_minutes=_offset_minutes(tags),
        camera_make=tags.text(Base.Make),
        camera_model=tags.text(Base.Model),
        lens=tags.text(Base.LensModel),
        focal_length_mm=tags.number(Base.FocalLength) or _positive(capture.focal_length if capture else None),
        aperture=tags.number(Base.FNumber) or _positive(capture.aperture if capture else None),
        shutter_seconds=tags.number(Base.ExposureTime) or _positive(capture.shutter_speed if capture else None),
        iso=round(iso) if iso and 0 < iso < 1e8 else None,
        exposure_bias_ev=tags.number(Base.ExposureBiasValue),
        focus_distance_m=_positive(tags.number(Base.SubjectDistance)),  # 0: unknown; infinity is none either
        has_gps=tags.has_gps,
    )


def blocks_of_raw(data: bytes) -> list[bytes]:
    """The TIFF structures with Exif in a RAW file: the file itself, or what CR3 and RAF wrap."""
    head = data[:4]
    if head in _LIKE_TIFF:
        return [_LIKE_TIFF[head] + data[4:]]
    if head[:2] in (b"II", b"MM"):
        return [data]
    if data[4:12] == b"ftypcrx ":
        return list(_cr3_blocks(data))
    at = data.find(b"Exif\0\0", 0, JPEG_SEARCH_BYTES)  # RAF, X3F, CRW: inside the camera's JPEG
    return [data[at : at + 65_536]] if at >= 0 else []


def _cr3_blocks(data: bytes) -> Iterator[bytes]:
    """Canon's CMT1 is the main directory; CMT2 is Exif but as the main directory of a TIFF of its own."""
    for name in (b"CMT2", b"CMT1"):
        at = data.find(name, 0, JPEG_SEARCH_BYTES)
        if at >= 4:
            yield data[at + 4 : at - 4 + struct.unpack_from(">I", data, at - 4)[0]]


def _captured_at(tags: Tags) -> datetime | None:
    """When the shutter opened; the file's own time when the camera says no more."""
    for tag, subseconds in ((Base.DateTimeOriginal, Base.SubsecTimeOriginal), (Base.DateTime, Base.SubsecTime)):
        found = _TIME.search(tags.text(tag) or "")
        with _tolerant():
            if found and int(found[1]) in _YEARS:
                year, month, day, hour, minute, second = map(int, found.groups())
                return datetime(year, month, day, hour, minute, second, _microseconds(tags, subseconds))
    return None


def _microseconds(tags: Tags, tag: Base) -> int:
    digits = re.sub(r"\D.*", "", tags.text(tag) or "")
    return int(Fraction(int(digits), 10 ** len(digits)) * 1_000_000) if digits else 0


def _offset_minutes(tags: Tags) -> int | None:
    found = _OFFSET.search(tags.text(Base.OffsetTimeOriginal) or tags.text(Base.OffsetTime) or "")
    if not found:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    return (-minutes if found[1] == "-" else minutes) if minutes <= 14 * 60 else None


def _libraw_time(capture: Capture | None) -> datetime | None:
    if capture is None or capture.timestamp is None or capture.timestamp.year <= 1971:
        return None
    return capture.timestamp.astimezone(UTC).replace(tzinfo=None) if capture.timestamp.tzinfo else capture.timestamp


def _positive(value: float | None) -> float | None:
    return value if value and value > 0 else None


_READING_ERRORS = (ArithmeticError, AttributeError, EOFError, LookupError, OSError, SyntaxError, TypeError, ValueError)


@contextlib.contextmanager
def _tolerant() -> Iterator[None]:
    """Exif is written by every kind of program: what cannot be read counts as not there."""
    with warnings.catch_warnings(), contextlib.suppress(*_READING_ERRORS, struct.error):
        warnings.simplefilter("ignore")
        yield
