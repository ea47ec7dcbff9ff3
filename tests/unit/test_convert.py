"""Pictures that are not RAW, through the front door of the conversion, without the child around it."""

import io
import os
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import IFDRational

from shared.errors import CorruptFile, FileVanished, OutsideRoots, Reject, RootOffline, TooLarge, UnsupportedFile
from tests.desk import Desk
from tests.pictures import exif_block, saved, scene
from workers.engines.conversion import convert_file

Rgb = np.ndarray


def assert_looks_like(shown: Rgb, wanted: Rgb, tolerance: float = 4) -> None:
    wanted = cv2.resize(wanted, shown.shape[1::-1], interpolation=cv2.INTER_AREA)
    assert shown.shape == wanted.shape
    assert (
        np.abs(cv2.blur(shown.astype(np.float32), (5, 5)) - cv2.blur(wanted.astype(np.float32), (5, 5))).mean()
        < tolerance
    )


def test_a_jpeg_gets_a_preview_a_thumbnail_and_a_placeholder(desk: Desk) -> None:
    pixels = scene(3000, 2000)
    result = desk.result("a.jpg", saved(pixels, "JPEG", quality=90))

    assert (result.width, result.height, result.format, result.source) == (3000, 2000, "JPEG", "original")
    assert (result.preview_width, result.preview_height) == (1440, 960)
    assert_looks_like(desk.preview(result), pixels)
    with desk.claims.open(result.thumbnail) as file:
        assert Image.open(file).size == (400, 267)
    assert len(result.placeholder) < 1_500
    assert result.damage is None


def test_a_small_picture_is_not_enlarged(desk: Desk) -> None:
    result = desk.result("a.png", saved(scene(90, 60), "PNG"))

    assert (result.preview_width, result.preview_height) == (90, 60)


def test_every_derived_jpeg_carries_an_srgb_profile(desk: Desk) -> None:
    result = desk.result("a.jpg", saved(scene(), "JPEG"))

    for claim in (result.preview, result.thumbnail):
        with desk.claims.open(claim) as file:
            profile = ImageCms.ImageCmsProfile(io.BytesIO(Image.open(file).info["icc_profile"]))
        assert "sRGB" in profile.profile.profile_description


def test_converting_twice_changes_nothing(desk: Desk) -> None:
    first = desk.result("a.jpg", saved(scene(), "JPEG"))
    files = {path: path.read_bytes() for path in desk.settings.claims_folder.rglob("*.jpg")}
    shutil.rmtree(desk.settings.claims_folder)
    second = desk.result("a.jpg", saved(scene(), "JPEG"))

    assert second == first.model_copy(update={"mtime_ns": second.mtime_ns})
    assert {path: path.read_bytes() for path in desk.settings.claims_folder.rglob("*.jpg")} == files


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(desk: Desk, orientation: int) -> None:
    upright = scene(600, 400)
    turns: dict[int, Callable[[Rgb], Rgb]] = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
        8: lambda a: np.rot90(a, -1),
    }
    stored = np.ascontiguousarray(turns[orientation](upright))
    result = desk.result("a.jpg", saved(stored, "JPEG", exif=exif_block({0x0112: orientation}), quality=92))

    assert (result.width, result.height) == (600, 400)
    assert_looks_like(desk.preview(result), upright)


def as_16_bit(pixels: Rgb) -> bytes:
    return cv2.imencode(".tif", pixels[:, :, ::-1].astype(np.uint16) * 257)[1].tobytes()


def as_float(pixels: Rgb) -> bytes:
    return cv2.imencode(".tif", (pixels[:, :, ::-1] / 255).astype(np.float32))[1].tobytes()


def as_heic(pixels: Rgb) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(buffer, quality=90)
    return buffer.getvalue()


def as_jxl(pixels: Rgb) -> bytes:
    import pillow_jxl  # noqa: F401  # registers the format

    return saved(pixels, "JXL", quality=95)


