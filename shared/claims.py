"""Claim checks: a message carries the path of a file, never its bytes.

A claim is either absolute (an original, on the photographer's drive) or relative (a derived file, in the
claims folder that both services reach).
"""

import errno
import os
import secrets
from pathlib import Path
from typing import Annotated, BinaryIO
from urllib.parse import quote, unquote_to_bytes

from pydantic import AfterValidator

from shared.errors import NoSpace, OutsideRoots

CLAIMS_DISK = "claims"  # the breaker key of the disk that holds derived files


def claim_of(path: str | bytes | os.PathLike[str]) -> str:
    """The wire form of a path: percent-encoded bytes, so that any file name survives JSON and SQL."""
    return quote(os.fsencode(path), safe="/")


def path_of(claim: str) -> Path:
    """The path a claim stands for; inverse of `claim_of`."""
    return Path(os.fsdecode(unquote_to_bytes(claim)))


def _checked(claim: str) -> str:
    if not claim or claim_of(unquote_to_bytes(claim)) != claim:
        raise ValueError("a claim path is percent-encoded, as shared.claims.claim_of writes it")
    return claim


ClaimPath = Annotated[str, AfterValidator(_checked)]


class ClaimStore:
    """Originals under the allowed roots, to read; derived files under `folder`, to read and to put.

    `roots` None allows originals anywhere but in the claims folder itself.
    """

    def __init__(self, folder: Path, roots: tuple[Path, ...] | None = None) -> None:
        self.folder = folder
        self.roots = roots

    def path(self, claim: str) -> Path:
        """Where the claim lies on this machine.

        Raises OutsideRoots for a path, symlinks resolved, that no root contains.
        """
        path = path_of(claim)
        if not path.is_absolute():
            return self._inside(self.folder / path, (self.folder,))
        return path if self.roots is None else self._inside(path, self.roots)

    def _inside(self, path: Path, roots: tuple[Path, ...]) -> Path:
        resolved = os.path.realpath(path)
        for root in roots:
            if os.path.commonpath([resolved, os.path.realpath(root)]) == os.path.realpath(root):
                return path
        raise OutsideRoots(path=claim_of(path))

    def open(self, claim: str) -> BinaryIO:
        """The bytes behind a claim. Raises OSError when they cannot be read."""
        return open(self.path(claim), "rb")

    def verify(self, claim: str) -> bool:
        """Whether the claim can be redeemed: the file is there and is not empty."""
        try:
            return self.path(claim).stat().st_size > 0
        except OSError:
            return False

    def put(self, key: str, data: bytes) -> str:
        """Store derived bytes under `key` and return the claim. Atomic: readers see all of it or nothing.

        A key that is there is touched, not written: keys name content. Raises NoSpace when the disk is full
        or read-only.
        """
        target = self.folder / key
        try:
            if target.exists():
                os.utime(target)
            else:
                self._write(target, data)
        except OSError as exc:
            if exc.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS):
                raise NoSpace(
                    f"Keepers cannot write previews to {self.folder}: {os.strerror(exc.errno)}.", key=CLAIMS_DISK
                ) from exc
            raise
        return claim_of(key)

    def _write(self, target: Path, data: bytes) -> None:
        temporary = self.folder / "tmp" / f"{target.name}.{secrets.token_hex(6)}"
        temporary.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(temporary, "wb") as file:
                file.write(data)
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
