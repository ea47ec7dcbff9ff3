"""Addresses of originals in an object store: `s3://bucket`, or `s3://bucket/folder`."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote_to_bytes

from shared.errors import KeepersError, OutsideRoots

SCHEME = "s3://"
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class BucketAddress:
    """A folder of a bucket, or an object. `key` has no slash at its ends; "" is the whole bucket."""

    bucket: str
    key: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}{self.bucket}/{self.key}".rstrip("/")

    @property
    def name(self) -> str:
        return PurePosixPath(self.key).name or self.bucket

    @property
    def folder(self) -> "BucketAddress":
        """The one that this lies in."""
        return BucketAddress(self.bucket, self.key.rpartition("/")[0])

    def __truediv__(self, key: str) -> "BucketAddress":
        return BucketAddress(self.bucket, f"{self.key}/{key}".strip("/"))

    def below(self, base: "BucketAddress") -> str | None:
        """The key relative to `base`, "" for the base itself; None when it does not lie there."""
        if self.bucket != base.bucket:
            return None
        if not base.key or self.key == base.key:
            return self.key[len(base.key) :]
        return self.key[len(base.key) + 1 :] if self.key.startswith(f"{base.key}/") else None

    def is_inside(self, bases: Iterable["BucketAddress"]) -> bool:
        """Whether it is one of these or lies in one."""
        return any(self.below(base) is not None for base in bases)


def is_address(named: str | bytes) -> bool:
    """Whether this means a bucket, and not a file or a folder."""
    return named.startswith(SCHEME) if isinstance(named, str) else named.startswith(SCHEME.encode())


def address(named: str) -> BucketAddress:
    """What a person wrote as `s3://...`. Raises KeepersError for what can be no address."""
    if re.match(rf"{SCHEME}[^/]*@", named):  # it would be shown wherever the address is
        raise KeepersError("An address has a name or a password in it. Set AWS_ACCESS_KEY_ID and its secret instead.")
    found = _parsed(named)
    if found is None or not named.isprintable():
        raise KeepersError(f"{named!r} is no address of a bucket. Write it as s3://bucket or s3://bucket/folder.")
    return found


def address_of(claim: str | bytes) -> BucketAddress | None:
    """Where the original of this claim, or of this path of a root, lies; None when that is no bucket. Raises
    OutsideRoots for what no bucket can hold."""
    raw = unquote_to_bytes(claim) if isinstance(claim, str) else claim
    if not is_address(raw):
        return None
    found = _parsed(raw.decode("utf-8", "replace"))
    if found is None:
        raise OutsideRoots(path=claim if isinstance(claim, str) else quote(claim))
    return found


def _parsed(written: str) -> BucketAddress | None:
    bucket, _, key = written.removeprefix(SCHEME).partition("/")
    key = key.strip("/")
    is_odd = key != "" and any(part in ("", ".", "..") for part in key.split("/"))
    return BucketAddress(bucket, key) if is_address(written) and _BUCKET.fullmatch(bucket) and not is_odd else None
