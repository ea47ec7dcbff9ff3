from tests.browser.browsers import browser, chromium

__all__ = ["browser", "chromium"]
