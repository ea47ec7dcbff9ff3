"""An open loupe says that somebody looks through it, and says when it is left."""

from tests.browser.browsers import Browser
from tests.relaying import until
from tests.site import Site


async def test_bulk_work_goes_easy_while_the_loupe_is_open(site: Site, served: str, browser: Browser) -> None:
    page = await browser.open(f"{served}/gallery")
    assert not site.services.attention.is_there
    await page.goto(f"{served}/review")
    await until(lambda: site.services.attention.is_there, "the loupe to say that somebody is there")
    await page.goto(f"{served}/gallery")
    await until(lambda: not site.services.attention.is_there, "the loupe to say that it was left")
