"""A site with a password."""

from orchestrator.access import service
from tests.site import Site

PASSWORD = "tamo-kuri-vesa"


async def set_password(site: Site, password: str | None = PASSWORD) -> None:
    """None removes it."""
    async with site.services.sessions.begin() as session:
        await service.set_password(session, password)
