"""A deadline that the supervisor can read while its child is stuck in a C call."""

import mmap
import os
import struct
import tempfile
import time

_DEADLINE = struct.Struct("d")  # CLOCK_MONOTONIC seconds, shared by all processes; 0 = idle


class Watch:
    """Eight bytes of memory that two processes share through an inherited descriptor."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _DEADLINE.size)

    @classmethod
    def create(cls) -> "Watch":
        with tempfile.TemporaryFile() as file:
            file.truncate(_DEADLINE.size)
            return cls(os.dup(file.fileno()))

    def start(self, seconds: float) -> None:
        _DEADLINE.pack_into(self._memory, 0, time.monotonic() + seconds)

    def clear(self) -> None:
        _DEADLINE.pack_into(self._memory, 0, 0.0)

    def is_overdue(self) -> bool:
        deadline: float = _DEADLINE.unpack_from(self._memory, 0)[0]
        return 0 < deadline < time.monotonic()

    def close(self) -> None:
        self._memory.close()
        os.close(self.descriptor)
