"""The sample archive: about 40 believable photographs with what an archive has, and what goes wrong in one."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import rawpy
import tifffile
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from orchestrator.samples import make_samples
from orchestrator.samples.photographs import BACKGROUNDS, SHIPPED
from orchestrator.samples.shots import singles
from tests.samples import put_samples

PICTURES = {".jpg", ".tif", ".dng"}
BROKEN = "DSCF6012.JPG"


@pytest.fixture(scope="module")
def archive(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("archive")
    put_samples(samples, folder)
    return folder


def pictures(archive: Path) -> list[Path]:
    return sorted(path for path in archive.rglob("*") if path.suffix.lower() in PICTURES)


def jpegs(archive: Path) -> Iterator[tuple[Path, Image.Image]]:
    for path in pictures(archive):
        if path.suffix.lower() == ".jpg" and path.name != BROKEN:
            with Image.open(path) as image:
                yield path, image


def taken(image: Image.Image) -> datetime:
    details = image.getexif().get_ifd(ExifTags.IFD.Exif)
    subseconds = details[ExifTags.Base.SubsecTimeOriginal]
    return datetime.strptime(f"{details[ExifTags.Base.DateTimeOriginal]}.{subseconds}", "%Y:%m:%d %H:%M:%S.%f")


def rating_in(xmp: bytes) -> int:
    found = re.search(rb'xmp:Rating="(-?\d)"', xmp)
    assert found
    return int(found[1])


def test_there_are_about_40_pictures_of_a_believable_size(archive: Path) -> None:
    assert 38 <= len(pictures(archive)) <= 48
    assert sum(path.stat().st_size for path in archive.rglob("*") if path.is_file()) < 60_000_000
    sizes = [max(image.size) for path, image in jpegs(archive) if path.parent.name != "Export"]
    assert min(sizes) >= 1600
    assert max(sizes) <= 3000


def test_the_list_names_every_file_that_was_written(tmp_path: Path, archive: Path) -> None:
    assert set(make_samples(archive)) == {path for path in archive.rglob("*") if path.is_file()}


def test_every_photo_has_a_date_a_camera_and_an_exposure(archive: Path) -> None:
    cameras, dates = set(), []
    for _, image in jpegs(archive):
        exif = image.getexif()
        details = exif.get_ifd(ExifTags.IFD.Exif)
        cameras.add(exif[ExifTags.Base.Model])
        dates.append(taken(image))
        assert details[ExifTags.Base.LensModel]
        assert 0 < details[ExifTags.Base.ExposureTime] <= 30
        assert 1 <= details[ExifTags.Base.FNumber] <= 22
        assert 100 <= details[ExifTags.Base.ISOSpeedRatings] <= 6400
        assert 20 <= details[ExifTags.Base.FocalLength] <= 200
    assert len(cameras) == 3
    assert 365 < (max(dates) - min(dates)).days < 3 * 365


def test_two_bursts_lie_within_seconds_and_nothing_else_does(archive: Path) -> None:
    times = sorted(taken(image) for path, image in jpegs(archive) if path.parent.name != "Export")
    groups, current = [], [times[0]]
    for time in times[1:]:
        if (time - current[-1]).total_seconds() <= 5:
            current.append(time)
        else:
            groups.append(current)
            current = [time]
    assert sorted(len(group) for group in [*groups, current] if len(group) > 1) == [4, 5]


def test_a_raw_and_its_jpeg_show_the_same_picture(archive: Path) -> None:
    [raw] = archive.rglob("*.DNG")
    with rawpy.imread(str(raw)) as file:
        rendered = file.postprocess(use_camera_wb=True, no_auto_bright=True, gamma=(2.4, 12.92)).astype(float)
    with Image.open(raw.with_suffix(".JPG")) as companion:
        expected = np.asarray(companion, float)
        assert taken(companion).strftime("%Y:%m:%d %H:%M:%S").encode() in raw.read_bytes()[:10_000]
    assert rendered.shape == expected.shape
    assert np.abs(rendered.mean((0, 1)) - expected.mean((0, 1))).max() < 3
    assert np.abs(rendered - expected).mean() < 8


def test_the_tiff_has_16_bits_that_mean_something(archive: Path) -> None:
    [tiff] = archive.rglob("*.tif")
    pixels = tifffile.imread(tiff)
    assert pixels.dtype == np.uint16
    assert len(np.unique(pixels & 0xFF)) == 256


def test_one_frame_lies_on_its_side_until_exif_is_obeyed(archive: Path) -> None:
    [(path, turned)] = [(path, image.copy()) for path, image in jpegs(archive) if image.getexif()[0x0112] != 1]
    with Image.open(path) as lying:
        upright = ImageOps.exif_transpose(lying)
    assert turned.width > turned.height
    assert upright.width < upright.height
    with Image.open(path.with_name("IMG_2640.JPG")) as neighbour:  # the same cat; its right part fills the frame
        same_part = neighbour.crop((int(neighbour.width * 0.29), 0, int(neighbour.width * 0.78), neighbour.height))
    assert difference(upright, same_part) < difference(turned, same_part) / 2


def difference(one: Image.Image, other: Image.Image) -> float:
    small = [np.asarray(image.convert("L").resize((24, 24)), float) for image in (one, other)]
    return float(np.abs(small[0] - small[1]).mean())


def test_ratings_are_in_sidecars_of_both_names_and_inside_files(archive: Path) -> None:
    sidecars = {path.name: rating_in(path.read_bytes()) for path in archive.rglob("*.xmp")}
    assert sidecars == {"_Z620123.xmp": 5, "_Z620031.JPG.xmp": 3, "_Z620032.JPG.xmp": -1, "DSC_0412.xmp": 4}
    assert sorted(rating_in(image.info["xmp"]) for _, image in jpegs(archive) if "xmp" in image.info) == [2, 4, 5]


def test_an_export_is_a_smaller_copy_under_another_name(archive: Path) -> None:
    [export] = (archive / "Export").iterdir()
    with Image.open(export) as small, Image.open(archive / "2023-11 Café" / "DSCF3307.JPG") as original:
        assert small.width < original.width
        assert taken(small) == taken(original)
        assert difference(small, original) < 3


def test_one_file_is_damaged_and_one_is_no_picture(archive: Path) -> None:
    rescued = archive / "2025-06 Card rescue"
    with Image.open(rescued / "DSCF6011.JPG") as damaged, pytest.raises(OSError, match="truncated"):
        damaged.load()
    with pytest.raises(UnidentifiedImageError):
        Image.open(rescued / BROKEN)
    for path, image in jpegs(archive):
        if path.parent != rescued:
            image.load()


def test_files_that_exist_are_left_and_missing_ones_come_back_the_same(archive: Path) -> None:
    gone = [archive / "2023-10 Cat" / "IMG_2642.JPG", *archive.rglob("*.DNG"), *archive.rglob("*.tif")]
    before = {path: path.read_bytes() for path in gone}
    changed = archive / "2023-11 Café" / "DSCF3307.JPG"
    original = changed.read_bytes()
    changed.write_bytes(b"edited by the person")
    for path in gone:
        path.unlink()
    make_samples(archive)
    assert {path: path.read_bytes() for path in gone} == before
    assert changed.read_bytes() == b"edited by the person"
    changed.write_bytes(original)


@pytest.mark.parametrize("with_backgrounds", [True, False])
def test_the_archive_has_its_size_with_and_without_the_backgrounds(with_backgrounds: bool) -> None:
    shots = singles(with_backgrounds)
    assert len({shot.path for shot in shots}) == 28
    assert all(shot.source in SHIPPED for shot in shots) is not with_backgrounds
    assert all(0 <= edge <= 1 for shot in shots for edge in shot.box)


@pytest.mark.skipif(not BACKGROUNDS.is_dir(), reason="the package mate-backgrounds is not installed")
def test_every_background_that_is_named_is_there() -> None:
    assert all(shot.source in SHIPPED or (BACKGROUNDS / shot.source).is_file() for shot in singles(True))


def test_every_photograph_is_credited(archive: Path) -> None:
    text = (archive / "About these photographs.txt").read_text()
    assert all(name.removesuffix(" from the right") in text for name in SHIPPED)
