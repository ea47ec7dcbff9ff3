"""Claim checks: a message carries the path of a file, never its bytes.

A claim is either absolute (an original, on the photographer's drive, or `s3://...` in a bucket) or relative (a derived
file, in the place that both services reach: a folder, or an object store).
"""

import io
import os
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO
from urllib.parse import quote, unquote_to_bytes

from pydantic import AfterValidator

from shared.bucket_address import BucketAddress, address_of, is_address
from shared.errors import OutsideRoots
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.originals_bucket import OriginalsBucket, OriginalsBuckets

CLAIMS_DISK = "claims"  # the breaker key of the place that holds derived files


def claim_of(path: str | bytes | os.PathLike[str]) -> str:
    """The wire form of a path: percent-encoded bytes, so that any file name survives JSON and SQL."""
    return quote(os.fsencode(path), safe="/")


def path_of(claim: str) -> Path:
    """The path a claim stands for; inverse of `claim_of`."""
    return Path(os.fsdecode(unquote_to_bytes(claim)))


def is_original(claim: str) -> bool:
    """Whether it means a file of the photographer's, on a drive or in a bucket; else a derived one."""
    return path_of(claim).is_absolute() or is_address(unquote_to_bytes(claim))


def _checked(claim: str) -> str:
    if not claim or claim_of(unquote_to_bytes(claim)) != claim:
        raise ValueError("a claim path is percent-encoded, as shared.claims.claim_of writes it")
    return claim


ClaimPath = Annotated[str, AfterValidator(_checked)]


@dataclass(frozen=True)
class Stored:
    """A derived file as its place lists it. `version` is another one for other bytes."""

    claim: str
    size: int
    modified_at: float  # seconds since 1970
    version: str


@dataclass(frozen=True)
class ByteRange:
    """From `first` to `last`, both included; to the end without `last`, the `last` bytes without `first`."""

    first: int | None
    last: int | None


@dataclass(frozen=True)
class Download:
    """The bytes from `first` up to `beyond` of a file of `size` bytes."""

    size: int
    first: int
    beyond: int
    modified_at: float
    chunks: AsyncIterator[bytes]


class ClaimStore(ABC):
    """Originals under the allowed roots, to read; derived files, to read, to put and to remove.

    `roots` None allows originals anywhere but in the place of derived files itself. `scratch` is a folder of this
    machine for what is not finished. While the place of derived files is away or refuses, methods raise Hold with the
    key CLAIMS_DISK; a file that is not there is a FileNotFoundError, a claim that leads elsewhere OutsideRoots.
    """

    def __init__(
        self, scratch: Path, roots: tuple[Path, ...] | None = None, buckets: "OriginalsBuckets | None" = None
    ) -> None:
        self.scratch = scratch
        self.roots = roots
        self._buckets = buckets

    def original(self, claim: str) -> Path:
        """Where an original lies on this machine. Raises OutsideRoots for a path, symlinks resolved, that no root
        contains."""
        path = path_of(claim)
        if not path.is_absolute():
            raise OutsideRoots(path=claim)
        return path if self.roots is None else inside(path, self.roots)

    def read_original(self, root: bytes, path: bytes, most_bytes: int | None = None) -> bytes:
        """An original, or so much of its beginning. Raises OSError and OutsideRoots; Hold for a bucket that is away."""
        where = address_of(root)
        if where is None:
            with open(self.original(claim_of(os.path.join(root, path))), "rb") as file:
                return file.read(most_bytes)
        return self._originals(where).read_original(path.decode(), most_bytes)

    def has_original(self, root: bytes, path: bytes) -> bool:
        """Whether it can be read, as far as that shows without reading it. Raises Hold for a bucket that is away."""
        try:
            where = address_of(root)
            if where is None:
                return self.original(claim_of(os.path.join(root, path))).is_file()
            self._originals(where).look(path.decode())
        except (OSError, OutsideRoots):
            return False
        return True

    def _originals(self, root: BucketAddress) -> "OriginalsBucket":
        if self._buckets is None:
            raise OutsideRoots(path=str(root))
        return self._buckets.at(root, CLAIMS_DISK)

    @property
    @abstractmethod
    def place(self) -> str:
        """What a person calls the place of derived files: its path, or its address."""

    @abstractmethod
    def read(self, claim: str) -> bytes:
        """All bytes of a derived file."""

    def open(self, claim: str) -> BinaryIO:
        """A derived file, to read."""
        return io.BytesIO(self.read(claim))

    @abstractmethod
    def stat(self, claim: str) -> Stored: ...

    def stats(self, claims: Iterable[str]) -> dict[str, Stored]:
        """Of those that are there."""
        found: dict[str, Stored] = {}
        for claim in claims:
            try:
                found[claim] = self.stat(claim)
            except (OSError, OutsideRoots):
                continue
        return found

    def verify(self, claim: str) -> bool:
        """Whether the claim can be redeemed: the file is there and is not empty."""
        try:
            return self.stat(claim).size > 0
        except OSError:
            return False

    @abstractmethod
    def put(self, key: str, data: bytes) -> str:
        """Store derived bytes under `key` and return the claim. Atomic: readers see all of it or nothing.

        A key that is there gets a new time and keeps its bytes: keys name content. Raises NoSpace when the disk is
        full or read-only.
        """

    @abstractmethod
    def put_file(self, key: str, file: Path) -> str:
        """The same for a finished file in `scratch`, which may be moved; removing what is left of it is up to you."""

    @abstractmethod
    def remove(self, claim: str) -> None:
        """Also when it is not there."""

    @abstractmethod
    def list(self, folder: str) -> Sequence[Stored]:
        """The files right in this folder; none when there is no such folder."""

    @abstractmethod
    async def deliver(self, claim: str, wanted: ByteRange | None = None) -> Path | Download:
        """For a browser: the file, where it lies on this machine, else its bytes on their way. Raises
        FileNotFoundError also for an empty one."""


def inside(path: Path, roots: tuple[Path, ...]) -> Path:
    """The path itself. Raises OutsideRoots for one that, symlinks resolved, no root contains."""
    resolved = os.path.realpath(path)
    for root in roots:
        if os.path.commonpath([resolved, os.path.realpath(root)]) == os.path.realpath(root):
            return path
    raise OutsideRoots(path=claim_of(path))


def open_claims(settings: Settings) -> ClaimStore:
    """The place of derived files that the settings name. Raises KeepersError when it cannot be used at all."""
    from shared.claims_folder import FolderClaims
    from shared.originals_bucket import REST_SECONDS, OriginalsBuckets

    buckets = OriginalsBuckets(settings, REST_SECONDS)
    if settings.claims_url is None:
        return FolderClaims(settings.claims_folder, settings.library_roots, buckets)
    from shared.claims_objects import ObjectClaims

    return ObjectClaims(settings, buckets)