@pytest.mark.parametrize(
    ("name", "kind", "encode"),
    [
        ("a.png", "PNG", lambda p: saved(p, "PNG")),
        ("a.webp", "WEBP", lambda p: saved(p, "WEBP", quality=95)),
        ("a.bmp", "BMP", lambda p: saved(p, "BMP")),
        ("a.tif", "TIFF", lambda p: saved(p, "TIFF", compression="tiff_lzw")),
        ("16-bit.tif", "TIFF", as_16_bit),
        ("float.tif", "TIFF", as_float),
        ("a.avif", "AVIF", lambda p: saved(p, "AVIF", quality=90)),
        ("a.heic", "HEIF", as_heic),
        ("a.jxl", "JXL", as_jxl),
        ("really-a-png.jpg", "PNG", lambda p: saved(p, "PNG")),
    ],
)
def test_formats_look_like_what_was_saved(desk: Desk, name: str, kind: str, encode: Callable[[Rgb], bytes]) -> None:
    result = desk.result(name, encode(scene()))

    assert (result.format, result.width, result.height, result.damage) == (kind, 300, 200, None)
    assert_looks_like(desk.preview(result), scene())


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "RGBA", "I;16"])
def test_other_kinds_of_pixels_look_right(desk: Desk, mode: str) -> None:
    image = Image.fromarray(scene())
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)
    else:
        image = image.convert(mode)
    wanted = np.asarray(
        Image.fromarray(scene()) if mode in ("P", "RGBA") else Image.fromarray(scene()).convert("L").convert("RGB")
    )
    shown = desk.preview(desk.result("a.png", saved(image, "PNG")))

    assert abs(shown.mean() - wanted.mean()) < 6
    if mode != "1":
        assert_looks_like(shown, wanted, 8)


def test_transparent_parts_are_shown_as_on_white_paper(desk: Desk) -> None:
    pixels = np.dstack([scene(), np.full((200, 300), 255, np.uint8)])
    pixels[:, 150:, 3] = 0
    shown = desk.preview(desk.result("a.png", saved(pixels, "PNG")))

    assert shown[:, 160:].mean() > 252
    assert_looks_like(shown[:, :140], scene()[:, :140])


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_without_a_profile_looks_like_the_colours_it_was_made_from(desk: Desk, kind: str) -> None:
    cmyk = Image.fromarray(scene()).convert("CMYK")
    options = {"quality": 95} if kind == "JPEG" else {}

    assert_looks_like(desk.preview(desk.result("a.x", saved(cmyk, kind, **options))), scene())


def test_cmyk_with_a_broken_profile_is_still_shown(desk: Desk) -> None:
    cmyk = Image.fromarray(scene()).convert("CMYK")

    assert_looks_like(desk.preview(desk.result("a.tif", saved(cmyk, "TIFF", icc_profile=b"x" * 300))), scene())


def test_dark_12_bit_data_in_a_16_bit_file_is_not_shown_black(desk: Desk) -> None:
    dim = scene().astype(np.uint16)[:, :, ::-1] * 12
    shown = desk.preview(desk.result("a.tif", cv2.imencode(".tif", dim)[1].tobytes()))

    assert 60 < shown.mean() < 200


def test_a_wide_gamut_profile_is_converted(desk: Desk) -> None:
    """Swapped primaries are a profile that cannot be overlooked: red and green change places."""
    swapped = ImageCms.createProfile("sRGB")
    profile = bytearray(ImageCms.ImageCmsProfile(swapped).tobytes())
    profile = profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")
    profile = profile.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    shown = desk.preview(desk.result("a.jpg", saved(scene(), "JPEG", quality=95, icc_profile=bytes(profile))))

    assert_looks_like(shown, scene()[:, :, [1, 0, 2]], 6)


