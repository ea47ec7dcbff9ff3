"""Derived files in a bucket of an object store."""

import errno
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shared.bucket import Bucket
from shared.claims import CLAIMS_DISK, ByteRange, ClaimStore, Download, Stored, claim_of, is_original, path_of
from shared.errors import OutsideRoots
from shared.originals_bucket import OriginalsBuckets
from shared.settings import Settings

if TYPE_CHECKING:
    from obstore import ObjectMeta

AT_ONCE = 16  # questions after many files: an answer takes some ten milliseconds, whoever asks


class ObjectClaims(ClaimStore):
    """Derived files under `settings.claims_url`. Only what is not finished lies on this machine."""

    def __init__(self, settings: Settings, buckets: OriginalsBuckets | None = None) -> None:
        assert settings.claims_url is not None
        super().__init__(settings.cache_folder / "tmp", settings.library_roots, buckets)
        self._bucket = Bucket(settings.claims_url, settings, CLAIMS_DISK)

    @property
    def place(self) -> str:
        return self._bucket.url

    def read(self, claim: str) -> bytes:
        return self._bucket.read(_key(claim))

    def stat(self, claim: str) -> Stored:
        return _stored(self._bucket.stat(_key(claim)))

    def stats(self, claims: Iterable[str]) -> dict[str, Stored]:
        with ThreadPoolExecutor(AT_ONCE) as threads:
            found = threads.map(partial(ClaimStore.stats, self), ([claim] for claim in claims))
            return {claim: file for one in found for claim, file in one.items()}

    def put(self, key: str, data: bytes) -> str:
        self._bucket.put(key, data)  # also where it is: that costs no more than to ask, and gives it a new time
        return claim_of(key)

    def put_file(self, key: str, file: Path) -> str:
        self._bucket.put(key, file)
        return claim_of(key)

    def remove(self, claim: str) -> None:
        self._bucket.remove(_key(claim))

    def list(self, folder: str) -> Sequence[Stored]:
        return [_stored(meta) for some in self._bucket.list(folder) for meta in some]

    async def deliver(self, claim: str, wanted: ByteRange | None = None) -> Download:
        found = await self._bucket.deliver(_key(claim), wanted)
        if not found.size:
            raise FileNotFoundError(errno.ENOENT, "It is empty", claim)
        return found


def _key(claim: str) -> str:
    path = path_of(claim)
    if is_original(claim) or ".." in path.parts:
        raise OutsideRoots(path=claim)
    return str(path)


def _stored(meta: "ObjectMeta") -> Stored:
    version = meta["e_tag"] or meta["last_modified"].isoformat()
    return Stored(claim_of(meta["path"]), meta["size"], meta["last_modified"].timestamp(), version)
