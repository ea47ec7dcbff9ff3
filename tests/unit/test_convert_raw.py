"""RAW files through the front door of the conversion; DNGs are generated, with previews where cameras put them."""

import cv2
import numpy as np
import pytest

from shared.errors import CorruptFile, Reject, UnsupportedFile
from tests.desk import Desk
from tests.pictures import dng, exif_block, saved, scene, with_preview
from workers.engines import tiff_tags


def difference(shown: np.ndarray, wanted: np.ndarray) -> float:
    wanted = cv2.resize(wanted, shown.shape[1::-1], interpolation=cv2.INTER_AREA).astype(float)
    return float(np.abs(cv2.blur(shown.astype(float), (9, 9)) - cv2.blur(wanted, (9, 9))).mean())


def test_a_raw_without_a_preview_is_developed_with_the_cameras_white_balance(desk: Desk) -> None:
    pixels = scene(1600, 1000)
    result = desk.result("a.DNG", dng(pixels))
    shown = desk.preview(result)

    assert (result.source, result.format, result.width, result.height) == ("demosaic", "DNG", 1600, 1000)
    red, green, blue = shown.mean(axis=(0, 1)) / pixels.mean(axis=(0, 1))
    assert green / red == pytest.approx(1, abs=0.08)
    assert green / blue == pytest.approx(1, abs=0.08)


def test_a_large_preview_of_the_camera_is_preferred(desk: Desk) -> None:
    rendered = scene(1600, 1000, seed=5)  # another picture than the sensor's, to tell which was used
    result = desk.result("a.dng", with_preview(dng(scene(1600, 1000)), saved(rendered, "JPEG", quality=92)))

    assert result.source == "embedded"
    assert difference(desk.preview(result), rendered) < 5


def test_a_small_preview_of_the_camera_is_not_enough(desk: Desk) -> None:
    thumbnail = saved(scene(320, 200), "JPEG")

    assert desk.result("a.dng", with_preview(dng(scene(1600, 1000)), thumbnail)).source == "demosaic"


def test_demosaic_can_be_asked_for(desk: Desk) -> None:
    raw = with_preview(dng(scene(1600, 1000)), saved(scene(1600, 1000), "JPEG"))
    embedded = desk.result("a.dng", raw)
    desk.settings = desk.settings.model_copy(update={"raw_render": "demosaic"})
    developed = desk.result("a.dng", raw)

    assert (embedded.source, developed.source) == ("embedded", "demosaic")
    assert embedded.preview != developed.preview


def test_the_companion_beside_a_raw_gives_its_look(desk: Desk) -> None:
    look = scene(1600, 1000, seed=9)
    companion = desk.write("a.jpg", saved(look, "JPEG", quality=92))
    result = desk.result("a.dng", dng(scene(1600, 1000)), companion)

    assert result.source == "companion"
    assert difference(desk.preview(result), look) < 5


def test_a_companion_that_is_gone_or_broken_is_done_without(desk: Desk) -> None:
    for companion in (desk.root / "gone.jpg", desk.write("b.jpg", b"no picture")):
        assert desk.result("a.dng", dng(scene(1600, 1000)), companion).source == "demosaic"


def test_another_companion_makes_another_preview(desk: Desk) -> None:
    raw = dng(scene(1600, 1000))
    claims = {
        desk.result("a.dng", raw, desk.write("a.jpg", saved(scene(1600, 1000, seed=seed), "JPEG"))).preview
        for seed in (2, 3)
    }

    assert len(claims) == 2


def test_a_turned_raw_comes_out_upright(desk: Desk) -> None:
    upright = scene(1000, 1600)
    stored = np.ascontiguousarray(np.rot90(upright))
    result = desk.result("a.dng", dng(stored, orientation=6))

    assert (result.width, result.height) == (1000, 1600)
    assert desk.preview(result).shape[:2] == (1440, 900)
    assert desk.preview(result)[:200, :150, 0].mean() > 150  # the red corner, upper left


def test_the_preview_of_a_turned_raw_is_turned_with_it(desk: Desk) -> None:
    upright = scene(1000, 1600)
    stored = np.ascontiguousarray(np.rot90(upright))
    result = desk.result("a.dng", with_preview(dng(stored, orientation=6), saved(stored, "JPEG", quality=92)))

    assert result.source == "embedded"
    assert difference(desk.preview(result), upright) < 5


