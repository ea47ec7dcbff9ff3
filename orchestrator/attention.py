"""Whether a person is looking through photos now, so that the machine is theirs and bulk work takes less of it."""

import time
from collections.abc import Callable

SILENCE_SECONDS = 60.0  # after the last word of a page; pages say something every 20 s


class Attention:
    """Told by pages of this orchestrator. Nothing is kept: after a restart the next word comes soon."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: float | None = None

    @property
    def is_there(self) -> bool:
        return self._until is not None and self._clock() < self._until

    def here(self) -> None:
        self._until = self._clock() + SILENCE_SECONDS

    def gone(self) -> None:
        """A page was closed. Another one that is open says so within seconds."""
        self._until = None
