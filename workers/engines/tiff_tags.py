"""The tags of a TIFF container, read without decoding: which RAW it is, whether its picture data is all there.

Covers TIFF, BigTIFF and the RAW kinds built on them. Every offset comes from the file and is not trusted.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

Data = bytes | bytearray | memoryview
Tags = dict[int, tuple[int, ...]]

MOST_DIRECTORIES, MOST_ENTRIES, MOST_VALUES = 32, 1_000, 100_000
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262
STRIP_OFFSETS, SAMPLES, STRIP_COUNTS, PREDICTOR = 273, 277, 279, 317
EXTRA_SAMPLES = 338
TILE_OFFSETS, TILE_COUNTS, SUB_DIRECTORIES = 324, 325, 330
DNG_VERSION = 50706
SENSOR_PHOTOMETRICS = (32803, 34892)  # colour filter array, linear RAW
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 13: "I", 16: "Q", 17: "q", 18: "Q"}


@dataclass(frozen=True)
class _Layout:
    order: str
    count: str  # of entries in a directory
    entry: str
    offset: str


def directories(data: Data) -> Iterator[Tags]:
    """The integer tags of each directory, those under SubIFDs included; ends quietly where the file is broken."""
    layout = _layout(data)
    if layout is None:
        return
    first = 8 if layout.offset == "Q" else 4
    waiting, seen = [_unpack(layout, layout.offset, data, first)], set[int]()
    while waiting and len(seen) < MOST_DIRECTORIES:
        at = waiting.pop(0)
        if at in seen or not 0 < at < len(data):
            continue
        seen.add(at)
        tags, following = _directory(layout, data, at)
        waiting += [following, *tags.get(SUB_DIRECTORIES, ())]
        yield tags


def is_raw(data: Data) -> bool:
    """Whether the container holds sensor data rather than a picture."""
    return any(
        DNG_VERSION in tags or tags.get(PHOTOMETRIC, (0,))[0] in SENSOR_PHOTOMETRICS for tags in directories(data)
    )


def missing_bytes(data: Data) -> tuple[int, int]:
    """How many bytes of the container's largest picture lie past the end of the file, and its size in bytes."""
    pieces = max((_pieces(tags) for tags in directories(data)), key=_total, default=[])
    return sum(min(count, max(0, at + count - len(data))) for at, count in pieces), _total(pieces)


def _total(pieces: list[tuple[int, int]]) -> int:
    return sum(count for _, count in pieces)


def _pieces(tags: Tags) -> list[tuple[int, int]]:
    """Offset and length of each strip or tile."""
    for offsets, counts in ((STRIP_OFFSETS, STRIP_COUNTS), (TILE_OFFSETS, TILE_COUNTS)):
        if offsets in tags and counts in tags:
            return list(zip(tags[offsets], tags[counts], strict=False))
    return []


def _layout(data: Data) -> _Layout | None:
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None or len(data) < 16:
        return None
    if struct.unpack_from(order + "H", data, 2)[0] == 43:
        return _Layout(order, "Q", "HHQ8s", "Q")
    return _Layout(order, "H", "HHI4s", "I")


def _unpack(layout: _Layout, form: str, data: Data, at: int) -> int:
    value: int = struct.unpack_from(layout.order + form, data, at)[0]
    return value


def _directory(layout: _Layout, data: Data, at: int) -> tuple[Tags, int]:
    """The tags at `at` and the offset of the next directory, 0 for none."""
    tags: Tags = {}
    entry = struct.Struct(layout.order + layout.entry)
    try:
        count = min(_unpack(layout, layout.count, data, at), MOST_ENTRIES)
        at += struct.calcsize(layout.count)
        for tag, kind, length, inline in entry.iter_unpack(data[at : at + count * entry.size]):
            values = _values(layout, data, kind, length, inline)
            if values:
                tags[tag] = values
        return tags, _unpack(layout, layout.offset, data, at + count * entry.size)
    except struct.error:  # cut off or a wild offset
        return tags, 0


def _values(layout: _Layout, data: Data, kind: int, length: int, inline: bytes) -> tuple[int, ...]:
    code = _INTEGERS.get(kind)
    if code is None or not 0 < length <= MOST_VALUES:
        return ()
    form = f"{layout.order}{length}{code}"
    size = struct.calcsize(form)
    if size <= len(inline):
        return struct.unpack(form, inline[:size])
    at = _unpack(layout, layout.offset, inline, 0)
    return struct.unpack_from(form, data, at) if at + size <= len(data) else ()
