"""Fingers on a page."""

from playwright.async_api import Page


async def swipe(page: Page, dx: int, dy: int) -> None:
    """One finger over the photo."""
    await page.evaluate(
        """([dx, dy]) => {
          const target = document.getElementById("stage");
          const touch = (x, y) => new Touch({ identifier: 1, target, clientX: x, clientY: y });
          const [from, to] = [touch(195, 300), touch(195 + dx, 300 + dy)];
          target.dispatchEvent(new TouchEvent("touchstart", { touches: [from], changedTouches: [from] }));
          target.dispatchEvent(new TouchEvent("touchend", { changedTouches: [to] }));
        }""",
        [dx, dy],
    )
