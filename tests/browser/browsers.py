"""A real Chromium, and pages in it that may not say an error on their console."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import ConsoleMessage, Locator, Page, async_playwright, expect

# Of several such lists Chromium takes the last: Playwright's own is in it, all that follows its first line.
FEATURES_OFF = [
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",  # of the address bar: a process and half a second for every window
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
]  # fmt: skip

ARGUMENTS = [
    f"--disable-features={','.join(FEATURES_OFF)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

EVERY_PAGE = [
    "/", "/gallery", "/review", "/projects", "/export", "/taste", "/logs", "/dead-letters", "/conflicts", "/settings",
    "/free-space", "/styleguide", "/nothing-here",
]  # fmt: skip

# The content security policy is there to stop what an attacker slipped in; a page of ours must never need it.
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI, sourceFile, lineNumber }) => {
  console.error(`policy: ${violatedDirective} ${blockedURI} at ${sourceFile}:${lineNumber}`);
});
"""

expect.set_options(timeout=30_000)  # a busy machine is slow, and what never comes is noticed all the same


async def becomes(page: Page, condition: str) -> None:
    """The pages forbid the evaluation that Playwright's own waiting needs."""
    async with asyncio.timeout(30):
        while True:
            if await page.evaluate(condition):
                return
            await asyncio.sleep(0.02)


async def all_sent(page: Page) -> None:
    """Once the server has every decision."""
    await becomes(page, "Object.keys(localStorage).every((key) => !key.startsWith('decision:'))")


async def follow(page: Page, link: Locator) -> None:
    """Go where it leads, and wait for the scripts there: a key that is pressed before them says nothing."""
    async with page.expect_navigation():
        await link.click()


class Browser:
    """Opens pages; each with a window and a profile of its own."""

    def __init__(self, chromium: Chromium) -> None:
        self.complaints: list[str] = []
        self._chromium = chromium

    async def open(self, address: str, *, width: int = 1280, theme: str = "light") -> Page:
        is_phone = width < 500
        context = await self._chromium.new_context(
            viewport={"width": width, "height": 844 if is_phone else 800},
            color_scheme="dark" if theme == "dark" else "light",
            has_touch=is_phone,
            is_mobile=is_phone,
        )
        await context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        page = await context.new_page()
        await page.goto(address)
        return page

    async def close(self) -> None:
        for context in self._chromium.contexts:
            await context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        # A picture that a factory did not draw, and a server that a test stopped, are not the page's fault.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Chromium]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest.fixture
async def browser(chromium: Chromium) -> AsyncIterator[Browser]:
    opened = Browser(chromium)
    yield opened
    await opened.close()
    assert opened.complaints == []
