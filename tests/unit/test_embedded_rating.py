"""The stars inside photographs of every kind, through the front door of the conversion."""

import io
import struct
from collections.abc import Callable

import pillow_heif
import pytest
from PIL import Image

from tests.desk import Desk
from tests.packets import billion_laughs, packet
from tests.pictures import Rgb, dng, exif_block, saved, scene
from workers.engines import embedded_rating, exif

RATING = 0x4746


def heic(pixels: Rgb, xmp: bytes) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(buffer, xmp=xmp)
    return buffer.getvalue()


def jxl(pixels: Rgb, xmp: bytes) -> bytes:
    import pillow_jxl

    assert pillow_jxl.__name__
    return saved(pixels, "JXL", xmp=xmp)


def png(pixels: Rgb, xmp: bytes) -> bytes:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return saved(pixels, "PNG", pnginfo=info)


def tiff(pixels: Rgb, xmp: bytes) -> bytes:
    return saved(pixels, "TIFF", tiffinfo={700: xmp})


def dng_with_xmp(pixels: Rgb, xmp: bytes) -> bytes:
    """As Lightroom writes it: the packet at the end of the file, named in the main directory."""
    data = bytearray(dng(pixels))
    at = struct.unpack_from("<I", data, 4)[0]
    (count,) = struct.unpack_from("<H", data, at)
    entries = bytes(data[at + 2 : at + 2 + 12 * count])
    tags = [entries[start : start + 12] for start in range(0, len(entries), 12)]
    data += b"\0" * (len(data) % 2)
    tags.append(struct.pack("<HHII", 700, 1, len(xmp), len(data)))
    data += xmp + b"\0" * (len(xmp) % 2)
    struct.pack_into("<I", data, 4, len(data))
    ordered = sorted(tags, key=lambda tag: struct.unpack_from("<H", tag)[0])
    return bytes(data + struct.pack("<H", len(ordered)) + b"".join(ordered) + b"\0\0\0\0")


def jpeg(pixels: Rgb, xmp: bytes) -> bytes:
    return saved(pixels, "JPEG", xmp=xmp)


def webp(pixels: Rgb, xmp: bytes) -> bytes:
    return saved(pixels, "WEBP", xmp=xmp)


def avif(pixels: Rgb, xmp: bytes) -> bytes:
    return saved(pixels, "AVIF", xmp=xmp)


EVERY_KIND = [jpeg, png, webp, tiff, heic, jxl, avif, dng_with_xmp]


@pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: kind.__name__)
def test_the_rating_in_a_photo_is_read(desk: Desk, kind: Callable[[Rgb, bytes], bytes]) -> None:
    pixels = scene(96, 64)
    assert desk.result("a.dng", kind(pixels, packet(4))).rating == 4
    assert desk.result("b.dng", kind(pixels, packet(0))).rating is None


def test_a_photo_rejected_elsewhere_says_so(desk: Desk) -> None:
    assert desk.result("a.jpg", jpeg(scene(), packet(-1))).rating == -1


@pytest.mark.parametrize("xmp", [b"", b"<x:xmpmeta", billion_laughs(), b"\xff\xfe\0", packet()[:-40]])
def test_a_packet_that_cannot_be_read_says_nothing_and_fails_nothing(desk: Desk, xmp: bytes) -> None:
    assert desk.result("a.jpg", jpeg(scene(), xmp)).rating is None


@pytest.mark.parametrize(("written", "meant"), [(3, 3), (0, None), (5, 5), (6, None), (99, None)])
def test_the_exif_rating_of_windows_stands_in_for_xmp(desk: Desk, written: int, meant: int | None) -> None:
    block = exif_block({RATING: written})
    assert desk.result("a.jpg", saved(scene(), "JPEG", exif=block)).rating == meant
    assert desk.result("b.jpg", saved(scene(), "JPEG", exif=block, xmp=packet(1))).rating == 1


@pytest.mark.parametrize("kind", [jpeg, heic])
def test_the_companion_speaks_for_a_raw_that_says_nothing(desk: Desk, kind: Callable[[Rgb, bytes], bytes]) -> None:
    beside = desk.write("a.JPG", kind(scene(240, 160), packet(2)))
    assert desk.result("a.DNG", dng(scene(240, 160)), beside).rating == 2
    assert desk.result("b.DNG", dng_with_xmp(scene(240, 160), packet(5)), beside).rating == 5


@pytest.mark.parametrize("beside", [b"not a picture", b"\xff\xd8\xff", b"\0\0\0\x18ftypheic broken"])
def test_a_broken_companion_says_nothing(desk: Desk, beside: bytes) -> None:
    companion = desk.write("a.JPG", beside)
    assert desk.result("a.DNG", dng(scene(240, 160)), companion).rating is None


def test_the_packet_of_a_cr3_is_found_in_its_box() -> None:
    xmp = packet(3)
    name = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
    box = struct.pack(">I", 8 + len(name) + len(xmp)) + b"uuid" + name + xmp
    cr3 = struct.pack(">I", 24) + b"ftypcrx " + b"\0" * 12 + b"moov" * 100 + box + b"sensor data" * 100
    assert embedded_rating.read(exif.Tags(), *embedded_rating.packets_of_raw(exif.Tags(), cr3)) == 3
    assert list(embedded_rating.packets_of_raw(exif.Tags(), cr3[: cr3.index(name)])) == []
