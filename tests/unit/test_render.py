"""The stage `render` through the worker's front door: photos in more pixels than their previews have."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from shared.contracts import render
from shared.contracts.answers import Done, Failed, Held
from tests.deliveries import delivered, done
from tests.desk import Desk
from tests.disks import small_disk
from tests.pictures import dng, exif_block, saved, scene, with_preview
from workers.engines.colour import srgb_profile
from workers.stages.render import stage
from workers.tools import Tools

SIZE = (2700, 900)
SMALL = (1500, 500)


class Bench:
    """A desk, and a worker of the stage beside it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.tools = Tools(desk.settings)

    def request(self, path: Path, size: render.Size, companion: Path | None = None) -> render.Request:
        seen = self.desk.result(path.name, path.read_bytes(), companion)
        return render.Request(
            **self.desk.request(path, companion).model_dump(),
            size=size,
            long_edge=max(seen.width, seen.height),
            preview=seen.preview,
        )

    def answer(self, request: render.Request) -> Done | Failed | Held | None:
        return delivered(stage, request, self.tools).answer

    def done(self, request: render.Request) -> render.Result:
        return done(delivered(stage, request, self.tools), render.Result)

    def rendered(self, name: str, data: bytes, size: render.Size, companion: Path | None = None) -> render.Result:
        return self.done(self.request(self.desk.write(name, data), size, companion))

    def image(self, result: render.Result) -> Image.Image:
        image = Image.open(io.BytesIO(self.bytes(result)))
        image.load()
        return image

    def bytes(self, result: render.Result) -> bytes:
        with self.desk.claims.open(result.rendition) as file:
            return file.read()


@pytest.fixture
def bench(desk: Desk) -> Iterator[Bench]:
    bench = Bench(desk)
    yield bench
    bench.tools.close()


def pixels_of(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image.convert("RGB")).astype(np.float64)


def light(pixels: NDArray[np.float64]) -> float:
    return float(np.mean((pixels / 255) ** 2.2))


def test_each_size_has_its_long_edge_and_none_is_larger_than_the_original(bench: Bench) -> None:
    photo = bench.desk.write("a.png", saved(scene(4000, 600), "PNG", compress_level=1))
    sizes = {size: bench.done(bench.request(photo, size)) for size in render.EDGES}
    assert {size: one.width for size, one in sizes.items()} == {"view": 2560, "dense": 3840, "full": 4000}
    for one in sizes.values():
        assert bench.image(one).size == (one.width, one.height)
        assert one.bytes == len(bench.bytes(one))
    small = bench.rendered("b.png", saved(scene(*SMALL), "PNG"), "dense")
    assert (small.width, small.height) == SMALL


def test_a_rendition_is_upright_srgb_and_says_nothing_else(bench: Bench) -> None:
    upright = scene(600, 1800)
    block = exif_block({0x0112: 6, 0x010F: "Keepers"}, gps={1: "N", 2: (64.0, 8.0, 0.0)})
    for name, kind in (("a.jpg", "JPEG"), ("a.png", "PNG")):
        result = bench.rendered(name, saved(np.ascontiguousarray(np.rot90(upright)), kind, exif=block), "view")
        image = bench.image(result)
        assert (result.width, result.height) == image.size == (600, 1800)
        assert pixels_of(image)[:200, :100, 0].mean() > 150  # the red corner, upper left
        assert image.info["icc_profile"] == srgb_profile()
        assert not image.getexif()


def test_all_pixels_of_an_srgb_jpeg_are_passed_on_as_they_are(bench: Bench) -> None:
    stored = scene(*SIZE)
    block = exif_block({0x0112: 6, 0x010F: "Keepers"}, gps={1: "N", 2: (64.0, 8.0, 0.0)})
    result = bench.rendered("a.jpg", saved(stored, "JPEG", quality=90, exif=block), "full")
    image = bench.image(result)
    original = Image.open(bench.desk.root / "a.jpg")
    assert np.array_equal(np.asarray(image), np.asarray(original))
    assert (result.width, result.height) == SIZE[::-1]  # as shown
    assert dict(image.getexif()) == {0x0112: 6}  # which way is up, and no more
    assert image.info["icc_profile"] == srgb_profile()


@pytest.mark.parametrize("size", ["view", "full"])
def test_other_colours_become_srgb(bench: Bench, size: render.Size) -> None:
    green = np.full((500, 1500, 3), (60, 200, 60), np.uint8)
    block = Image.Exif()
    block.get_ifd(0x8769)[0xA005] = {1: "R03"}  # Adobe RGB
    block.get_ifd(0x8769)[0xA001] = 65535
    adobe = bench.image(bench.rendered("a.jpg", saved(green, "JPEG", quality=95, exif=block.tobytes()), size))
    assert pixels_of(adobe)[:, :, 0].mean() < 20  # the same numbers mean a greener green
    printed = saved(Image.fromarray(scene(*SMALL)).convert("CMYK"), "JPEG", quality=95)
    image = bench.image(bench.rendered("b.jpg", printed, size))
    assert image.mode == "RGB"
    assert np.abs(pixels_of(image) - scene(*SMALL)).mean() < 12
    for one in (adobe, image):
        assert one.info["icc_profile"] == srgb_profile()


def test_the_jpeg_inside_a_raw_is_passed_on_when_it_is_large_enough(bench: Bench) -> None:
    look = scene(*SIZE, seed=5)
    raw = with_preview(dng(scene(*SIZE)), saved(look, "JPEG", quality=92))
    full, view = bench.rendered("a.dng", raw, "full"), bench.rendered("a.dng", raw, "view")
    assert (full.source, view.source) == ("embedded", "embedded")
    assert np.abs(pixels_of(bench.image(full)) - look).mean() < 4
    assert (full.width, view.width) == (2700, 2560)