def test_exif_can_say_adobe_rgb_without_a_profile(desk: Desk) -> None:
    block = Image.Exif()
    block.get_ifd(0x8769)[0xA001] = 65_535
    block.get_ifd(0x8769)[0xA005] = {1: "R03"}
    green = np.full((60, 60, 3), (100, 180, 100), np.uint8)
    plain = desk.preview(desk.result("a.jpg", saved(green, "JPEG", quality=95)))
    adobe = desk.preview(desk.result("b.jpg", saved(green, "JPEG", quality=95, exif=block.tobytes())))

    assert adobe[30, 30, 0] < plain[30, 30, 0] - 40  # the same numbers mean a greener green
    assert abs(adobe[30, 30, 1] - plain[30, 30, 1]) < 6


def test_a_broken_profile_is_left_aside(desk: Desk) -> None:
    shown = desk.preview(desk.result("a.jpg", saved(scene(), "JPEG", quality=95, icc_profile=b"x" * 300)))

    assert_looks_like(shown, scene())


def test_exif_is_read_with_sub_seconds_and_time_zone(desk: Desk) -> None:
    exif = {
        0x9003: "2024:06:30 23:59:58",
        0x9291: "125",
        0x9011: "-07:30",
        0xA434: "EF 50mm",
        0x920A: 50.0,
        0x829D: 1.8,
        0x829A: 0.004,
        0x8827: 640,
        0x9204: -0.33,
    }
    main = {0x010F: "Canon\0", 0x0110: "EOS R5", 0x0132: "2025:01:01 00:00:00"}
    data = saved(
        scene(),
        "JPEG",
        exif=exif_block(main, exif, {1: "N", 2: (1.0, 2.0, 3.0), 4: (1.0, 2.0, 3.0)}),
    )
    found = desk.result("a.jpg", data).exif

    assert found.captured_at == datetime(2024, 6, 30, 23, 59, 58, 125_000)
    assert (found.utc_offset_minutes, found.camera_make, found.camera_model, found.lens) == (
        -450,
        "Canon",
        "EOS R5",
        "EF 50mm",
    )
    assert (found.focal_length_mm, found.aperture, found.iso, found.has_gps) == (50, 1.8, 640, True)
    assert found.shutter_seconds == pytest.approx(0.004)
    assert found.exposure_bias_ev == pytest.approx(-0.33)


@pytest.mark.parametrize(("written", "metres"), [((12, 10), 1.2), ((0, 1), None), ((0xFFFFFFFF, 1), None)])
def test_a_focus_distance_is_read_unless_it_is_unknown_or_infinite(
    desk: Desk, written: tuple[int, int], metres: float | None
) -> None:
    data = saved(scene(), "JPEG", exif=exif_block({}, {0x9206: IFDRational(*written)}))

    assert desk.result("a.jpg", data).exif.focus_distance_m == pytest.approx(metres)


def test_the_time_of_the_file_stands_in_for_the_time_of_the_shutter(desk: Desk) -> None:
    data = saved(scene(), "JPEG", exif=exif_block({0x0132: "2020:02:03 04:05:06"}, {0x9003: "0000:00:00 00:00:00"}))

    assert desk.result("a.jpg", data).exif.captured_at == datetime(2020, 2, 3, 4, 5, 6)


def test_broken_exif_never_fails_a_photo(desk: Desk) -> None:
    block = exif_block({0x0112: 1}, {0x9003: "2024:06:30 23:59:58"})
    torn = block[:20] + b"\xff" * (len(block) - 20)

    assert desk.result("a.jpg", saved(scene(), "JPEG", exif=torn)).exif.captured_at is None


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_cut_off_jpeg_is_shown_and_called_damaged(desk: Desk, share: float) -> None:
    whole = saved(scene(900, 600), "JPEG", quality=95)
    result = desk.result("a.jpg", whole[: int(len(whole) * share)])

    assert result.damage is not None
    assert "missing" in result.damage
    assert result.preview_width == 900


