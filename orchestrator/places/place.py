"""A root, to look at and to read, wherever it lies."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from orchestrator.imports.walk import Folder, FoundFile, Permissions

T = TypeVar("T")


class Place(ABC):
    """Paths are relative to the root. Everything here blocks.

    Raises OSError for a file that cannot be had; in a bucket, BucketAway where that is not the fault of the file.
    """

    at_once = 1  # files that are worth asking for at a time

    @abstractmethod
    def folders(self, top: bytes, after: bytes | None, permissions: Permissions) -> Iterator[Folder]:
        """What lies in a folder of the root, in an order that can be taken up again: `after` is the path of what came
        last."""

    @abstractmethod
    def is_away(self) -> bool:
        """Whether this may not be the root at all: then nothing is known of any file."""

    @abstractmethod
    def has(self, path: bytes) -> bool: ...

    @abstractmethod
    def quick_hash(self, file: FoundFile) -> str:
        """Reads the two ends of the file."""

    @abstractmethod
    def read(self, path: bytes, most_bytes: int) -> bytes:
        """The file, or so much of its beginning."""

    def each(self, do: Callable[[FoundFile], T], files: Iterable[FoundFile]) -> list[T]:
        """`do` for each of the files, which asks this place for it. In their order."""
        if self.at_once == 1:
            return [do(file) for file in files]
        with ThreadPoolExecutor(self.at_once) as threads:
            return list(threads.map(do, files))
