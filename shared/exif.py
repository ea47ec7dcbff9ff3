"""The little of Exif that an exported picture needs: who made it, whose it is, which way is up, and where it was."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_ORIENTATION, _ARTIST, _COPYRIGHT, _COLOUR_SPACE = 0x0112, 0x013B, 0x8298, 0xA001
_EXIF_FOLDER, _GPS_FOLDER = 0x8769, 0x8825
_GPS_VERSION, _LATITUDE_REF, _LATITUDE, _LONGITUDE_REF, _LONGITUDE = range(5)
_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL = 1, 2, 3, 4, 5
_MOST_ENTRIES = 1_000
_MOST_BYTES = 2_000  # of one text
_SRGB = 1


Value = int | bytes | tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Where on earth: north or south, east or west, and degrees, minutes and seconds as numerators and denominators."""

    latitude_ref: bytes
    latitude: tuple[int, ...]
    longitude_ref: bytes
    longitude: tuple[int, ...]


@dataclass(frozen=True)
class Tags:
    """Texts as their bytes are in the file. `colour_space` 1 is sRGB, None says nothing."""

    artist: bytes | None = None
    copyright: bytes | None = None
    orientation: int = 1
    colour_space: int | None = None
    place: Place | None = None

    @property
    def may_be_srgb(self) -> bool:
        return self.colour_space in (None, _SRGB)


def read(tiff: bytes) -> Tags:
    """The tags of an Exif block, or of the head of a RAW that is a TIFF inside. What cannot be read is left out."""
    try:
        return _read(tiff)
    except struct.error:
        return Tags()


def write(tags: Tags) -> bytes:
    """An Exif block, little-endian, with what is known; b"" when that is nothing."""
    entries: list[_Entry] = []
    if tags.orientation != 1:
        entries.append((_ORIENTATION, _SHORT, 1, struct.pack("<H", tags.orientation)))
    for tag, value in ((_ARTIST, tags.artist), (_COPYRIGHT, tags.copyright)):
        if value:
            entries.append((tag, _ASCII, len(value) + 1, value + b"\0"))
    if tags.place is None:
        return b"II*\0" + struct.pack("<I", 8) + _folder(entries, 8) if entries else b""
    pointer = (_GPS_FOLDER, _LONG, 1, struct.pack("<I", 0))
    behind = 8 + len(_folder([*entries, pointer], 8))
    pointer = (_GPS_FOLDER, _LONG, 1, struct.pack("<I", behind))
    return b"II*\0" + struct.pack("<I", 8) + _folder([*entries, pointer], 8) + _folder(_gps(tags.place), behind)


_Entry = tuple[int, int, int, bytes]  # tag, kind, how many, the value


def _folder(entries: list[_Entry], at: int) -> bytes:
    """A folder of tags that begins at this byte, with the values behind it."""
    rows, values = b"", b""
    values_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, count, value in entries:
        if len(value) <= 4:
            place = value.ljust(4, b"\0")
        else:
            place = struct.pack("<I", values_at + len(values))
            values += value + b"\0" * (len(value) % 2)
        rows += struct.pack("<HHI", tag, kind, count) + place
    return struct.pack("<H", len(entries)) + rows + struct.pack("<I", 0) + values


def _gps(place: Place) -> list[_Entry]:
    return [
        (_GPS_VERSION, _BYTE, 4, b"\2\3\0\0"),
        (_LATITUDE_REF, _ASCII, 2, place.latitude_ref + b"\0"),
        (_LATITUDE, _RATIONAL, 3, struct.pack("<6I", *place.latitude)),
        (_LONGITUDE_REF, _ASCII, 2, place.longitude_ref + b"\0"),
        (_LONGITUDE, _RATIONAL, 3, struct.pack("<6I", *place.longitude)),
    ]


def _read(tiff: bytes) -> Tags:
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return Tags()
    (first,) = struct.unpack_from(f"{order}I", tiff, 4)
    found = dict(_entries(tiff, order, first))
    inner = found.get(_EXIF_FOLDER)
    below = dict(_entries(tiff, order, inner)) if isinstance(inner, int) else {}
    orientation, space = found.get(_ORIENTATION), below.get(_COLOUR_SPACE)
    return Tags(
        artist=_text(found.get(_ARTIST)),
        copyright=_text(found.get(_COPYRIGHT)),
        orientation=orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        colour_space=space if isinstance(space, int) else None,
        place=_place(tiff, order, found.get(_GPS_FOLDER)),
    )


def _place(tiff: bytes, order: str, folder: Value | None) -> Place | None:
    if not isinstance(folder, int):
        return None
    try:
        said = dict(_entries(tiff, order, folder))
    except struct.error:
        return None
    latitude, longitude = said.get(_LATITUDE), said.get(_LONGITUDE)
    north, east = _text(said.get(_LATITUDE_REF)), _text(said.get(_LONGITUDE_REF))
    if north not in (b"N", b"S") or east not in (b"E", b"W"):
        return None
    if not isinstance(latitude, tuple) or not isinstance(longitude, tuple):
        return None
    return Place(north, latitude, east, longitude)


def _entries(tiff: bytes, order: str, at: int) -> Iterator[tuple[int, Value]]:
    """Tag and value of the texts, single numbers and three fractions of one folder of tags."""
    (count,) = struct.unpack_from(f"{order}H", tiff, at)
    for n in range(min(count, _MOST_ENTRIES)):
        place = at + 2 + 12 * n
        tag, kind, length = struct.unpack_from(f"{order}HHI", tiff, place)
        if kind == _ASCII and length <= _MOST_BYTES:
            (far,) = struct.unpack_from(f"{order}I", tiff, place + 8)
            start = place + 8 if length <= 4 else far
            yield tag, tiff[start : start + length]
        elif kind in (_SHORT, _LONG) and length == 1:
            yield tag, struct.unpack_from(f"{order}{'H' if kind == _SHORT else 'I'}", tiff, place + 8)[0]
        elif kind == _RATIONAL and length == 3:
            (far,) = struct.unpack_from(f"{order}I", tiff, place + 8)
            yield tag, struct.unpack_from(f"{order}6I", tiff, far)


def _text(value: Value | None) -> bytes | None:
    return value.partition(b"\0")[0].strip() or None if isinstance(value, bytes) else None