def test_a_zero_filled_tail_is_noticed_although_decoders_accept_it(desk: Desk) -> None:
    whole = saved(scene(900, 600), "JPEG", quality=95)
    result = desk.result("a.jpg", whole[: len(whole) // 2] + bytes(len(whole) // 2))

    assert result.damage is not None


def test_bit_rot_is_noticed(desk: Desk) -> None:
    rotten = bytearray(saved(scene(900, 600), "JPEG", quality=95))
    rotten[len(rotten) // 3 : len(rotten) // 3 + 40] = b"\xff\xd0" * 20

    assert desk.result("a.jpg", bytes(rotten)).damage is not None


def test_a_cut_off_png_and_tiff_are_shown_and_called_damaged(desk: Desk) -> None:
    for name, kind in (("a.png", "PNG"), ("a.tif", "TIFF")):
        whole = saved(scene(900, 600), kind)
        assert desk.result(name, whole[: len(whole) * 3 // 4]).damage is not None


def test_a_jpeg_of_which_nothing_is_left_is_corrupt(desk: Desk) -> None:
    whole = saved(scene(900, 600), "JPEG")

    with pytest.raises(CorruptFile, match=r"^a\.jpg is broken"):
        desk.result("a.jpg", whole[:640])


def test_an_empty_file_is_corrupt(desk: Desk) -> None:
    with pytest.raises(CorruptFile, match=r"a\.jpg is empty"):
        desk.result("a.jpg", b"")


def test_a_web_page_under_the_name_of_a_photo_is_unsupported(desk: Desk) -> None:
    with pytest.raises(UnsupportedFile, match=r"a\.jpg is not a photograph .* web page"):
        desk.result("a.jpg", b"<html><body>404</body></html>")


def test_too_many_megapixels_are_refused_before_decoding(desk: Desk) -> None:
    bomb = saved(Image.new("1", (30_000, 30_000)), "PNG")

    with pytest.raises(TooLarge, match=r"bomb\.png has 900 megapixels, over the limit of 250"):
        desk.result("bomb.png", bomb)


def test_a_large_jxl_is_refused_from_its_header(desk: Desk) -> None:
    desk.settings = desk.settings.model_copy(update={"max_megapixels": 0})

    with pytest.raises(TooLarge):
        desk.result("a.jxl", as_jxl(scene()))


@pytest.mark.parametrize(
    "name",
    [
        b"a b#?%.jpg",
        "żółć.jpg".encode(),
        b"new\nline.jpg",
        "\u202egpj.jpg".encode(),
        b"<img src=x>.jpg",
        b"\xff\xfe.jpg",
    ],
)
def test_any_file_name_works(desk: Desk, name: bytes) -> None:
    assert desk.result(name, saved(scene(), "JPEG")).format == "JPEG"


def test_a_file_that_is_gone_has_vanished(desk: Desk) -> None:
    desk.write("other.jpg", b"x")

    with pytest.raises(FileVanished, match=r"gone\.jpg is not there any more"):
        convert_file(desk.request(desk.root / "gone.jpg"), desk.settings, desk.claims)


@pytest.mark.parametrize("is_empty", [True, False], ids=["empty folder in its place", "root missing"])
def test_a_drive_that_is_away_holds_its_photos(desk: Desk, is_empty: bool) -> None:
    request = desk.request(desk.write("a.jpg", saved(scene(), "JPEG")))
    shutil.rmtree(desk.root)
    if is_empty:
        desk.root.mkdir()

    with pytest.raises(RootOffline, match="photos is not connected") as held:
        convert_file(request, desk.settings, desk.claims)
    assert held.value.key == "root:1"


def test_a_pipe_is_refused_and_never_waited_for(desk: Desk) -> None:
    os.mkfifo(desk.root / "a.jpg")

    with pytest.raises(Reject, match="not a file"):
        convert_file(desk.request(desk.root / "a.jpg"), desk.settings, desk.claims)


def test_a_link_out_of_the_roots_is_not_followed(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(saved(scene(), "JPEG"))
    (desk.root / "a.jpg").symlink_to(tmp_path / "secret.jpg")

    with pytest.raises(OutsideRoots):
        convert_file(desk.request(desk.root / "a.jpg"), desk.settings, desk.claims)
