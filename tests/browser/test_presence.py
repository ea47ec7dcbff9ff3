"""An open loupe says that somebody looks through it, and says when it is left."""

from orchestrator import attention
from tests.browser.browsers import Browser
from tests.relaying import until
from tests.site import Site


async def test_bulk_work_goes_easy_while_the_loupe_is_open(site: Site, served: str, browser: Browser) -> None:
    page = await browser.open(f"{served}/gallery")

    async def is_there() -> bool:
        async with site.session() as session:
            return await attention.is_there(session)

    async def is_gone() -> bool:
        return not await is_there()

    assert await is_gone()
    await page.goto(f"{served}/review")
    await until(is_there, "the loupe to say that somebody is there")
    await page.goto(f"{served}/gallery")
    await until(is_gone, "the loupe to say that it was left")
