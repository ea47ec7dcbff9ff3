"""Fetching CLIP while the pages go on: one download at a time, in a thread that no stop waits for."""

import threading

import structlog

from orchestrator.embedding.fetching import fetch_clip
from shared.errors import KeepersError
from shared.settings import Settings

log = structlog.get_logger()


class ClipFetch:
    """What a button starts and a page watches. An interrupted download goes on where it was when started again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread: threading.Thread | None = None
        self.bytes_here = 0
        self.bytes_total = 0
        self.error: str | None = None

    @property
    def is_running(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Does nothing while a download runs."""
        if not self.is_running:
            self.error = None
            self._thread = threading.Thread(target=self._fetch, name="fetch-clip", daemon=True)
            self._thread.start()

    def _fetch(self) -> None:
        try:
            fetch_clip(self._settings, self._report)
        except (KeepersError, OSError) as exc:
            self.error = exc.message if isinstance(exc, KeepersError) else f"CLIP could not be stored: {exc.strerror}."
            log.warning("models.fetch_failed", error=self.error)

    def _report(self, here: int, total: int) -> None:
        self.bytes_here, self.bytes_total = here, total
