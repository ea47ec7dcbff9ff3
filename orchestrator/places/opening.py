"""From a root to the place where it lies."""

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.db import BUCKETS
from orchestrator.imports.moving import root_key
from orchestrator.models import Root
from orchestrator.places.bucket import BucketPlace
from orchestrator.places.folder import FolderPlace
from orchestrator.places.place import Place
from shared.bucket_address import address_of
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
