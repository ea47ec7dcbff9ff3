"""Roots in buckets. An address is an address: nothing comes back elsewhere, and nothing has to be recognised."""

from itertools import islice

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from orchestrator import breakers, identity_lock
from orchestrator.imports import moving
from orchestrator.imports.folders import not_in
from orchestrator.imports.roots import RootedFolder
from orchestrator.models import Root
from shared.bucket_address import BucketAddress, address_of
from shared.errors import BucketAway
from shared.originals_bucket import OriginalsBuckets
from shared.settings import Settings

NOT_WATCHED = "{} is a bucket, which says nothing of new photos: it is not watched. Import it again for what is new."
LOOKING = "looking"  # a breaker key that nothing waits behind


def may_read(where: BucketAddress, settings: Settings) -> str | None:
    """Why this folder of a bucket cannot be opened; None when it can, as far as that shows without asking."""
    allowed = settings.library_buckets
    if OriginalsBuckets(settings).is_own(where):
        return f"{where} is where Keepers keeps its own data."
    if allowed is not None and not where.is_inside(allowed):
        return not_in(str(where), settings)
    return None


def allowed(where: BucketAddress, settings: Settings) -> str | None:
    """Why it cannot be imported; None when it can. Asks the object store, so not for the event loop."""
    if refused := may_read(where, settings):
        return refused
    try:
        is_empty = not list(islice(OriginalsBuckets(settings).at(where, LOOKING).files("", None), 1))
    except BucketAway as exc:
        return exc.message
    return f"There is nothing in {where}. Is it written as in the bucket, capitals too?" if is_empty else None


async def place(session: AsyncSession, where: BucketAddress, settings: Settings) -> RootedFolder:
    """The root that this address belongs to, made if it is new; the bucket has just answered. Under the identity lock
    from here on."""
    await identity_lock.take(session)
    roots = await _roots(session)
    holding = [root for root, its in roots if where.below(its) is not None]
    root = max(holding, key=lambda root: len(root.path), default=None)
    if root is None:
        top = next((one for one in settings.library_buckets or () if where.below(one) is not None), where)
        root = await _create(session, top)
        for inner, its in roots:
            if prefix := its.below(top):
                await moving.absorb(session, root, inner, prefix.encode())
    if root.state != "online":
        root.state, root.problem = "online", None
        await session.flush()
        await breakers.close(session, moving.root_key(root.id))
    its_address = address_of(root.path)
    relative = None if its_address is None else where.below(its_address)
    assert relative is not None
    return RootedFolder(root, relative.encode())


async def _roots(session: AsyncSession) -> list[tuple[Root, BucketAddress]]:
    rows = await session.execute(select(Root).order_by(col(Root.id)).execution_options(populate_existing=True))
    return [(root, where) for root in rows.scalars() if (where := address_of(root.path))]


async def _create(session: AsyncSession, where: BucketAddress) -> Root:
    root = Root(path=str(where).encode(), label=str(where))
    session.add(root)
    await session.flush()
    return root
