"""Fetch CLIP, and say beforehand what that means."""

import os
from dataclasses import dataclass
from pathlib import Path

from orchestrator.embedding.download import NoConnection, NotThere, Report, download
from shared.embedding_models import WEIGHT_FILES, clip_file, clip_folder, clip_weights
from shared.errors import KeepersError
from shared.settings import Settings

# ViT-L-14 in 32-bit floats: measured at 0.93 photos/s on two cores of a server, 0.50 on one
CLIP_CORE_SECONDS_PER_PHOTO = 2.1


class NotFetchable(KeepersError):
    """Keepers does not know where to fetch this model."""


@dataclass(frozen=True)
class Source:
    repository: str
    size_bytes: int


SOURCES = {("ViT-L-14", "laion2b_s32b_b82k"): Source("laion/CLIP-ViT-L-14-laion2B-s32B-b82K", 1_710_517_724)}


def fetch_clip(settings: Settings, report: Report, pause_seconds: float = 2) -> Path:
    """Download CLIP's weights into the models folder, going on where an earlier try ended; the file.

    What is here already is not fetched again. Raises NotFetchable, or a DownloadFailed whose message says what to do.
    """
    here = clip_weights(settings)
    if here:
        return here
    source, folder = clip_source(settings), clip_folder(settings)
    for name in WEIGHT_FILES:
        url = f"{settings.hf_endpoint}/{source.repository}/resolve/main/{name}"
        try:
            download(url, folder / name, report, pause_seconds)
        except NotThere:
            continue
        except NoConnection as exc:
            raise NoConnection(_without_connection(url, folder / name, exc.message)) from exc
        return folder / name
    raise NotFetchable(f"{settings.hf_endpoint}/{source.repository} has none of {', '.join(WEIGHT_FILES)}.")


def clip_source(settings: Settings) -> Source:
    """Where the chosen CLIP comes from. Raises NotFetchable."""
    named = clip_file(settings)
    if named:
        raise NotFetchable(f"CLIP_PRETRAINED names {named}, and there is no such file. Correct it, or unset it.")
    chosen = (settings.clip_model_name.replace("/", "-"), settings.clip_pretrained)
    if chosen not in SOURCES:
        raise NotFetchable(
            f"Keepers fetches {' '.join(next(iter(SOURCES)))} only, and {' '.join(chosen)} is chosen. "
            "Download its weights yourself and set CLIP_PRETRAINED=/path/to/the/file."
        )
    return SOURCES[chosen]


def fetch_plan(settings: Settings, photos: int = 0, cores: int | None = None) -> str:
    """What CLIP costs: "1.7 GB, about 4 h for your 14,000 photos on this CPU". Raises NotFetchable."""
    size = f"{clip_source(settings).size_bytes / 1e9:.1f} GB"
    seconds = (photos or 1000) * CLIP_CORE_SECONDS_PER_PHOTO / (cores or os.cpu_count() or 1)
    whose = f"your {photos:,} photos" if photos else "every 1,000 photos"
    return f"{size}, about {duration(seconds)} for {whose} on this CPU"


def duration(seconds: float) -> str:
    """Rounded as a person would say it: "5 h", "12 min", "1 min" at least."""
    minutes = max(1, round(seconds / 60))
    return f"{minutes} min" if minutes < 90 else f"{round(minutes / 60)} h"


def _without_connection(url: str, target: Path, reason: str) -> str:
    part = target.with_name(f"{target.name}.part")
    kept_bytes = part.stat().st_size if part.is_file() else 0
    go_on = f" {kept_bytes / 1e6:,.0f} MB are kept: fetch again to go on from there." if kept_bytes else ""
    return (
        f"CLIP could not be fetched: {reason}.{go_on} Without a connection: download {url} on another machine, and "
        f"copy the file to {target}, or set CLIP_PRETRAINED to wherever you put it."
    )
