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


Point = tuple[float, float]


async def move_fingers(page: Page, *ways: tuple[Point, Point]) -> None:
    """Fingers as a touch screen tells them, each from a point to another; all come down, move and go at one time."""
    screen = await page.context.new_cdp_session(page)
    steps = 4
    for step in range(steps + 1):
        points = [
            {"id": n, "x": x + (to_x - x) * step / steps, "y": y + (to_y - y) * step / steps}
            for n, ((x, y), (to_x, to_y)) in enumerate(ways)
        ]
        kind = "touchMove" if step else "touchStart"
        await screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    await screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await screen.detach()
