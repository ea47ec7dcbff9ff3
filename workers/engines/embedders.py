"""The models that turn images into vectors, loaded on first use and kept."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
from PIL import Image

from shared.embedding_models import clip_name, clip_weights, not_here_sentence, starter_name
from shared.errors import Hold
from shared.settings import Settings
from workers import metrics


class Embedder(Protocol):
    """`name` is the stored name: it says which vectors may be compared with each other."""

    @property
    def name(self) -> str: ...

    def embed(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Unit vectors of RGB images, float32 of shape (n, 768); (0, 768) for no images."""


class Embedders:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loaded: dict[str, Embedder] = {}

    def get(self, name: str) -> Embedder:
        """The embedder with this stored name. Raises Hold when this worker cannot load it."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
            metrics.ENGINE_LOADS.labels("starter" if name == starter_name() else "clip").inc()
        return self._loaded[name]

    def _load(self, name: str) -> Embedder:
        try:
            return self._loader(name)()
        except Hold:
            raise
        except ModuleNotFoundError as exc:
            raise Hold(
                f"This worker cannot embed: {exc.name} is not installed. Type `pip install 'keepers[embed]'`.",
                key=f"model:{name}",
            ) from exc
        except Exception as exc:  # torch, safetensors, pickle and open_clip each raise their own for a bad file
            raise Hold(
                f"The model {name} could not be loaded: {exc}", key=f"model:{name}", error=type(exc).__name__
            ) from exc

    def _loader(self, name: str) -> Callable[[], Embedder]:
        if name == starter_name():
            return _starter
        if name == clip_name(self._settings):
            return lambda: _clip(name, self._settings)
        raise Hold(
            f"Photos wait for the model {name}, which this worker does not know: it has {starter_name()} "
            f"and {clip_name(self._settings)}. Check CLIP_MODEL_NAME and CLIP_PRETRAINED.",
            key=f"model:{name}",
        )


def _starter() -> Embedder:
    from workers.engines.starter import Starter

    return Starter()


def _clip(name: str, settings: Settings) -> Embedder:
    weights = clip_weights(settings)
    if weights is None:
        raise Hold(not_here_sentence(settings), key=f"model:{name}")
    from workers.engines.clip import Clip

    return Clip(name, settings.clip_model_name, settings.clip_pretrained, weights, settings.clip_device)
