import os
from pathlib import Path

import pytest

from shared import quick_hash, signatures
from shared.claims import claim_of
from shared.formats import COMPANION_EXTENSIONS, IMAGE_EXTENSIONS, RAW_EXTENSIONS, extension_of
from tests.pictures import saved, scene
from workers.domain import damage
from workers.domain.names import printable_name


@pytest.mark.parametrize(
    ("name", "extension"),
    [("IMG_1.CR2", "cr2"), ("a.b/c", ""), (".jpg", ""), (b"caf\xe9.NEF", "nef"), ("x.tar.jpeg", "jpeg"), ("x.", "")],
)
def test_an_extension_is_what_follows_the_last_dot_of_the_name(name: str | bytes, extension: str) -> None:
    assert extension_of(name) == extension


def test_raw_and_companion_extensions_are_image_extensions() -> None:
    assert RAW_EXTENSIONS < IMAGE_EXTENSIONS
    assert COMPANION_EXTENSIONS < IMAGE_EXTENSIONS - RAW_EXTENSIONS


@pytest.mark.parametrize(
    ("head", "extension", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "png", "JPEG"),
        (b"II*\0\x08\0\0\0", "tif", "TIFF"),
        (b"II*\0\x08\0\0\0", "nef", "RAW"),
        (b"II*\0\x10\0\0\0CR\x02\0", "jpg", "RAW"),
        (b"II+\0\x08\0\0\0", "tif", "TIFF"),
        (b"FUJIFILMCCD-RAW 0201", "raf", "RAW"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "cr3", "RAW"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "heic", "AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "jpg", "HEIF"),
        (b"RIFF\x24\0\0\0WEBPVP8 ", "jpg", "WEBP"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "webp", None),
        (b"\xff\x0a\xfa\x1f", "jxl", "JXL"),
        (b"<!DOCTYPE html>", "jpg", None),
        (b"whatever a maker chose", "mos", "RAW"),
        (b"", "jpg", None),
    ],
)
def test_content_goes_before_the_extension(head: bytes, extension: str, kind: str | None) -> None:
    assert signatures.sniff(head, extension) == kind


def test_a_name_in_a_sentence_is_printable_whatever_its_bytes() -> None:
    claim = claim_of(os.fsdecode(b"/photos/\xe9 \n<b>\xe2\x80\xaegpj.exe.jpg"))

    assert printable_name(claim) == "\ufffd \\n<b>\\u202egpj.exe.jpg"


def test_the_quick_hash_of_a_file_is_that_of_its_two_ends(tmp_path: Path) -> None:
    data = os.urandom(300_000)
    (tmp_path / "a").write_bytes(data)
    with open(tmp_path / "a", "rb") as file:
        assert quick_hash.of_file(file.fileno()) == quick_hash.of_bytes(data[:65_536], data[-65_536:], len(data))


def test_the_quick_hash_tells_sizes_apart_that_share_both_ends() -> None:
    zeros = bytes(65_536)

    assert quick_hash.of_bytes(zeros, zeros, 200_000) != quick_hash.of_bytes(zeros, zeros, 200_001)


def test_zeros_after_the_end_of_a_jpeg_are_padding() -> None:
    whole = saved(scene(), "JPEG")

    assert not damage.has_zero_tail(whole + bytes(10_000))
    assert damage.has_zero_tail(whole[: len(whole) // 2] + bytes(10_000))


def test_the_table_of_formats_names_every_extension_once() -> None:
    table = (Path(__file__).parents[2] / "docs" / "formats.md").read_text()
    first = next(part for part in table.split("\n\n") if part.startswith("| extension"))
    rows = [line.split("|")[1] for line in first.splitlines()[2:]]
    named = [extension.strip() for row in rows for extension in row.split(",")]

    assert sorted(named) == sorted(IMAGE_EXTENSIONS)
