"""Originals in a bucket: looked at and read, never written."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared import quick_hash
from shared.bucket import PART_BYTES, Bucket
from shared.bucket_address import BucketAddress, address
from shared.bucket_trouble import READING, status_of
from shared.errors import BucketAway, KeepersError, OutsideRoots
from shared.settings import Settings

if TYPE_CHECKING:
    from obstore import ObjectMeta

_ARCHIVED = "InvalidObjectState"  # what S3 says of an object that has to be brought back from its archive first
_MOST_PROBED = 3
_MOST_OPENED = 100
REST_SECONDS = 5  # for those who look at many files, one after the other
_SECOND_NS = 1_000_000_000


class Changed(Exception):
    """The object was replaced while it was read."""


class TooSlow(Exception):
    """The object does not come in the time that there is."""


class TooMuch(Exception):
    """The object is larger than it may be."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


@dataclass(frozen=True)
class Seen:
    """What an object store says about an object, as a disk would say it of a file."""

    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Part:
    data: bytes
    seen: Seen


class OriginalsBucket(Bucket):
    """A root in a bucket. `key` of the breaker: that of the root. One that does not answer is not asked again for
    `rest_seconds`: who goes through many files waits for it once. Raises OutsideRoots for what of the root the
    settings do not let Keepers read."""

    def __init__(self, root: BucketAddress, settings: Settings, key: str, rest_seconds: float = 0) -> None:
        super().__init__(str(root), settings, key, READING)
        self._root = root
        self._allowed = settings.library_buckets
        self._rest_seconds = rest_seconds
        self._resting: tuple[float, str] = (0, "")  # until when, and why

    @contextmanager
    def speaking(self, key: str | None) -> Iterator[None]:
        if key is not None and not self._may_read(key):
            raise OutsideRoots(path=f"{self.url}/{key}")
        until, why = self._resting
        if time.monotonic() < until:
            raise BucketAway(why, key=self.key)
        try:
            with super().speaking(key):
                yield
        except BucketAway as exc:
            self._resting = (time.monotonic() + self._rest_seconds, exc.message)
            raise

    def files(self, folder: str, after: str | None) -> Iterator[tuple[str, Seen]]:
        """The key and the looks of everything in a folder, or of what follows one key. Asks for more as it is read."""
        if not self._may_read(folder):
            raise OutsideRoots(path=f"{self.url}/{folder}")
        for some in self.list(folder, after):
            for meta in some:
                yield meta["path"], seen(meta)

    def _may_read(self, key: str) -> bool:
        return self._allowed is None or (self._root / key).is_inside(self._allowed)

    def look(self, key: str) -> Seen:
        return seen(self.stat(key))

    def part(self, key: str, first: int, beyond: int) -> Part:
        """The bytes from `first` up to `beyond`, or as many as there are; at most PART_BYTES should be asked for."""
        import obstore

        with self.speaking(key):
            try:
                found = obstore.get(self.store, key, options={"range": (first, beyond)})
                return Part(bytes(found.bytes()), seen(found.meta))
            except Exception as exc:  # the library's own, which are told apart by what they say
                if status_of(exc) != 416:  # it ends before that
                    raise
            return Part(b"", seen(obstore.head(self.store, key)))

    def read_original(self, key: str, most_bytes: int | None) -> bytes:
        return self.read(key) if most_bytes is None else self.part(key, 0, most_bytes).data

    def quick_hash(self, key: str, size: int) -> str:
        """As of the same file on a disk. Reads the two ends. Raises Changed."""
        head = self.part(key, 0, quick_hash.END_BYTES)
        tail = head if size <= quick_hash.END_BYTES else self.part(key, size - quick_hash.END_BYTES, size)
        if not size == head.seen.size == tail.seen.size:
            raise Changed
        return quick_hash.of_bytes(head.data, tail.data, size)

    def fetch(self, key: str, into: Path, most_bytes: int, seconds: float) -> Seen:
        """The whole object as a file. Raises TooMuch, Changed and TooSlow."""
        until = time.monotonic() + seconds
        part = self.part(key, 0, PART_BYTES)
        if part.seen.size > most_bytes:
            raise TooMuch(part.seen.size)
        with open(into, "xb") as file:
            file.write(part.data)
            while file.tell() < part.seen.size:
                if time.monotonic() > until:
                    raise TooSlow
                following = self.part(key, file.tell(), min(file.tell() + PART_BYTES, part.seen.size))
                if following.seen != part.seen or not following.data:
                    raise Changed
                file.write(following.data)
        return part.seen

    def refuses_alone(self, key: str, exc: Exception) -> bool:
        """One in an archive, or with rights of its own. Else all would wait for it in vain."""
        if _ARCHIVED in str(exc):
            return True
        others = [other for some in self._first() for other in some if other != key and self._may_read(other)]
        return any(self._can_be_read(other) for other in others[:_MOST_PROBED])

    def _first(self) -> Iterator[list[str]]:
        for some in self.list(""):
            yield [meta["path"] for meta in some if meta["size"]]
            return

    def _can_be_read(self, key: str) -> bool:
        import obstore

        try:
            obstore.get_range(self.store, key, start=0, end=1)
        except Exception as exc:  # the library's own, which are told apart by what they say
            if status_of(exc) == 403 or isinstance(exc, FileNotFoundError):
                return False
            self._translate(exc, None)
            raise
        return True


class OriginalsBuckets:
    """Every root in a bucket that the settings let Keepers read; each is opened once."""

    def __init__(self, settings: Settings, rest_seconds: float = 0) -> None:
        self._settings = settings
        self._rest_seconds = rest_seconds
        self._own = address(settings.claims_url) if settings.claims_url else None
        self._opened: dict[tuple[BucketAddress, str], OriginalsBucket] = {}

    def at(self, root: BucketAddress, key: str) -> OriginalsBucket:
        """Raises OutsideRoots for one of which nothing may be read, and BucketAway where no bucket can be opened at
        all. `key`: of the breaker."""
        allowed = self._settings.library_buckets
        if allowed is not None and not root.is_inside(allowed) and not any(one.is_inside([root]) for one in allowed):
            raise OutsideRoots(path=str(root))
        if (root, key) not in self._opened:
            if len(self._opened) >= _MOST_OPENED:
                self._opened.clear()
            self._opened[root, key] = self._open(root, key)
        return self._opened[root, key]

    def _open(self, root: BucketAddress, key: str) -> OriginalsBucket:
        try:
            return OriginalsBucket(root, self._settings, key, self._rest_seconds)
        except KeepersError as exc:  # a package is missing here, which is not the fault of a photo
            raise BucketAway(exc.message, key=key) from exc

    def is_own(self, where: BucketAddress) -> bool:
        """Whether Keepers itself keeps its derived files there."""
        return self._own is not None and where.is_inside([self._own])


def seen(meta: "ObjectMeta") -> Seen:
    """Lists say the time to the millisecond, objects themselves to the second. In place of the rest stands what tells
    their bytes apart: one that was replaced within a second is another one."""
    seconds = int(meta["last_modified"].timestamp())
    named = (meta["e_tag"] or "").removeprefix("W/").strip('"')  # some stores list it without
    tag = hashlib.sha256(named.encode()).digest()[:8]
    return Seen(meta["size"], seconds * _SECOND_NS + int.from_bytes(tag) % _SECOND_NS)
