"""What a person sees at the loupe."""

from playwright.async_api import Page, expect


async def at(page: Page, name: str, position: str) -> None:
    await expect(page.locator("#file-name")).to_have_text(name)
    await expect(page.locator("#position")).to_have_text(position)


async def says(page: Page, sentence: str) -> None:
    await expect(page.locator("#announced")).to_contain_text(sentence)
