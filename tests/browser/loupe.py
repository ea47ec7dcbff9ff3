"""What a person sees at the loupe."""

from playwright.async_api import Page, expect


async def at(page: Page, name: str, position: str) -> None:
    await expect(page.locator("#file-name")).to_have_text(name)
    await expect(page.locator("#position")).to_have_text(position)


async def says(page: Page, sentence: str) -> None:
    await expect(page.locator("#announced")).to_contain_text(sentence)


async def overlapping(page: Page) -> list[str]:
    """What lies over another in the line above the photo."""
    found: list[str] = await page.evaluate(
        """() => {
          const parts = document.querySelectorAll(".loupe-line > *, .loupe-look button, .loupe-decide button");
          const seen = [...parts].filter((part) => part.offsetWidth);
          const common = (one, other, from, to) => Math.min(one[to], other[to]) - Math.max(one[from], other[from]) > 1;
          return seen.flatMap((part, n) => seen.slice(n + 1).filter((after) => {
            const [one, other] = [part.getBoundingClientRect(), after.getBoundingClientRect()];
            return common(one, other, "left", "right") && common(one, other, "top", "bottom");
          }).map((after) => part.outerHTML + after.outerHTML));
        }"""
    )
    return found
