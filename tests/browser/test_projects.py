"""Projects in a real browser: made, put in order by mouse and keys, renamed into a merge, deleted and brought back."""

import re

from playwright.async_api import Page, expect

from tests import factories
from tests.browser.browsers import Browser, follow
from tests.site import Site


async def a_project_of(site: Site, *names: str) -> int:
    async with site.session() as session:
        root = await factories.a_root(session)
        project = await factories.a_project(session, "Iceland <b>")
        for n, name in enumerate(names):
            photo = await factories.a_photo(session, root, name, project_id=project.id)
            await factories.a_picture(session, site.claims, photo, factories.a_gradient(hue=n * 90))
        await session.commit()
    return int(project.id)


async def names(page: Page) -> list[str]:
    return await page.locator("#photos .picture").evaluate_all("links => links.map((link) => link.title)")


async def test_a_project_is_put_in_order_and_ends_without_losing_a_photo(
    site: Site, served: str, browser: Browser
) -> None:
    project = await a_project_of(site, "a.jpg", "b.jpg", "c.jpg")
    page = await browser.open(f"{served}/projects")
    await page.get_by_label("Name of a new project").fill("Azores")
    await page.keyboard.press("Enter")
    await expect(page.locator("#projects .name")).to_have_text(["Azores", "Iceland <b>"])
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#projects .name")).to_have_text(["Iceland <b>"])
    await page.get_by_role("button", name="Undo").click()
    await expect(page.locator("#projects .name")).to_have_text(["Azores", "Iceland <b>"])
    await follow(page, page.get_by_role("link", name="Iceland <b> 3 photos"))

    await page.get_by_role("link", name="a.jpg").focus()
    await page.keyboard.press("Shift+ArrowRight")
    await expect(page.get_by_role("status").filter(has_text="a.jpg is 2 of 3 now")).to_be_attached()
    assert await names(page) == ["b.jpg", "a.jpg", "c.jpg"]
    await expect(page.get_by_role("link", name="a.jpg")).to_be_focused()
    at_the_left = {"x": 10, "y": 40}
    await page.locator(".placed").nth(2).drag_to(page.locator(".placed").nth(0), target_position=at_the_left)
    await expect(page.get_by_role("status").filter(has_text="c.jpg is 1 of 3 now")).to_be_attached()
    await page.reload()
    await expect(page.locator(".placed")).to_have_count(3)
    assert await names(page) == ["c.jpg", "b.jpg", "a.jpg"]

    await page.get_by_role("button", name="Rename").click()
    await page.get_by_label("New name").fill("Faroe & co")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Faroe & co")).to_be_visible()
    await expect(page.get_by_role("link", name="a.jpg")).to_have_attribute(
        "href", re.compile("/gallery\\?project=Faroe%20%26%20co&photo=\\d+$")
    )
    await expect(page.get_by_role("button", name="Rename").first).to_be_focused()
    await page.keyboard.press("Control+z")
    await expect(page.get_by_role("heading", name="Iceland <b>")).to_be_visible()
    await page.get_by_role("button", name="Rename").click()
    await page.get_by_label("New name").fill("azores")
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("There is a project “Azores” already.")).to_be_visible()
    await page.get_by_role("button", name="Merge into it").click()
    await expect(page.get_by_role("heading", name="Azores")).to_be_visible()
    await expect(page.locator(".placed")).to_have_count(3)
    await page.get_by_role("button", name="Undo").click()
    await page.wait_for_url(f"**/projects/{project}")
    await expect(page.locator(".placed")).to_have_count(3)

    await page.get_by_role("button", name="Delete").click()
    await page.wait_for_url("**/projects")
    await expect(page.locator("#projects .name")).to_have_text(["Azores"])
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_role("link", name="Iceland <b> 3 photos")).to_be_visible()


async def test_the_panel_puts_a_photo_into_a_project_and_undo_takes_it_out(
    site: Site, served: str, browser: Browser
) -> None:
    await a_project_of(site, "a.jpg")
    page = await browser.open(f"{served}/gallery")
    await page.locator(".card").first.focus()
    await page.keyboard.press("i")
    panel = page.get_by_role("complementary", name="About this photo")
    field = panel.get_by_label("Project")
    await expect(field).to_have_value("Iceland <b>")
    await field.focus()
    await expect(panel.locator("datalist option")).to_have_count(1)
    await field.fill("ICELAND <B>")
    await field.press("Enter")
    await expect(field).to_have_value("Iceland <b>")  # it is there already
    await field.fill("Azores")
    await field.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="Put a.jpg into Azores")).to_be_attached()
    await expect(page.locator(".card .project")).to_have_text("Azores")
    async with page.expect_response("**/undo"):
        await page.get_by_role("button", name="Undo").click()
    await expect(page.locator(".card .project")).to_have_text("Iceland <b>")
    await expect(field).to_have_value("Iceland <b>")
    answer = await site.client.get("/api/projects")
    assert {item["name"]: item["photos"] for item in answer.json()["items"]} == {"Azores": 0, "Iceland <b>": 1}
