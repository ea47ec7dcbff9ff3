"""The folder named by `--photos`: checked, imported through the running orchestrator, and watched until it is in."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.embedded.client import Client, NotAnswering, Progress, Refused
from orchestrator.embedded.progress import Reporter, print_summary, summary
from orchestrator.imports import bucket_roots
from shared.bucket_address import BucketAddress
from shared.formats import IMAGE_EXTENSIONS, extension_of
from shared.settings import Settings

WRONG_FOLDER = 2  # exit status


@dataclass(frozen=True)
class Folder:
    """`is_watched`: what comes into it later is imported too."""

    path: Path | BucketAddress
    is_watched: bool = False

    @property
    def named(self) -> str:
        """For the running Keepers, which has another working folder."""
        return str(self.path if isinstance(self.path, BucketAddress) else self.path.absolute())


def trouble_with(folder: Path | BucketAddress, settings: Settings) -> str | None:
    """Why there is nothing to import, found before anything is started."""
    if isinstance(folder, BucketAddress):
        return bucket_roots.allowed(folder, settings.model_copy(update={"opened_bucket": str(folder)}))
    if not folder.exists():
        return f"There is no folder {folder}."
    if not folder.is_dir():
        return f"{folder} is a file: name the folder it lies in."
    if not os.access(folder, os.R_OK | os.X_OK):
        return f"The folder {folder} may not be read."
    names = (name for _, _, names in os.walk(folder) for name in names)
    if not any(extension_of(name) in IMAGE_EXTENSIONS and not name.startswith(".") for name in names):
        return f"There are no photographs in {folder}."
    return None


def import_and_wait(
    client: Client, folder: Folder, reporter: Reporter, as_json: bool, pause: Callable[[], None]
) -> int:
    """Import the folder and report until it is settled. Returns the exit status."""
    started_at = time.monotonic()
    try:
        import_id = client.start_import(folder.named, watch=folder.is_watched)
    except Refused as exc:
        print(exc.message, file=sys.stderr)
        return WRONG_FOLDER
    progress = _progress(client, import_id)
    while progress is None or not progress.is_settled:
        pause()
        progress = _progress(client, import_id)
        if progress is not None:
            reporter.show(progress)
    for why in (progress.error or progress.held_because, *progress.pauses):
        if why:
            print(why, file=sys.stderr)
    if progress.found == 0:
        print(f"There are no photographs in {folder.path}.", file=sys.stderr)
        return WRONG_FOLDER
    if folder.is_watched:
        reporter.say(f"Watching {folder.path}: what comes into it is imported.")
    figures = summary(progress, client.dead_lettered(), time.monotonic() - started_at)
    print_summary(figures, as_json, reporter.say)
    return 0


def hand_over(client: Client, folder: Folder) -> int:
    """Start the import and leave it to the running Keepers. Returns the exit status."""
    try:
        client.start_import(folder.named, watch=folder.is_watched)
    except Refused as exc:
        print(exc.message, file=sys.stderr)
        return WRONG_FOLDER
    return 0


def _progress(client: Client, import_id: str) -> Progress | None:
    try:
        return client.progress(import_id)
    except NotAnswering:  # it is being started again, and the import goes on after that
        return None
