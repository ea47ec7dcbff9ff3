"""The stars that a camera or another program wrote into the photograph itself. Nothing here ever fails a photo."""

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator

import pillow_heif
from PIL import Image
from PIL.ExifTags import Base

from shared.errors import XmpBroken
from shared.xmp import rating_of
from workers.engines.exif import JPEG_SEARCH_BYTES, Tags

_CR3_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")  # names the box of the packet


def read(tags: Tags, *packets: bytes | None) -> int | None:
    """1-5, or -1 for rejected: the first XMP packet that says anything, else the Exif rating, which Windows writes."""
    for packet in filter(None, packets):
        with contextlib.suppress(XmpBroken):
            if (rating := rating_of(packet)) is not None:
                return rating
    stars = tags.number(Base.Rating)
    return int(stars) if stars in (1, 2, 3, 4, 5) else None


def packets_of_raw(tags: Tags, data: bytes) -> Iterator[bytes]:
    """The XMP packets in a RAW file: a tag of its main directory, or a box of CR3."""
    if packet := tags.blob(Base.XMLPacket):
        yield packet
    at = data.find(_CR3_XMP, 0, JPEG_SEARCH_BYTES) if data[4:12] == b"ftypcrx " else -1
    if at >= 8:
        (size,) = struct.unpack_from(">I", data, at - 8)
        yield data[at + len(_CR3_XMP) : at - 8 + size]


def of_companion(data: bytes) -> int | None:
    """What the JPEG or HEIC beside a RAW says. Its picture is not decoded."""
    with warnings.catch_warnings(), contextlib.suppress(*_NO_PICTURE):
        warnings.simplefilter("ignore")
        is_heif = data[4:8] == b"ftyp"
        info = (pillow_heif.open_heif(data) if is_heif else Image.open(io.BytesIO(data))).info
        return read(Tags(info.get("exif")), info.get("xmp"))
    return None


_NO_PICTURE = (OSError, ValueError, SyntaxError, EOFError, RuntimeError, LookupError, Image.DecompressionBombError)
