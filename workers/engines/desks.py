"""Folders for the files of one photo, or of one worker: what a worker that was killed left is removed by the next."""

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

LEFT_SECONDS = 3600  # a folder that was not touched for so long was left


def clean(desks: Path) -> Path:
    """The folder of desks itself, without those that were left."""
    desks.mkdir(parents=True, exist_ok=True)
    touched_before = time.time() - LEFT_SECONDS
    for desk in desks.iterdir():
        with suppress(FileNotFoundError):  # another worker starts as well
            if desk.stat().st_mtime < touched_before:
                shutil.rmtree(desk, ignore_errors=True)
    return desks


def new_desk(desks: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=desks))
