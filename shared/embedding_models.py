"""Which models turn photos into vectors, under which name their vectors are stored, and whether they are here.

A stored name carries the identity of the weights: vectors of different models are never compared.
"""

from pathlib import Path

from shared import quick_hash
from shared.settings import CLIP_MODEL, STARTER_MODEL, Settings

# Raise the last number when the starter's pixels, layers or projection change: its vectors are then new ones.
STARTER_WEIGHTS = "efficientnet-lite0-1"
CLIP_BURST_COSINE = 0.95
STARTER_BURST_COSINE = 0.85
WEIGHT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")  # as open_clip's authors publish them
_WEIGHT_SUFFIXES = (".safetensors", ".bin", ".pt", ".pth")


def starter_name() -> str:
    """The stored name of the starter embedder: "starter:efficientnet-lite0-1"."""
    return f"{STARTER_MODEL}:{STARTER_WEIGHTS}"


def clip_name(settings: Settings) -> str:
    """The stored name of CLIP: "clip:ViT-L-14/laion2b_s32b_b82k", or "clip:ViT-L-14/file-3fa2c1d0b7e4" for a file.

    A file is named by its quick hash; one that is missing is "file-missing", a name no vector gets.
    """
    return f"{CLIP_MODEL}:{_architecture(settings)}/{_weights_identity(settings)}"


def least_burst_cosine(name: str) -> float:
    """How alike the vectors of two frames of a burst are at least, by the stored name of their model.

    The starter's was measured on photographs 1440 pixels wide: shifted by a twentieth or turned by two degrees they
    stay at .91 or more, shifted by a tenth .89, one stop brighter or darker .86 with few exceptions, slightly out of
    focus (sigma 1) .93; photographs of other things reach .5, other people in the same pose .6.
    """
    return CLIP_BURST_COSINE if name.startswith(f"{CLIP_MODEL}:") else STARTER_BURST_COSINE


def clip_is_fetched(settings: Settings) -> bool:
    """Whether CLIP can be used now, without a connection."""
    return clip_weights(settings) is not None


def clip_weights(settings: Settings) -> Path | None:
    """The file with CLIP's weights: the one CLIP_PRETRAINED names, else the fetched one; None when it is not there."""
    named = clip_file(settings)
    candidates = [named] if named else [clip_folder(settings) / name for name in WEIGHT_FILES]
    return next((path for path in candidates if path.is_file()), None)


def clip_file(settings: Settings) -> Path | None:
    """The file that CLIP_PRETRAINED names, there or not; None when it is a tag of open_clip."""
    value = settings.clip_pretrained
    return Path(value).expanduser() if "/" in value or value.endswith(_WEIGHT_SUFFIXES) else None


def clip_folder(settings: Settings) -> Path:
    """Where `keepers models fetch clip` puts the weights."""
    return settings.models_folder / f"{CLIP_MODEL}-{_architecture(settings)}-{settings.clip_pretrained}"


def not_here_sentence(settings: Settings) -> str:
    """What a person reads, and can type, while CLIP is not on this machine."""
    named = clip_file(settings)
    if named:
        return (
            f"CLIP_PRETRAINED names {named}, and there is no such file. Correct it, or unset it to use a fetched CLIP."
        )
    return "CLIP is not on this machine yet. Type `keepers models fetch clip` to get it."


def _architecture(settings: Settings) -> str:
    return settings.clip_model_name.replace("/", "-")  # "ViT-L/14" and "ViT-L-14" are one model


def _weights_identity(settings: Settings) -> str:
    named = clip_file(settings)
    if named is None:
        return settings.clip_pretrained
    try:
        with named.open("rb") as file:
            return f"file-{quick_hash.of_file(file.fileno())[:12]}"
    except OSError:
        return "file-missing"
