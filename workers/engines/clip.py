"""CLIP through open_clip, from a file on this machine: nothing is downloaded here."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from shared.contracts.embed import DIMENSIONS
from workers.engines.torchvision_without_operators import import_torchvision

import_torchvision()
import open_clip  # noqa: E402  # it imports torchvision

DEFAULT_TAG = "laion2b_s32b_b82k"


class Clip:
    """The image half of a CLIP model; the text half is dropped, which saves a third of the memory.

    `pretrained` is a tag of open_clip or a path; either way the weights are read from `weights`.
    Raises ValueError for a model whose vectors do not fit, and whatever torch raises for a file that is
    not this model's.
    """

    def __init__(self, name: str, model_name: str, pretrained: str, weights: Path, device: str) -> None:
        self.name = name
        self._device = torch.device(_device(device))
        recipe = recipe_of(model_name, pretrained)
        model, self._preprocess = open_clip.create_model_from_pretrained(
            model_name,
            pretrained=str(weights),
            device=self._device,
            weights_only=True,
            force_quick_gelu=recipe.get("quick_gelu", False),
            image_mean=recipe.get("mean"),
            image_std=recipe.get("std"),
            image_interpolation=recipe.get("interpolation"),
            image_resize_mode=recipe.get("resize_mode"),
        )
        self._visual = model.visual.eval()
        if self._visual.output_dim != DIMENSIONS:
            raise ValueError(
                f"{model_name} gives {self._visual.output_dim} numbers per photo and Keepers stores {DIMENSIONS}. "
                "Set CLIP_MODEL_NAME=ViT-L-14."
            )

    def embed(self, images: Sequence[Image.Image]) -> np.ndarray:
        """Unit vectors, float32 (n, 768), of one batch."""
        if not images:
            return np.empty((0, DIMENSIONS), np.float32)
        batch = torch.stack([self._preprocess(image) for image in images]).to(self._device)
        with torch.inference_mode():
            vectors = torch.nn.functional.normalize(self._visual(batch).float())
        return vectors.cpu().numpy()


def _device(wanted: str) -> str:
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def recipe_of(model_name: str, pretrained: str) -> dict[str, object]:
    """How the weights were trained. A file is taken for the default tag's, where the model has that one.

    That matters: open_clip would give a bare file OpenAI's colour normalisation, which is wrong for these weights.
    """
    architecture = model_name.replace("/", "-")
    recipe: dict[str, object] = open_clip.get_pretrained_cfg(architecture, pretrained)
    return recipe or open_clip.get_pretrained_cfg(architecture, DEFAULT_TAG)