def test_a_preview_that_is_upright_already_is_not_turned_again(desk: Desk) -> None:
    upright = scene(1000, 1600)
    stored = np.ascontiguousarray(np.rot90(upright))
    result = desk.result("a.dng", with_preview(dng(stored, orientation=6), saved(upright, "JPEG", quality=92)))

    assert difference(desk.preview(result), upright) < 5


def test_sharpness_from_the_mosaic_is_on_the_scale_of_a_jpeg(desk: Desk) -> None:
    for blur in (0, 1, 2):
        pixels = cv2.GaussianBlur(scene(1600, 1000), (0, 0), blur) if blur else scene(1600, 1000)
        from_raw = desk.result("a.dng", dng(pixels)).quality.sharpness_score
        from_jpeg = desk.result("a.jpg", saved(pixels, "JPEG", quality=97)).quality.sharpness_score

        assert from_raw == pytest.approx(from_jpeg, abs=18)


def test_a_raw_reads_its_exif_from_the_container(desk: Desk) -> None:
    exif = desk.result("a.dng", dng(scene(1600, 1000))).exif

    assert (exif.camera_make, exif.camera_model) == ("Keepers", "Sample")


def test_a_raw_finds_what_is_missing_in_its_preview(desk: Desk) -> None:
    block = exif_block({}, {0x9003: "2024:06:30 23:59:58", 0x8827: 400})
    jpeg = saved(scene(1600, 1000), "JPEG", exif=block)
    exif = desk.result("a.dng", with_preview(dng(scene(1600, 1000)), jpeg)).exif

    assert exif.captured_at is not None
    assert exif.iso == 400


def test_a_raw_with_its_end_missing_is_damaged(desk: Desk) -> None:
    whole = dng(scene(1600, 1000))
    result = desk.result("a.dng", whole[: len(whole) * 7 // 10])

    assert result.damage is not None
    assert "% of the sensor data is missing" in result.damage


def test_a_raw_of_which_only_the_header_is_there_is_corrupt(desk: Desk) -> None:
    with pytest.raises(CorruptFile, match=r"a\.dng is broken"):
        desk.result("a.dng", dng(scene(1600, 1000))[:20_000])


def test_a_raw_that_decodes_to_black_or_noise_is_corrupt(desk: Desk) -> None:
    whole = dng(scene(1600, 1000))
    noise = np.random.default_rng(3).integers(0, 16_383, 1600 * 1000, dtype=np.uint16).tobytes()
    for content in (bytes(len(noise)), noise):
        with pytest.raises(CorruptFile):
            desk.result("a.dng", _with_sensor_data(whole, content))


def _with_sensor_data(raw: bytes, content: bytes) -> bytes:
    at = next(tags[tiff_tags.TILE_OFFSETS][0] for tags in tiff_tags.directories(raw) if tiff_tags.TILE_OFFSETS in tags)
    return raw[:at] + content + raw[at + len(content) :]


def test_a_raw_without_sensor_data_but_with_a_preview_is_shown_as_damaged(desk: Desk) -> None:
    preview = scene(1600, 1000)
    empty = _with_sensor_data(dng(preview), bytes(1600 * 1000 * 2))
    result = desk.result("a.dng", with_preview(empty, saved(preview, "JPEG")))

    assert result.source == "embedded"
    assert result.damage == "The sensor data is empty."


def test_a_tiff_under_the_name_of_a_raw_is_shown(desk: Desk) -> None:
    result = desk.result("a.nef", saved(scene(), "TIFF"))

    assert (result.format, result.source) == ("TIFF", "original")


def test_a_raw_under_the_name_of_a_tiff_is_developed(desk: Desk) -> None:
    assert desk.result("a.tif", dng(scene(1600, 1000))).source == "demosaic"


@pytest.mark.parametrize(
    "head", [b"", b"FOVb", b"IIU\0", b"FUJIFILMCCD-RAW 0201", b"\0\0\0\x18ftypcrx \0\0\0\1crx isom"]
)
def test_a_raw_that_is_no_raw_is_refused(desk: Desk, head: bytes) -> None:
    with pytest.raises(Reject) as refused:
        desk.result("a.cr3", head + b"nothing that a camera wrote" * 50)
    assert isinstance(refused.value, UnsupportedFile | CorruptFile)
