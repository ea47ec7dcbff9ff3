"""How fast stages answer: at this moment, for the relay's window, and lately, for how long they will take."""

import time
from collections import defaultdict, deque
from collections.abc import Callable


class Throughput:
    """Answers per stage, counted by whoever applies them."""

    SPAN_SECONDS = 5.0
    LATELY_SECONDS = 300.0  # a vision model may take a minute for one photo
    LEAST_SECONDS = 3.0  # too early to say anything before

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered: dict[str, deque[tuple[float, int]]] = defaultdict(deque)
        self._lately: dict[str, deque[tuple[int, int]]] = defaultdict(deque)  # (second, answers in it)

    def add(self, stage: str, count: int) -> None:
        now = self._clock()
        self._answered[stage].append((now, count))
        seconds = self._lately[stage]
        before = seconds.pop()[1] if seconds and seconds[-1][0] == int(now) else 0
        seconds.append((int(now), before + count))
        _forget(seconds, now - self.LATELY_SECONDS)

    def rest(self, stage: str) -> None:
        """Nothing of this stage is wanted: what follows is measured anew."""
        self._lately[stage].clear()

    def per_second(self, stage: str) -> float:
        """Over the last few seconds."""
        answered = self._answered[stage]
        _forget(answered, self._clock() - self.SPAN_SECONDS)
        return sum(count for _, count in answered) / self.SPAN_SECONDS

    def lately(self, stage: str) -> float | None:
        """Answers per second over the last minutes of work; None while it is too early to say."""
        now = self._clock()
        seconds = self._lately[stage]
        _forget(seconds, now - self.LATELY_SECONDS)
        # The first second's answers were begun before it.
        answers = sum(count for _, count in seconds) - (seconds[0][1] if seconds else 0)
        if not answers or now - seconds[0][0] < self.LEAST_SECONDS:
            return None
        return answers / (now - seconds[0][0])


def _forget(counts: deque[tuple[float, int]] | deque[tuple[int, int]], before: float) -> None:
    while counts and counts[0][0] < before:
        counts.popleft()
