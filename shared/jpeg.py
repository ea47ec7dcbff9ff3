"""A JPEG as it is given away: the same pixels, its colour profile, who made it, and nothing else. No place unless asked
for, no serial number, no picture behind the picture."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from shared import exif

CROPPED_PIXELS = 64  # a camera's own JPEG leaves out some columns at the edges of the sensor

_EXIF, _ICC, _ADOBE = b"Exif\0\0", b"ICC_PROFILE\0", b"Adobe"
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14, _COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # the segments that begin with the size of the picture
_USUAL = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive
_MOST_IN_A_SEGMENT = 65_533


class NotAJpeg(ValueError):
    """These bytes are no JPEG that can be followed from its beginning to its end."""


@dataclass(frozen=True)
class Picture:
    data: bytes
    width: int  # as shown, the orientation applied
    height: int


@dataclass(frozen=True)
class _Segment:
    marker: int
    body: bytes


def for_giving_away(
    data: bytes,
    credit: exif.Tags,
    srgb: Iterator[bytes] | tuple[bytes, ...] = (),
    orientation: int | None = None,
    *,
    with_place: bool = False,
) -> Picture:
    """The picture without what its Exif, XMP and IPTC say, but for the orientation and the credit. `credit` fills in
    what the picture itself does not name. `srgb`: profile segments for a picture that has none and may be sRGB.
    `orientation`: which way is up, where that is known better than from the picture. `with_place`: say where it was.

    Raises NotAJpeg.
    """
    head, scans = _parts(data)
    own = _tags(head)
    tags = replace(own, artist=own.artist or credit.artist, copyright=own.copyright or credit.copyright)
    place = (own.place or credit.place) if with_place else None
    tags = replace(tags, orientation=orientation or own.orientation, place=place)
    profile = _profile(head) or (tuple(srgb) if own.may_be_srgb else ())
    kept = [one for one in head if not _says_too_much(one)]
    leading = [one for one in kept if one.marker == _APP0]
    written = exif.write(tags)
    added = [_Segment(_APP1, _EXIF + written)] if written else []
    added += [_Segment(_APP2, body) for body in profile]
    rest = [one for one in kept if one.marker != _APP0]
    width, height = _size(head)
    if tags.orientation >= 5:
        width, height = height, width
    return Picture(b"\xff\xd8" + b"".join(map(_bytes, [*leading, *added, *rest])) + scans, width, height)


def profile_of(data: bytes) -> tuple[bytes, ...]:
    """The colour profile of a JPEG, as the bodies of its segments. Raises NotAJpeg."""
    return _profile(_parts(data)[0])


def profile_segments(profile: bytes) -> tuple[bytes, ...]:
    """A short colour profile as the body of its one segment."""
    return (_ICC + b"\x01\x01" + profile,)


def is_srgb(data: bytes, is_srgb_profile: Callable[[bytes], bool]) -> bool:
    """Whether every program shows it right as it is: 8 bits of grey or colour, in sRGB as far as it says."""
    head = [one for one in _segments(data) if isinstance(one, _Segment)]
    frame = next((one for one in head if one.marker in _SIZES), None)
    if frame is None or frame.marker not in _USUAL or len(frame.body) < 6 or frame.body[0] != 8:
        return False
    profile = b"".join(body[len(_ICC) + 2 :] for body in sorted(_profile(head)))
    if profile:
        return frame.body[5] == 3 and is_srgb_profile(profile)
    return frame.body[5] in (1, 3) and _tags(head).may_be_srgb


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height as stored. Raises NotAJpeg."""
    return _size([one for one in _segments(data) if isinstance(one, _Segment)])


def tags_of(head: bytes) -> exif.Tags:
    """What the beginning of a photo's file says: of a JPEG, or of a RAW that is a TIFF inside."""
    if head[:2] != b"\xff\xd8":
        return exif.read(head)
    return _tags([one for one in _segments(head) if isinstance(one, _Segment)])


def _parts(data: bytes) -> tuple[list[_Segment], bytes]:
    """The segments before the first scan, and all from there to the end of the picture."""
    if data[:2] != b"\xff\xd8":
        raise NotAJpeg("it does not begin as one")
    head: list[_Segment] = []
    for one in _segments(data):
        if isinstance(one, int):
            return head, data[one : _end(data, one)]
        head.append(one)
    raise NotAJpeg("it breaks off")


def _segments(data: bytes) -> Iterator[_Segment | int]:
    """Those before the first scan, then where that begins."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        if marker == _SOS:
            yield at
            return
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2 or at + 2 + length > len(data):
            return
        yield _Segment(marker, data[at + 4 : at + 2 + length])
        at += 2 + length


def _end(data: bytes, at: int) -> int:
    """Behind the end of the picture; cameras put others there."""
    while (at := data.find(b"\xff", at)) != -1 and at + 1 < len(data):
        marker = data[at + 1]
        if marker == _EOI:
            return at + 2
        if marker == 0xFF:
            at += 1
        elif marker == 0 or 0xD0 <= marker <= 0xD7:  # picture data
            at += 2
        elif at + 4 <= len(data):
            at += 2 + max(2, int(struct.unpack_from(">H", data, at + 2)[0]))
        else:
            break
    raise NotAJpeg("its end is missing")


def _tags(head: list[_Segment]) -> exif.Tags:
    blocks = (one.body for one in head if one.marker == _APP1 and one.body.startswith(_EXIF))
    return exif.read(next(blocks, b"")[len(_EXIF) :])


def _profile(head: list[_Segment]) -> tuple[bytes, ...]:
    return tuple(one.body for one in head if one.marker == _APP2 and one.body.startswith(_ICC))


def _says_too_much(one: _Segment) -> bool:
    """All that is no part of the picture. Adobe's segment says how colours are coded; the profile is put back."""
    if one.marker == _COMMENT:
        return True
    if one.marker == _APP14:
        return not one.body.startswith(_ADOBE)
    return _APP0 < one.marker <= 0xEF or (one.marker == _APP0 and not one.body.startswith(b"JFIF\0"))


def _size(head: list[_Segment]) -> tuple[int, int]:
    frame = next((one.body for one in head if one.marker in _SIZES and len(one.body) >= 5), None)
    if frame is None:
        raise NotAJpeg("it does not say its size")
    height, width = struct.unpack_from(">HH", frame, 1)
    return width, height


def _bytes(one: _Segment) -> bytes:
    assert len(one.body) <= _MOST_IN_A_SEGMENT
    return bytes([0xFF, one.marker]) + struct.pack(">H", len(one.body) + 2) + one.body
