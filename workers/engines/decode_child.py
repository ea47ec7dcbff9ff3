"""The process in which files are decoded: `python -m workers.engines.decode_child`, started by `decoder.Decoder`.

One JSON line in, one out: first the settings, then requests. It may die at any file; nobody else does.
"""

import contextlib
import ctypes
import faulthandler
import os
import resource
import signal
import sys
import traceback
from typing import TextIO

from shared.claims_folder import FolderClaims
from shared.contracts import Message, convert, render
from shared.errors import Verdict
from shared.settings import Settings
from workers import fetching
from workers.engines import decode_protocol as protocol
from workers.engines.child import STARVED_TIMES

PR_SET_PDEATHSIG = 1
GRACE_SECONDS = 10  # the parent ends a slow decode; the alarm is for a child that has lost its parent


def main() -> None:
    requests, replies = _private_pipes()
    settings = protocol.settings_of(requests.readline())
    _confine(settings)
    one_thread_each()
    _say(replies, protocol.READY)
    for line in requests:
        signal.setitimer(signal.ITIMER_REAL, STARVED_TIMES * settings.decode_seconds + GRACE_SECONDS)
        reply = _answer(line, settings)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _say(replies, reply | {protocol.FETCH_SECONDS: fetching.take()})


def one_thread_each() -> None:
    """Workers are as many as cores: threads inside the libraries would only fight each other."""
    os.environ.update(OMP_NUM_THREADS="1", VIPS_CONCURRENCY="1", OPENCV_LOG_LEVEL="SILENT")
    import cv2  # after the environment, which the libraries read once
    import pyvips  # type: ignore[import-untyped]  # ships none

    cv2.setNumThreads(1)
    pyvips.cache_set_max(0)  # no photo comes twice


def _private_pipes() -> tuple[TextIO, TextIO]:
    """The parent's pipes under numbers of our own, so that no library can print into the protocol."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return os.fdopen(requests, encoding="utf-8"), os.fdopen(replies, "w", encoding="utf-8")


def _confine(settings: Settings) -> None:
    """A limit on memory, and an end when the parent ends."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which closes this process in order
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = settings.decode_memory_mb * 1024 * 1024
    with contextlib.suppress(ValueError, OSError):  # macOS knows no limit of the address space
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _answer(line: str, settings: Settings) -> protocol.Reply:
    try:
        return protocol.done(_work(protocol.request_of(line, (convert.Request, render.Request)), settings))
    except Verdict as verdict:
        return protocol.refused(verdict)
    except MemoryError:
        return protocol.OUT_OF_MEMORY
    except Exception:  # a bug of ours: the runner decides what happens to it
        return protocol.bug(traceback.format_exc())


def _work(request: Message, settings: Settings) -> Message:
    from workers.engines.conversion import convert_file
    from workers.engines.rendition import render_file

    claims = claims_of(settings)
    if isinstance(request, render.Request):
        return render_file(request, settings, claims)
    assert isinstance(request, convert.Request)
    return convert_file(request, settings, claims)


def claims_of(settings: Settings) -> FolderClaims:
    """With the originals that were fetched out of buckets."""
    roots = settings.library_roots
    return FolderClaims(settings.claims_folder, None if roots is None else (*roots, settings.originals_folder))


def _say(replies: TextIO, reply: protocol.Reply) -> None:
    replies.write(protocol.line_of(reply))
    replies.flush()


if __name__ == "__main__":
    main()
