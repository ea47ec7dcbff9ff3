import cv2
import numpy as np
import pytest

from tests.pictures import scene
from workers.domain import phash, quality
from workers.engines.pixels import luma_of

MEGAPIXELS = 24.0


def luma(width: int = 1280, height: int = 960) -> np.ndarray:
    return luma_of(scene(width, height))


def sharpness(picture: np.ndarray) -> float:
    return quality.score(quality.measure(picture), 0, MEGAPIXELS).sharpness


def blurred(picture: np.ndarray, sigma: float = 2) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), sigma)


def with_noise(picture: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(7).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def test_the_whole_frame_variance_is_that_of_the_laplacian() -> None:
    picture = luma(700, 500)
    whole = cv2.Laplacian(picture, cv2.CV_64F)

    assert quality.measure(picture).laplacian_variance == pytest.approx(whole.var(), rel=1e-3)


def test_a_sharp_picture_scores_well_above_its_blurred_self() -> None:
    assert sharpness(luma()) > sharpness(blurred(luma())) + 25


def test_a_sharp_subject_before_a_blurred_background_is_not_punished() -> None:
    portrait = blurred(luma(), 6)
    portrait[256:640, 384:896] = luma()[256:640, 384:896]

    assert sharpness(portrait) > sharpness(luma()) - 5


def test_noise_on_a_blurred_picture_is_not_taken_for_sharpness() -> None:
    soft = blurred(luma(), 6)
    noisy = with_noise(soft, 6)
    raw_gain = quality.measure(noisy).tile_variance_p95 / quality.measure(soft).tile_variance_p95

    assert raw_gain > 50
    assert sharpness(noisy) < sharpness(luma()) - 20


def test_the_noise_of_a_flat_picture_is_estimated() -> None:
    grey = np.full((600, 800), 128, np.uint8)

    assert quality.measure(with_noise(grey, 5)).noise_sigma == pytest.approx(5, rel=0.1)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (129, 127)])
def test_a_picture_of_any_size_is_measured(shape: tuple[int, int]) -> None:
    measured = quality.measure(np.zeros(shape, np.uint8))

    assert (measured.laplacian_variance, measured.tile_variance_p95, measured.noise_sigma) == (0, 0, 0)


def test_more_megapixels_need_less_detail_per_pixel() -> None:
    measured = quality.measure(blurred(luma(), 1))
    scores = [quality.score(measured, 0, megapixels).sharpness for megapixels in (2, 6, 12, 24, 50)]

    assert scores == sorted(scores)
    assert scores[0] < scores[-1]


@pytest.mark.parametrize(
    ("clipped", "score"), [(0, 100), (0.005, 100), (0.0275, 50), (0.05, 0), (0.6, 0)], ids=lambda value: f"{value}"
)
def test_exposure_falls_from_half_a_percent_of_clipped_pixels_to_five(clipped: float, score: float) -> None:
    assert quality.score(quality.measure(luma()), clipped, MEGAPIXELS).exposure == pytest.approx(score, abs=0.01)


def test_black_and_white_pixels_count_as_clipped() -> None:
    picture = np.full((100, 100), 128, np.uint8)
    picture[:10], picture[90:] = 0, 255

    assert quality.clipped_share(picture) == pytest.approx(0.2)


def test_the_technical_score_is_seven_parts_sharpness_and_three_parts_exposure() -> None:
    scores = quality.score(quality.measure(luma()), 0.02, MEGAPIXELS)

    assert scores.technical == pytest.approx(0.7 * scores.sharpness + 0.3 * scores.exposure, abs=0.01)


def test_resizing_a_picture_hardly_changes_its_perceptual_hash() -> None:
    one, other = luma(1280, 960), cv2.resize(luma(1280, 960), (320, 240), interpolation=cv2.INTER_AREA)

    assert phash.distance(phash.perceptual_hash(one), phash.perceptual_hash(other)) <= 4


def test_different_pictures_have_distant_hashes() -> None:
    one, other = luma_of(scene(seed=1)), luma_of(scene(seed=2))

    assert phash.distance(phash.perceptual_hash(one), phash.perceptual_hash(other)) > 10


def test_a_flat_picture_has_an_empty_hash() -> None:
    assert phash.perceptual_hash(np.full((5, 5), 77, np.uint8)) == "0" * 16
