"""The starter embedder: unit vectors that stay close for the same picture and apart for different ones."""

from collections.abc import Callable

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageEnhance, ImageFilter
from sklearn.datasets import load_sample_image

from workers.engines.starter import Starter, input_size, projection


@pytest.fixture(scope="module")
def starter() -> Starter:
    return Starter()


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    shipped = [skimage.data.chelsea(), skimage.data.coffee(), skimage.data.rocket()]
    arrays = [*shipped, load_sample_image("china.jpg"), load_sample_image("flower.jpg")]
    return [Image.fromarray(array) for array in arrays]


def closest(vector: np.ndarray, others: np.ndarray) -> int:
    return int(np.argmax(others @ vector))


def shifted(photo: Image.Image) -> Image.Image:
    step = photo.width // 30
    return photo.crop((step, step, photo.width, photo.height))


def test_vectors_are_768_float32_numbers_of_unit_length(starter: Starter, photos: list[Image.Image]) -> None:
    vectors = starter.embed(photos)
    assert vectors.shape == (len(photos), 768)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(photos)), abs=1e-5)


def test_no_images_give_no_vectors(starter: Starter) -> None:
    assert starter.embed([]).shape == (0, 768)


@pytest.mark.parametrize(
    "change",
    [
        shifted,
        lambda photo: photo.resize((photo.width // 2, photo.height // 2)),
        lambda photo: photo.filter(ImageFilter.GaussianBlur(photo.width / 400)),
        lambda photo: ImageEnhance.Brightness(photo).enhance(0.7),
    ],
    ids=["shifted", "half the size", "defocused", "darker"],
)
def test_a_changed_frame_is_closer_to_its_photo_than_any_other_photo_is(
    starter: Starter, photos: list[Image.Image], change: Callable[[Image.Image], Image.Image]
) -> None:
    vectors, changed = starter.embed(photos), starter.embed([change(photo) for photo in photos])
    cosines = changed @ vectors.T
    same, different = np.diag(cosines), cosines[~np.eye(len(photos), dtype=bool)]
    assert same.min() > 0.85
    assert different.max() < 0.6


def test_a_vector_does_not_depend_on_the_batch_around_it(starter: Starter, photos: list[Image.Image]) -> None:
    alone, together = starter.embed(photos[2:3]), starter.embed(photos)
    assert alone[0] == pytest.approx(together[2], abs=1e-6)


def test_a_known_photo_keeps_its_vector(starter: Starter, photos: list[Image.Image]) -> None:
    """Stored vectors stay comparable: when this fails on purpose, raise the number in STARTER_WEIGHTS."""
    expected = [-0.0238, 0.0778, 0.0265, -0.0206, 0.0099, -0.0109]
    assert starter.embed(photos[:1])[0, :6] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((1440, 1440), (224, 224)),
        ((1440, 960), (288, 192)),
        ((960, 1440), (192, 288)),
        ((1440, 1080), (256, 192)),
        ((4000, 20), (672, 64)),
        ((1, 1), (224, 224)),
    ],
)
def test_the_whole_frame_is_seen_near_its_own_aspect_ratio(size: tuple[int, int], seen: tuple[int, int]) -> None:
    assert input_size(*size) == seen


def test_the_projection_is_orthogonal_and_never_changes() -> None:
    matrix = projection()
    assert matrix.T @ matrix == pytest.approx(np.eye(768), abs=1e-5)
    assert matrix[0, :3] == pytest.approx([0.0425448, 0.0213080, -0.0001640], abs=1e-6)
