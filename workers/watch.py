"""What the supervisor can read of its child while that is stuck in a C call: its deadline, and its last beat."""

import mmap
import os
import struct
import tempfile
import time

# CLOCK_MONOTONIC seconds, shared by all processes
_SECONDS = struct.Struct("d")
_DEADLINE = 0  # 0 = idle
_BEAT = _SECONDS.size  # 0 = not yet connected to the broker


class Watch:
    """A few bytes of memory that two processes share through an inherited descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _BEAT + _SECONDS.size)

    @classmethod
    def create(cls) -> "Watch":
        with tempfile.TemporaryFile() as file:
            file.truncate(_BEAT + _SECONDS.size)
            return cls(os.dup(file.fileno()))

    def start(self, seconds: float) -> None:
        self._write(_DEADLINE, time.monotonic() + seconds)

    def clear(self) -> None:
        self._write(_DEADLINE, 0.0)

    def is_overdue(self) -> bool:
        return 0 < self._read(_DEADLINE) < time.monotonic()

    def beat(self) -> None:
        """Said now and then by a child that is connected to the broker."""
        self._write(_BEAT, time.monotonic())

    def last_beat(self) -> float:
        """In seconds of CLOCK_MONOTONIC; 0 before the first."""
        return self._read(_BEAT)

    def close(self) -> None:
        self._memory.close()
        os.close(self.descriptor)

    def _write(self, place: int, seconds: float) -> None:
        _SECONDS.pack_into(self._memory, place, seconds)

    def _read(self, place: int) -> float:
        seconds: float = _SECONDS.unpack_from(self._memory, place)[0]
        return seconds
