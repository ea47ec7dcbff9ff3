"""The size of a JPEG XL picture from its first bytes (ISO/IEC 18181-1, SizeHeader), and the XMP beside it."""

import struct
from collections.abc import Iterator

_CODESTREAM = b"\xff\x0a"
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIDE_BITS = (9, 13, 18, 30)


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height as coded, before any turn; None when the header cannot be found."""
    head = _codestream(data)
    if not head.startswith(_CODESTREAM) or len(head) < 16:
        return None
    bits = _Bits(head[2:])
    if bits.take(1):  # small: multiples of eight
        height = 8 * (bits.take(5) + 1)
        ratio = bits.take(3)
        return (_width(height, ratio) if ratio else 8 * (bits.take(5) + 1)), height
    height = bits.take(_SIDE_BITS[bits.take(2)]) + 1
    ratio = bits.take(3)
    return (_width(height, ratio) if ratio else bits.take(_SIDE_BITS[bits.take(2)]) + 1), height


def xmp(data: bytes) -> bytes | None:
    """The XMP packet, None where there is none or it is compressed."""
    if data.startswith(_CODESTREAM):
        return None
    return next((data[start:end] for kind, start, end in _boxes(data) if kind == b"xml "), None)


def _width(height: int, ratio: int) -> int:
    across, down = _RATIOS[ratio]
    return height * across // down


def _codestream(data: bytes) -> bytes:
    """The start of the codestream, out of its container if it has one."""
    if data.startswith(_CODESTREAM):
        return data[:32]
    for kind, start, _ in _boxes(data):
        if kind in (b"jxlc", b"jxlp"):
            begin = start + (4 if kind == b"jxlp" else 0)
            return data[begin : begin + 32]
    return b""


def _boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of what each box of the container holds."""
    at = 0
    while at + 16 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        start = 8
        if length == 1:
            length, start = struct.unpack_from(">Q", data, at + 8)[0], 16
        length = length or len(data) - at  # none: to the end of the file
        if length < start:
            break
        yield kind, at + start, at + length
        at += length


class _Bits:
    """Reads little-endian bits, as JPEG XL packs them."""

    def __init__(self, data: bytes) -> None:
        self._rest = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        value = self._rest & ((1 << count) - 1)
        self._rest >>= count
        return value
