"""All test material through the decoder: good files look right, hostile ones cost only themselves."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
import rawpy
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps
from skimage.color import deltaE_ciede2000, rgb2lab

from shared.claims import claim_of
from shared.claims_folder import FolderClaims
from shared.contracts import convert
from shared.errors import Reject, Retry
from shared.settings import Settings
from tests.material import MATERIAL
from tests.pictures import saved, scene
from workers.engines.decoder import Decoder

LARGEST_MEAN_DELTA_E = 3

# Of these the specification leaves the look open, or nothing independent decodes them.
WITHOUT_REFERENCE = {
    "test-assets__10bit-HDR-P3-nclx.avif",  # high dynamic range: tone mapping is a choice
    *("image-tiff__12bit.cropped.tiff", "image-tiff__issue_69_lzw.tiff", "image-tiff__issue_69_packbits.tiff"),  # dark
    "image-tiff__int16.tif",  # signed
    "image-tiff__int8_rgb.tif",  # pure noise, which no JPEG keeps
    "image-tiff__logluv-3c-16b.tiff",
    "image-tiff__extra_bits_gray_8b.tiff",  # one step above black
    *(
        f"image-tiff__{name}.tiff"
        for name in ("minisblack-1c-3b", "minisblack-1c-5b", "miniswhite-1c-6b", "hpredict-1c-12b")
    ),
    *(
        f"image-tiff__{name}"
        for name in (
            "predictor-3-rgb-f32.tif",
            "predictor-3-gray-f32.tif",
            "random-fp16-pred3.tiff",
            "white-fp16-pred3.tiff",
        )
    ),
    "image-tiff__tiled-oversize-gray-i8.tif",
}

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not MATERIAL.is_dir(), reason=f"no test material at {MATERIAL}: set KEEPERS_TEST_DATA"),
    pytest.mark.filterwarnings("ignore"),  # of the reference decoders, about the files
]


def files(folder: str) -> list[bytes]:
    names = os.listdir(os.fsencode(MATERIAL / folder)) if MATERIAL.is_dir() else []  # noqa: PTH208  # as bytes
    return sorted(name for name in names if not name.endswith(b".xmp"))


def shown(name: bytes) -> str:
    return ascii(os.fsdecode(name))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(keepers_home=tmp_path_factory.mktemp("home"), decode_seconds=20)


@pytest.fixture(scope="module")
def decoder(settings: Settings) -> Iterator[Decoder]:
    decoder = Decoder(settings)
    yield decoder
    decoder.close()


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> convert.Request:
    path = tmp_path_factory.mktemp("photos") / "good.jpg"
    path.write_bytes(saved(scene(), "JPEG"))
    return convert.Request(photo_id=1, file_path=claim_of(path), root=claim_of(path.parent), root_key="root:1")


def request_for(folder: str, name: bytes) -> convert.Request:
    path = os.path.join(os.fsencode(MATERIAL / folder), name)
    return convert.Request(photo_id=2, file_path=claim_of(path), root=claim_of(MATERIAL / folder), root_key="root:2")


@pytest.mark.parametrize("name", files("hostile"), ids=shown)
def test_a_hostile_file_ends_and_the_next_photo_is_converted(
    name: bytes, decoder: Decoder, good: convert.Request
) -> None:
    ended = False
    for attempt in (1, 2):
        try:
            ended = bool(decoder.convert(request_for("hostile", name), attempt).preview)
            break
        except Reject as reject:
            ended = len(reject.message.split()) > 3
            break
        except Retry:
            continue

    assert ended
    assert decoder.convert(good).format == "JPEG"


@pytest.mark.parametrize("name", files("raw"), ids=shown)
def test_a_good_file_looks_like_an_independent_rendering(name: bytes, decoder: Decoder, settings: Settings) -> None:
    result = decoder.convert(request_for("raw", name))
    with FolderClaims(settings.claims_folder).open(result.preview) as file:
        preview = Image.open(file).convert("RGB")
    assert preview.size == (result.preview_width, result.preview_height)
    if os.fsdecode(name) in WITHOUT_REFERENCE:
        return
    reference = independent_rendering(MATERIAL / "raw" / os.fsdecode(name)).resize(
        preview.size, Image.Resampling.LANCZOS
    )

    assert delta_e(reference, preview) < LARGEST_MEAN_DELTA_E


def delta_e(one: Image.Image, other: Image.Image) -> float:
    """Mean CIEDE2000 at half size: how JPEG rounds the noise of single pixels is no matter of colour."""
    halves = (rgb2lab(np.asarray(image.reduce(2) if min(image.size) > 1 else image)) for image in (one, other))
    return float(deltaE_ciede2000(*halves).mean())


def independent_rendering(path: Path) -> Image.Image:
    """Upright sRGB by other means than the ones under test."""
    if path.suffix == ".dng":
        with rawpy.imread(str(path)) as raw:
            return Image.fromarray(raw.postprocess(use_camera_wb=True, gamma=(2.4, 12.92)))
    pillow_heif.register_heif_opener()
    try:
        image = Image.open(path)
        image.load()
        if path.suffix.startswith(".tif") and image.mode not in ("1", "L", "P", "RGB"):
            raise OSError("more than eight bits")
    except OSError:
        return by_tifffile(path)
    return managed(ImageOps.exif_transpose(image))


def managed(image: Image.Image) -> Image.Image:
    profile = image.info.get("icc_profile")
    image = image.convert("L" if image.mode in ("1", "L") else "RGB")
    if profile is None:
        return image.convert("RGB")
    shown_in = ImageCms.createProfile("sRGB")
    managed = ImageCms.profileToProfile(image, io.BytesIO(profile), shown_in, outputMode="RGB")
    assert managed
    return managed


def by_tifffile(path: Path) -> Image.Image:
    samples = tifffile.imread(path)
    if samples.dtype == np.int8:
        samples = samples.view(np.uint8)
    scale = 1 if samples.dtype.kind == "f" else np.iinfo(samples.dtype).max
    shares: NDArray[np.float64] = np.clip(samples / scale, 0, 1)
    if shares.ndim == 3 and shares.shape[2] == 4:  # inks without a profile
        shares = (1 - shares[:, :, :3]) * (1 - shares[:, :, 3:])
    return Image.fromarray(np.round(shares * 255).astype(np.uint8)).convert("RGB")
