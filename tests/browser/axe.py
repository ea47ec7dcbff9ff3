"""What axe finds on a page."""

from typing import Any

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def violations(page: Page) -> list[str]:
    await page.emulate_media(reduced_motion="reduce")  # what pulses is looked at while it rests
    options: dict[str, Any] = {"resultTypes": ["violations"], "runOnly": RULES}
    results = await Axe().run(page, options=options)
    return [
        f"{one['id']}: {node['target']}: {node['failureSummary']}"
        for one in results.response["violations"]
        for node in one["nodes"]
    ]
