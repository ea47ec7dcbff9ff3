"""From a root to the place where it lies."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import BUCKETS
from orchestrator.imports.moving import root_key
from orchestrator.models import Root
from orchestrator.places.bucket import AT_ONCE, BucketPlace
from orchestrator.places.folder import FolderPlace
from orchestrator.places.place import Place
from shared.bucket_address import address_of, is_address
from shared.errors import BucketAway, OutsideRoots
from shared.originals_bucket import OriginalsBuckets

Buckets = OriginalsBuckets | None


def buckets_of(session: AsyncSession) -> Buckets:
    """What the work of this session may look into beside folders."""
    found: Buckets = session.info.get(BUCKETS)
    return found


def place_of(root: Root, buckets: Buckets) -> Place:
    """Raises OutsideRoots for a bucket that Keepers may not read any more."""
    where = address_of(root.path)
    if where is None:
        return FolderPlace(root.path)
    if buckets is None:
        raise OutsideRoots(path=str(where))
    bucket, is_own = buckets.at(where, root_key(root.id)), buckets.is_own
    return BucketPlace(bucket, lambda key: is_own(where / key))


def which_are_gone(files: Iterable[tuple[Root, bytes]], buckets: Buckets) -> set[tuple[int, bytes]]:
    """Root and path of the files that are. Blocks."""
    asked = {(root.id, path): root for root, path in files}
    if not any(is_address(root.path) for root in asked.values()):
        return {(id_, path) for (id_, path), root in asked.items() if is_gone(root, path, buckets)}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        gone = threads.map(lambda one: is_gone(asked[one], one[1], buckets), asked)
        return {one for one, is_it in zip(asked, gone, strict=True) if is_it}


def is_gone(root: Root, path: bytes, buckets: Buckets) -> bool:
    """Whether a file was removed or renamed. On a drive that is not connected, and in a bucket that does not answer,
    nothing is gone. Blocks."""
    if root.state != "online":
        return False
    try:
        place = place_of(root, buckets)
        return not place.has(path) and not place.is_away()
    except (BucketAway, OutsideRoots):
        return False
