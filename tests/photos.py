"""Photos of a site: put there, and asked for over HTTP or in the database."""

import asyncio
from typing import Any

from orchestrator import events
from orchestrator.models import Photo
from tests import factories
from tests.site import Site


async def some_photos(site: Site, *fields: dict[str, Any]) -> list[Photo]:
    async with site.session() as session:
        root = await factories.a_root(session)
        photos = [await factories.a_photo(session, root, f"DSC_{n:04}.jpg", **field) for n, field in enumerate(fields)]
        await session.commit()
    return photos


async def add_photos(site: Site, count: int, *, with_pictures: bool = True) -> list[Photo]:
    """Photos of changing shape, told to open pages."""
    async with site.session() as session:
        root = await factories.a_root(session, b"/photos/%d" % count)
        photos = []
        for n in range(count):
            width, height = [(600, 400), (400, 600), (700, 300)][n % 3]
            shape = {"width": width, "height": height, "preview_width": width, "preview_height": height}
            photo = await factories.a_photo(session, root, f"DSC_{n:04}.jpg", **shape)
            if with_pictures:
                await factories.a_picture(session, site.claims, photo, factories.a_gradient(width, height, n * 37))
            await factories.a_run(session, photo)
            photos.append(photo)
        await factories.tell(session, events.PHOTOS, *(photo.id for photo in photos))
    return photos


async def settled(site: Site, photo: Photo, **expected: Any) -> None:
    """Once the server has it."""
    async with asyncio.timeout(60):
        while True:
            async with site.session() as session:
                found = await session.get(Photo, photo.id)
            assert found is not None
            seen: dict[str, Any] = {
                "user_rating": found.user_rating,
                "manual_match": found.manual_match,
                "kept": found.kept_at is not None,
                "rejected": found.rejected_at is not None,
            }
            if {name: seen[name] for name in expected} == expected:
                return
            await asyncio.sleep(0.02)


async def all_pages(site: Site, address: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    after = ""
    while True:
        page = (await site.client.get(f"{address}&after={after}")).json()
        items += page["items"]
        if page["next"] is None:
            return items
        after = page["next"]


async def names(site: Site, address: str) -> list[str]:
    return [item["file_name"] for item in (await site.client.get(address)).json()["items"]]


async def counted(site: Site, address: str) -> dict[str, int]:
    counts: dict[str, int] = (await site.client.get(address)).json()
    return {name: n for name, n in counts.items() if name != "as_of_event"}
