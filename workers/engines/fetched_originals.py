"""Originals in a bucket, fetched for the decode child: that gets no address and no key of the store."""

import errno
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from shared.bucket_address import BucketAddress, address_of
from shared.claims import CLAIMS_DISK, claim_of
from shared.contracts import convert, render
from shared.errors import FileVanished, Hold, NoSpace, Reject, Retry, Verdict
from shared.originals_bucket import Changed, OriginalsBucket, OriginalsBuckets, Seen, TooMuch, TooSlow
from shared.settings import Settings
from workers.domain.names import printable_name
from workers.engines.desks import LEFT_SECONDS, clean, new_desk
from workers.engines.originals import MOST_BYTES, too_large
from workers.fetching import fetching

log = structlog.get_logger()

FETCH_SECONDS = 180  # twice this, for a RAW and its JPEG, and a decode fit into the deadline of a stage
LONGEST_NAME = 200  # in bytes; disks take 255, object stores more
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)

R = TypeVar("R", convert.Request, render.Request)


@dataclass(frozen=True)
class AtHand(Generic[R]):
    """A request about files of this machine. `seen`: the original as it is in its bucket."""

    request: R
    seen: Seen | None = None

    def told_of(self, result: convert.Result) -> convert.Result:
        """The result about the original, not about the file that it was for a moment."""
        return result if self.seen is None else result.model_copy(update={"mtime_ns": self.seen.mtime_ns})


class FetchedOriginals:
    def __init__(self, settings: Settings) -> None:
        self._folder = settings.originals_folder
        self._buckets = OriginalsBuckets(settings)
        self._clean_until = 0.0

    @contextmanager
    def at_hand(self, request: R) -> Iterator[AtHand[R]]:
        """The request with originals that can be opened; what had to be fetched is removed in the end.

        Raises FileVanished, TooLarge, Reject, Retry, OutsideRoots, and Hold with the key of the root.
        """
        with ExitStack() as stack:
            here = self._main(request, stack)
            yield AtHand(self._with_companion(here.request, request, stack), here.seen)

    def _main(self, request: R, stack: ExitStack) -> AtHand[R]:
        where = address_of(request.file_path)
        if where is None:
            return AtHand(request)
        file, seen = self._fetch(where, request, stack)
        return AtHand(request.model_copy(update={"file_path": claim_of(file), "root": claim_of(file.parent)}), seen)

    def _with_companion(self, here: R, request: R, stack: ExitStack) -> R:
        """A companion that cannot be had is none, as one on a disk."""
        where = address_of(request.companion) if request.companion else None
        if where is None:
            return here
        try:
            file, _ = self._fetch(where, request, stack)
        except Hold:
            raise
        except Verdict as verdict:
            log.info("originals.companion_unusable", photo_id=request.photo_id, reason=verdict.message)
            return here.model_copy(update={"companion": None})
        return here.model_copy(update={"companion": claim_of(file)})

    def _fetch(self, where: BucketAddress, request: R, stack: ExitStack) -> tuple[Path, Seen]:
        bucket, key = self._bucket(where, request)
        desk = self._new_desk(stack)
        name = printable_name(claim_of(where.name))
        file = desk / where.name.encode()[-LONGEST_NAME:].decode("utf-8", "ignore")
        try:
            with fetching():
                return file, bucket.fetch(key, file, MOST_BYTES, FETCH_SECONDS)
        except TooMuch as exc:
            raise too_large(name, exc.size) from exc
        except Changed as exc:
            raise Retry(f"{name} changed while it was read.") from exc
        except TooSlow as exc:
            raise Retry(f"{name} did not come out of its bucket within {FETCH_SECONDS} seconds.") from exc
        except FileNotFoundError as exc:
            raise FileVanished(f"{name} is not there any more.") from exc
        except PermissionError as exc:
            raise Reject(f"The object store refuses {name}: it lies in an archive, or has rights of its own.") from exc
        except OSError as exc:
            raise self._no_room(exc) from exc

    def _bucket(self, where: BucketAddress, request: R) -> tuple[OriginalsBucket, str]:
        """That of the root, or the folder of a file that lies in another one."""
        root = address_of(request.root)
        if root is None or not where.below(root):
            root = where.folder
        return self._buckets.at(root, request.root_key), where.below(root) or ""

    def _new_desk(self, stack: ExitStack) -> Path:
        try:
            if time.monotonic() >= self._clean_until:  # one that was killed a moment ago is not taken for left yet
                clean(self._folder)
                self._clean_until = time.monotonic() + LEFT_SECONDS
            self._folder.mkdir(parents=True, exist_ok=True)
            desk = new_desk(self._folder)
        except OSError as exc:
            raise self._no_room(exc) from exc
        stack.callback(shutil.rmtree, desk, ignore_errors=True)
        return desk

    def _no_room(self, exc: OSError) -> Exception:
        if exc.errno not in _FULL:
            return exc
        return NoSpace(f"Keepers cannot put originals into {self._folder}: {os.strerror(exc.errno)}.", key=CLAIMS_DISK)
