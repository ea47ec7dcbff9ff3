"""What a worker counts. Its supervisor adds up the counts of all its workers, see workers.exposition.

Labels are stages and words of ours: never a photo, a path or an address.
"""

from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from workers.runner import Ending

_MOST_ATTEMPTS_SHOWN = 6
_IO_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
# A score takes milliseconds, a conversion a second, a vision model minutes: each stage has some steps of its own here.
_WORK_SECONDS = (
    *(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5),
    *(5, 10, 20, 40, 80, 160, 320, 640, 1400),
)

# No registry: whoever reads them reads the files that they are kept in.
FETCH_SECONDS = Histogram(
    "keepers_worker_fetch_seconds",
    "Reading what a message is about, per message",
    ["stage"],
    buckets=_IO_SECONDS,
    registry=None,
)
WORK_SECONDS = Histogram(
    "keepers_worker_work_seconds",
    "Working on a message, without the reading; of a batch the share of each",
    ["stage"],
    buckets=_WORK_SECONDS,
    registry=None,
)
PUBLISH_SECONDS = Histogram(
    "keepers_worker_publish_seconds",
    "From the outcome of a message until the broker has confirmed all that follows from it",
    ["stage"],
    buckets=_IO_SECONDS,
    registry=None,
)
MESSAGES = Counter(
    "keepers_worker_messages",
    "Messages settled, by outcome: done, held, retry, rejected, failed",
    ["stage", "outcome"],
    registry=None,
)
ATTEMPTS = Counter(
    "keepers_worker_attempts",
    "Messages settled, by the attempt it was: 1 to 5, or more",
    ["stage", "attempt"],
    registry=None,
)
IN_WORK = Gauge(
    "keepers_worker_in_work",
    "Messages that are being worked",
    ["stage"],
    multiprocess_mode="livesum",
    registry=None,
)
ENGINE_LOADS = Counter(
    "keepers_worker_engine_loads",
    "Starts of what is heavy: decode children, embedding models, taste models, the client of the vision model",
    ["engine"],
    registry=None,
)


def begin(stage: str) -> None:
    """All of a stage at zero: a count that appears with its first message would seem not to have risen."""
    for seconds in (FETCH_SECONDS, WORK_SECONDS, PUBLISH_SECONDS):
        seconds.labels(stage)
    for verdict in get_args(Ending):
        MESSAGES.labels(stage, verdict)
    ATTEMPTS.labels(stage, attempt_label(1))
    IN_WORK.labels(stage).set(0)


def attempt_label(attempt: int) -> str:
    return str(attempt) if attempt < _MOST_ATTEMPTS_SHOWN else "more"
