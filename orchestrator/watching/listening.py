"""Hearing from the system what happens in a folder. In a thread: to begin takes as long as the folder is large."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from watchfiles import Change, watch

_QUIET_MS, _MOST_MS = 100, 1_000  # changes are told together, once it was quiet for so long or after so long
_SAY_MS = 200
_STOP_SECONDS = 2.0

T = TypeVar("T")

Heard = Callable[[set[str]], None]  # paths; a first call without any says that from now on nothing is missed


class Listener(Protocol):
    def stop(self) -> None: ...


class Listen(Protocol):
    """Begin to listen. `failed` is told why it could not, or cannot any longer."""

    def __call__(self, folder: Path, heard: Heard, failed: Callable[[Exception], None]) -> Listener: ...


class SystemListener:
    """Both callbacks are called in the event loop that was running at the beginning."""

    def __init__(self, folder: Path, heard: Heard, failed: Callable[[Exception], None]) -> None:
        self._folder = folder
        self._heard = heard
        self._failed = failed
        self._stopped = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._listen, name=f"watching {folder}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Not for the event loop: waits until the thread has ended, or for a while if it is still beginning."""
        self._stopped.set()
        self._thread.join(_STOP_SECONDS)

    def _listen(self) -> None:
        try:
            for changes in watch(
                self._folder,
                watch_filter=_matters,
                debounce=_MOST_MS,
                step=_QUIET_MS,
                rust_timeout=_SAY_MS,
                yield_on_timeout=True,
                stop_event=self._stopped,
                force_polling=False,
                ignore_permission_denied=True,
            ):
                self._tell(self._heard, {path for _, path in changes})
        except Exception as exc:  # whatever it is, the folder is looked at now and then instead
            self._tell(self._failed, exc)

    def _tell(self, whom: Callable[[T], None], what: T) -> None:
        if not self._stopped.is_set():
            self._loop.call_soon_threadsafe(whom, what)


def _matters(change: Change, path: str) -> bool:
    return change is not Change.deleted


def what_to_type(trouble: Exception, *, is_beginning: bool) -> str | None:
    """The sentence for trouble that listening again would not end; None for other trouble."""
    said = str(trouble).lower()
    if "watch limit" in said or "no space" in said:
        return _RAISE_LIMIT.format("max_user_watches", 1_048_576)
    if "too many open files" in said:
        return _RAISE_LIMIT.format("max_user_instances", 1_024)
    if is_beginning and "unable to decode path" in said:  # of a folder; that of a file is a matter of a moment
        return _RENAME.format(str(trouble).partition('"')[2].rpartition('"')[0])
    return None


_RAISE_LIMIT = (
    "This system lets programs watch no more folders, so Keepers looks now and then instead. To be told at once,"
    " type: sudo sysctl fs.inotify.{}={}"
)
_RENAME = (
    "A folder has a name that is not UTF-8, of which nobody can be told, so Keepers looks now and then instead: {}. To"
    " be told at once, rename it and switch this off and on."
)
