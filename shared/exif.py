"""The little of Exif that an exported picture needs: who made it, whose it is, and which way is up."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_ORIENTATION, _ARTIST, _COPYRIGHT, _EXIF_FOLDER, _COLOUR_SPACE = 0x0112, 0x013B, 0x8298, 0x8769, 0xA001
_ASCII, _SHORT, _LONG = 2, 3, 4
_MOST_ENTRIES = 1_000
_MOST_BYTES = 2_000  # of one text
_SRGB = 1


@dataclass(frozen=True)
class Tags:
    """Texts as their bytes are in the file. `colour_space` 1 is sRGB, None says nothing."""

    artist: bytes | None = None
    copyright: bytes | None = None
    orientation: int = 1
    colour_space: int | None = None

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
    entries: list[tuple[int, int, bytes]] = []
    if tags.orientation != 1:
        entries.append((_ORIENTATION, _SHORT, struct.pack("<H", tags.orientation)))
    for tag, value in ((_ARTIST, tags.artist), (_COPYRIGHT, tags.copyright)):
        if value:
            entries.append((tag, _ASCII, value + b"\0"))
    if not entries:
        return b""
    rows, values = b"", b""
    values_at = 8 + 2 + 12 * len(entries) + 4
    for tag, kind, value in entries:
        count = 1 if kind == _SHORT else len(value)
        if len(value) <= 4:
            place = value.ljust(4, b"\0")
        else:
            place = struct.pack("<I", values_at + len(values))
            values += value + b"\0" * (len(value) % 2)
        rows += struct.pack("<HHI", tag, kind, count) + place
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + rows + struct.pack("<I", 0) + values


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
    )


def _entries(tiff: bytes, order: str, at: int) -> Iterator[tuple[int, int | bytes]]:
    """Tag and value of the texts and single numbers of one folder of tags."""
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


def _text(value: int | bytes | None) -> bytes | None:
    return value.partition(b"\0")[0].strip() or None if isinstance(value, bytes) else None