def test_the_jpeg_inside_a_turned_raw_comes_out_upright(bench: Bench) -> None:
    upright = scene(600, 1800)
    stored = np.ascontiguousarray(np.rot90(upright))
    raw = with_preview(dng(stored, orientation=6), saved(stored, "JPEG", quality=92))
    full, view = bench.rendered("a.dng", raw, "full"), bench.rendered("a.dng", raw, "view")
    assert (full.width, full.height) == (view.width, view.height) == (600, 1800)
    assert bench.image(full).getexif()[0x0112] == 6
    assert pixels_of(bench.image(view))[:200, :100, 0].mean() > 150


def test_a_raw_is_developed_as_bright_as_it_was_seen(bench: Bench) -> None:
    dark = (scene(*SMALL) * 0.5).astype(np.uint8)
    raw = with_preview(dng(scene(*SIZE)), saved(dark, "JPEG", quality=92))
    result = bench.rendered("a.dng", raw, "full")
    assert result.source == "demosaic"
    assert (result.width, result.height) == SIZE
    seen = light(dark.astype(np.float64))
    assert light(pixels_of(bench.image(result))) == pytest.approx(seen, rel=0.06)
    assert light(scene(*SIZE).astype(np.float64)) > 2 * seen  # it would have been brighter


def test_a_raw_is_developed_where_its_preview_is_not_there(bench: Bench) -> None:
    request = bench.request(bench.desk.write("a.dng", dng(scene(*SIZE))), "view")
    bench.desk.claims.path(request.preview).unlink()
    assert bench.done(request).source == "demosaic"


def test_the_companion_is_shown_as_in_the_preview(bench: Bench) -> None:
    look = scene(*SIZE, seed=9)
    companion = bench.desk.write("a.jpg", saved(look, "JPEG", quality=92))
    result = bench.rendered("a.dng", dng(scene(*SIZE)), "full", companion)
    assert result.source == "companion"
    assert np.abs(pixels_of(bench.image(result)) - look).mean() < 4


def test_a_companion_that_is_small_or_broken_or_not_wanted_is_done_without(bench: Bench) -> None:
    raw = dng(scene(*SIZE))
    for data in (saved(scene(*SMALL), "JPEG"), b"no picture"):
        companion = bench.desk.write("a.jpg", data)
        assert bench.rendered("a.dng", raw, "full", companion).source == "demosaic"
    bench.desk.settings = bench.desk.settings.model_copy(update={"raw_render": "demosaic"})
    bench.tools.close()
    bench.tools = Tools(bench.desk.settings)
    companion = bench.desk.write("a.jpg", saved(scene(*SIZE), "JPEG"))
    assert bench.rendered("a.dng", raw, "full", companion).source == "demosaic"


def test_the_same_wish_twice_makes_one_file(bench: Bench) -> None:
    request = bench.request(bench.desk.write("a.jpg", saved(scene(*SIZE), "JPEG")), "view")
    assert bench.done(request) == bench.done(request)
    assert len(list((bench.desk.claims.folder / "renditions").rglob("*.jpg"))) == 1
    assert list((bench.desk.claims.folder / "tmp").iterdir()) == []


def test_sizes_and_contents_have_files_of_their_own(bench: Bench) -> None:
    made = {
        bench.rendered("a.jpg", saved(scene(*SIZE, seed=seed), "JPEG"), size).rendition
        for seed in (1, 2)
        for size in ("view", "full")
    }
    assert len(made) == 4


def test_what_shows_no_picture_fails_with_its_name(bench: Bench) -> None:
    request = bench.request(bench.desk.write("a.jpg", saved(scene(*SMALL), "JPEG")), "view")
    for data, kind in ((b"", "CorruptFile"), (b"text" * 99, "UnsupportedFile"), (b"\xff\xd8\xff\xe0", "CorruptFile")):
        bench.desk.write("a.jpg", data)
        answer = bench.answer(request)
        assert isinstance(answer, Failed)
        assert (answer.final, answer.failure.error_type) == (True, kind)
        assert "a.jpg" in answer.failure.message
    (bench.desk.root / "a.jpg").unlink()
    bench.desk.write("b.jpg", b"so that the drive is not empty")
    answer = bench.answer(request)
    assert isinstance(answer, Failed)
    assert answer.failure.error_type == "FileVanished"


def test_a_photo_over_the_limit_is_refused_before_it_is_decoded(bench: Bench) -> None:
    request = bench.request(bench.desk.write("a.jpg", saved(scene(*SIZE), "JPEG")), "full")
    bench.tools.close()
    bench.tools = Tools(bench.desk.settings.model_copy(update={"max_megapixels": 2}))
    answer = bench.answer(request)
    assert isinstance(answer, Failed)
    assert answer.failure.error_type == "TooLarge"


def test_while_the_drive_is_away_the_request_is_held(bench: Bench) -> None:
    request = bench.request(bench.desk.write("a.jpg", saved(scene(*SMALL), "JPEG")), "view")
    bench.desk.root.rename(bench.desk.root.with_name("elsewhere"))
    answer = bench.answer(request)
    assert isinstance(answer, Held)
    assert answer.key == "root:1"


def test_a_full_disk_holds_the_rendition_until_there_is_room(bench: Bench) -> None:
    request = bench.request(bench.desk.write("a.jpg", saved(scene(*SIZE), "JPEG", quality=90)), "view")
    with small_disk(bench.desk.claims.scratch):
        answer = bench.answer(request)
    assert isinstance(answer, Held)
    assert "No space left on device" in answer.cause
    assert bench.done(request).width == SIZE[0] * 2560 // SIZE[0]
