"""The password in a real browser, and the policy that keeps foreign scripts out of every page."""

from urllib.parse import quote

import pytest
from playwright.async_api import expect

from orchestrator.models import Photo
from tests import factories
from tests.access import PASSWORD, set_password
from tests.browser.axe import violations
from tests.browser.browsers import Browser, all_sent, follow
from tests.site import Site


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
async def test_a_person_logs_in_comes_back_to_where_they_were_and_logs_out(
    site: Site, served: str, browser: Browser, width: int, theme: str
) -> None:
    await set_password(site)
    page = await browser.open(f"{served}/settings?from=mail", width=width, theme=theme)
    await expect(page).to_have_url(f"{served}/login?next={quote('/settings?from=mail', safe='')}")
    found = {"login": await violations(page)}
    await page.keyboard.type("not the password")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    found["refused"] = await violations(page)
    assert await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page).to_have_url(f"{served}/settings?from=mail")
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await page.goto(f"{served}/gallery")
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    assert found == {"login": [], "refused": []}


async def test_a_decision_made_after_the_login_ended_is_sent_after_the_next(
    site: Site, served: str, browser: Browser
) -> None:
    async with site.session() as session:
        photo = await factories.a_photo(session, await factories.a_root(session))
        await session.commit()
    page = await browser.open(f"{served}/gallery")
    card = page.locator(f".card[data-id='{photo.id}']")
    await card.focus()
    await set_password(site)
    await page.keyboard.press("4")
    await expect(page.get_by_text("You are logged out. What you see stays.")).to_be_visible()
    await expect(page.get_by_text("1 decision waits to be sent.")).to_be_visible()
    await follow(page, page.get_by_role("link", name="Log in"))
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(card).to_be_visible()
    await all_sent(page)
    async with site.session() as session:
        assert (await session.get_one(Photo, photo.id)).user_rating == 4


async def test_what_is_slipped_into_a_page_does_not_run_and_is_noticed(served: str, browser: Browser) -> None:
    page = await browser.open(f"{served}/gallery")
    await expect(page.get_by_text("No photos yet")).to_be_visible()
    await page.evaluate(
        """() => {
          const slipped = "<img src=x onerror='document.title = 1'><p style='color: red'>";
          document.body.insertAdjacentHTML("beforeend", slipped);
          const script = document.createElement("script");
          script.textContent = "document.title = 2";
          document.body.append(script);
        }"""
    )
    await expect(page.locator("body > p[style]")).not_to_have_css("color", "rgb(255, 0, 0)")
    await expect(page).to_have_title("Gallery · Keepers")
    noticed = [complaint for complaint in browser.complaints if complaint.startswith("policy: ")]
    assert {complaint.split()[1] for complaint in noticed} == {"script-src-attr", "style-src-attr", "script-src-elem"}
    browser.complaints.clear()
