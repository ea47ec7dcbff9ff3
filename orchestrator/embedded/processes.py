"""What the two services share: starting a program with a log, its last words, and free ports."""

import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

# Not the caller's environment: a PGPORT or a RABBITMQ_NODENAME set there is meant for another server.
SEARCH_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/homebrew/sbin:/opt/homebrew/bin"

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def dies_with_parent(signal_number: int = signal.SIGTERM) -> Callable[[], None]:
    """A `preexec_fn` that has the kernel signal the child when the thread that started it ends, however it ends.

    Linux only; elsewhere the next start clears what was left.
    """
    parent = os.getpid()

    def ask_kernel() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, signal_number)
            if os.getppid() != parent:  # it ended before the kernel was asked
                os.kill(os.getpid(), signal_number)

    return ask_kernel


def last_lines(log: Path, count: int = 8) -> str:
    """What a service said last, to quote when it does not start."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-count:])


def free_port() -> int:
    """A port on the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: connections in TIME_WAIT of the run before do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def end(processes: Iterable[psutil.Process], polite_seconds: float, request: int = signal.SIGTERM) -> None:
    """Ask with a signal, then make sure with SIGKILL."""
    alive = list(processes)
    for number, seconds in ((request, polite_seconds), (signal.SIGKILL, 10)):
        for process in alive:
            _signal(process, number)
        deadline = time.monotonic() + seconds
        while (alive := [process for process in alive if is_alive(process)]) and time.monotonic() < deadline:
            time.sleep(0.02)


def is_alive(process: psutil.Process) -> bool:
    """Not for a zombie: it holds nothing any more, and only init can remove it."""
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return
