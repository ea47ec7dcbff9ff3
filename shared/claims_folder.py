"""Derived files in a folder that both services reach under the same path."""

import asyncio
import errno
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from shared.claims import CLAIMS_DISK, ByteRange, ClaimStore, Stored, claim_of, inside, is_original, path_of
from shared.errors import ClaimsAway, NoSpace, OutsideRoots
from shared.originals_bucket import OriginalsBuckets


class FolderClaims(ClaimStore):
    """Derived files under `folder`."""

    def __init__(
        self, folder: Path, roots: tuple[Path, ...] | None = None, buckets: OriginalsBuckets | None = None
    ) -> None:
        super().__init__(folder / "tmp", roots, buckets)
        self.folder = folder

    @property
    def place(self) -> str:
        return str(self.folder)

    def path(self, claim: str) -> Path:
        """Where the claim, of a derived file or of an original, lies on this machine. Raises OutsideRoots."""
        return self.original(claim) if is_original(claim) else self._derived(claim)

    def read(self, claim: str) -> bytes:
        with self.open(claim) as file:
            return file.read()

    def open(self, claim: str) -> BinaryIO:
        try:
            return open(self._derived(claim), "rb")
        except OSError as exc:
            if not self.folder.is_dir():
                raise ClaimsAway(f"The folder of previews, {self.folder}, is not there.", key=CLAIMS_DISK) from exc
            raise

    def stat(self, claim: str) -> Stored:
        return _stored(claim, self._derived(claim).stat())

    def put(self, key: str, data: bytes) -> str:
        return self._put(key, lambda target: self._write(target, data))

    def put_file(self, key: str, file: Path) -> str:
        def move(target: Path) -> None:
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)

        return self._put(key, move)

    def remove(self, claim: str) -> None:
        self._derived(claim).unlink(missing_ok=True)

    def list(self, folder: str) -> Sequence[Stored]:
        found = []
        for path in (self.folder / folder).glob("*"):
            with suppress(FileNotFoundError):  # removed meanwhile
                found.append(_stored(claim_of(path.relative_to(self.folder)), path.stat()))
        return found

    async def deliver(self, claim: str, wanted: ByteRange | None = None) -> Path:
        if not await asyncio.to_thread(self.verify, claim):  # a network drive may take its time
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), claim)
        return self._derived(claim)

    def _derived(self, claim: str) -> Path:
        if is_original(claim):
            raise OutsideRoots(path=claim)
        return inside(self.folder / path_of(claim), (self.folder,))

    def _put(self, key: str, write: Callable[[Path], None]) -> str:
        target = self.folder / key
        try:
            if target.exists():
                os.utime(target)
            else:
                write(target)
        except OSError as exc:
            if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise NoSpace(
                    f"Keepers cannot write previews to {self.folder}: {os.strerror(exc.errno)}.", key=CLAIMS_DISK
                ) from exc
            raise
        return claim_of(key)

    def _write(self, target: Path, data: bytes) -> None:
        temporary = self.scratch / f"{target.name}.{secrets.token_hex(6)}"
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                file.write(data)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)


def _stored(claim: str, found: os.stat_result) -> Stored:
    version = f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"  # a file that was tampered with has another
    return Stored(claim, found.st_size, found.st_mtime, version)
