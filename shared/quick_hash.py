"""A hash of a file from its size and its two ends: enough to recognise a moved original without reading it all."""

import hashlib
import os

END_BYTES = 64 * 1024


def of_bytes(head: bytes | memoryview, tail: bytes | memoryview, size: int) -> str:
    """SHA-256, in hex, of the size (8 bytes, big-endian), the first and the last 64 KiB.

    `head` and `tail` may be longer; of a file shorter than 64 KiB both are the whole file.
    """
    digest = hashlib.sha256(size.to_bytes(8, "big"))
    digest.update(head[:END_BYTES])
    digest.update(tail[-END_BYTES:])
    return digest.hexdigest()


def of_file(descriptor: int) -> str:
    """The quick hash of an open regular file; its position stays where it is. Raises OSError."""
    size = os.fstat(descriptor).st_size
    head = os.pread(descriptor, END_BYTES, 0)
    return of_bytes(head, os.pread(descriptor, END_BYTES, max(0, size - END_BYTES)), size)
