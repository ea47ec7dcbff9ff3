"""Decoding in a child process, so that a file which crashes, hangs or eats memory costs one photo and no worker."""

from typing import Any

import structlog

from shared.contracts import convert, render
from shared.errors import DecoderCrashed, Retry, Verdict
from shared.settings import Settings
from workers import fetching, metrics
from workers.domain.names import printable_name
from workers.engines import decode_protocol as protocol
from workers.engines.child import Child, ChildDied
from workers.engines.fetched_originals import FetchedOriginals

log = structlog.get_logger()

CHILD_MODULE = "workers.engines.decode_child"
START_SECONDS = 60
_Request = convert.Request | render.Request
PHOTOS_PER_CHILD = 200  # decoders leak; a new child takes half a second


class Decoder:
    """Owns one child at a time, started when the first photo comes. Not for several threads at once.

    Linux ends the child also when the *thread* that started it ends; then the next photo starts another.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._originals = FetchedOriginals(settings)
        self._child: Child | None = None
        self._photos_left = 0

    @property
    def child_pid(self) -> int | None:
        return self._child.pid if self._child else None

    def convert(self, request: convert.Request, attempt: int = 1) -> convert.Result:
        """The result of the child, or the Verdict that it raised."""
        with self._originals.at_hand(request) as here:
            return here.told_of(convert.Result.model_validate(self._answer(here.request, attempt)))

    def render(self, request: render.Request, attempt: int = 1) -> render.Result:
        """The result of the child, or the Verdict that it raised."""
        with self._originals.at_hand(request) as here:
            return render.Result.model_validate(self._answer(here.request, attempt))

    def _answer(self, request: _Request, attempt: int) -> dict[str, Any]:  # Any: JSON
        """A death of the child is a Retry at the first attempt, since it may have been innocent (killed for memory,
        a slow drive), and DecoderCrashed after that.
        """
        name = printable_name(request.file_path)
        try:
            reply = self._ready_child().ask(protocol.request_line(request), self._settings.decode_seconds)
        except ChildDied as death:
            self.close()
            log.warning("decoder.died", photo_id=request.photo_id, cause=death.cause, stderr=death.stderr)
            raise _verdict(name, death.cause, attempt) from death
        self._photos_left -= 1
        fetching.add(reply.pop(protocol.FETCH_SECONDS, 0))
        if reply == protocol.OUT_OF_MEMORY:
            self.close()  # what it allocated before it gave up may not come back
            raise _verdict(name, f"it needs more than {self._settings.decode_memory_mb} MB of memory", attempt)
        return _result(reply)

    def close(self) -> None:
        """End the child. The next photo starts another."""
        if self._child is not None:
            self._child.end()
            self._child = None

    def _ready_child(self) -> Child:
        if self._child is None or not self._child.is_running or self._photos_left <= 0:
            self.close()
            self._child = Child(CHILD_MODULE)
            self._child.ask(protocol.settings_line(self._settings), START_SECONDS)
            self._photos_left = PHOTOS_PER_CHILD
            metrics.ENGINE_LOADS.labels("decoder").inc()
            log.info("decoder.started", pid=self._child.pid)
        return self._child


def _verdict(name: str, cause: str, attempt: int) -> Verdict:
    if attempt == 1:
        return Retry(f"The decoder failed on {name}: {cause}.", cause=cause)
    return DecoderCrashed(f"The decoder failed on {name} twice, so it is left alone: {cause}.", cause=cause)


def _result(reply: protocol.Reply) -> dict[str, Any]:  # Any: JSON
    match reply["outcome"]:
        case "done":
            return dict(reply["result"])
        case "refused":
            raise protocol.verdict_of(reply)
        case _:
            raise RuntimeError(f"the decode child failed:\n{reply.get('traceback', reply)}")
