"""What every page and answer shares: errors, security, static files; and the Import page with its folder browser."""

import re
from pathlib import Path

import pytest

from tests import factories
from tests.site import Site

PAGES = [
    "/",
    "/gallery",
    "/gallery?filter=failed&sort=captured&project=x&import=3",
    "/logs",
    "/dead-letters",
    "/styleguide",
]


@pytest.mark.parametrize("address", PAGES)
async def test_every_page_works_on_an_empty_archive(site: Site, address: str) -> None:
    page = await site.client.get(address)
    assert page.status_code == 200
    assert "<h1" in page.text


@pytest.mark.parametrize("address", PAGES)
async def test_pages_hold_no_script_or_style_of_their_own(site: Site, address: str) -> None:
    page = (await site.client.get(address)).text
    assert not re.search(r"<script(?![^>]*(src=|application/json))", page)
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style", page)


async def test_static_files_are_kept_for_ever_under_their_version(site: Site) -> None:
    addresses = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', (await site.client.get("/gallery")).text))
    assert len(addresses) >= 5
    for address in addresses:
        answer = await site.client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert (await site.client.get("/static/0123456789ab/base.css")).status_code == 404


async def test_an_error_is_json_under_api_and_a_page_elsewhere(site: Site) -> None:
    api = await site.client.get("/api/nothing")
    assert (api.status_code, api.json()["error"]["type"]) == (404, "not_found")
    page = await site.client.get("/nothing")
    assert page.status_code == 404
    assert "There is nothing at this address." in page.text
    assert (await site.client.post("/api/photos")).json()["error"]["type"] == "method_not_allowed"


async def test_openapi_describes_errors_as_they_are(site: Site) -> None:
    schema = (await site.client.get("/openapi.json")).json()
    assert "HTTPValidationError" not in schema["components"]["schemas"]
    answers = schema["paths"]["/api/photos"]["get"]["responses"]
    assert answers["default"]["content"]["application/json"]["schema"]["$ref"].endswith("/ErrorBody")


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil.example", "", "[::2]"])
async def test_another_host_name_is_refused(site: Site, host: str) -> None:
    answer = await site.client.get("/api/photos", headers={"host": host})
    assert (answer.status_code, answer.json()["error"]["type"]) == (421, "wrong_host")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:80", "[::1]:8000", "LOCALHOST:1"])
async def test_this_machine_is_known_by_its_names(site: Site, host: str) -> None:
    assert (await site.client.get("/api/photos", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://localhost:3000"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"},
    ],
)
async def test_another_site_cannot_start_an_import(site: Site, headers: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    answer = await site.client.post("/api/imports", headers=headers, json={"path": str(tmp_path)})
    assert (answer.status_code, answer.json()["error"]["type"]) == (403, "cross_origin")


async def test_another_site_may_link_here_but_not_embed_pictures(site: Site) -> None:
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert (await site.client.get("/gallery", headers=link)).status_code == 200
    image = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert (await site.client.get("/photos/1/preview.jpg", headers=image)).status_code == 403


async def test_our_own_page_and_programs_may_write(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    own = {"origin": "http://localhost:8000", "sec-fetch-site": "same-origin"}
    for headers in (own, {}):
        answer = await site.client.post("/api/imports", headers=headers, json={"path": str(tmp_path)})
        assert answer.status_code == 202


@pytest.mark.parametrize("address", ["/gallery", "/api/photos", "/nothing"])
async def test_every_answer_carries_the_security_headers(site: Site, address: str) -> None:
    headers = (await site.client.get(address)).headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"


async def test_the_folder_browser_counts_photos_and_leads_back(site: Site, tmp_path: Path) -> None:
    library = tmp_path / "library"
    (library / "2024 <b>" / "deeper").mkdir(parents=True)
    (library / ".hidden").mkdir()
    for name in ("a.JPG", "b.cr2", "notes.txt", "._a.JPG"):
        (library / "2024 <b>" / name).touch()
    listing = (await site.client.get("/api/folders", params={"path": str(library)})).json()
    (folder,) = listing["folders"]
    assert (folder["name"], folder["photos"]) == ("2024 <b>", 2)
    inside = (await site.client.get("/api/folders", params={"claim": folder["claim"]})).json()
    assert (inside["photos"], inside["parent"]) == (2, listing["claim"])


async def test_a_folder_whose_name_is_not_text_can_be_opened(site: Site, tmp_path: Path) -> None:
    library = tmp_path / "library"
    (Path(str(library)) / "caf\udce9").mkdir(parents=True)
    listing = (await site.client.get("/api/folders", params={"path": str(library)})).json()
    (folder,) = listing["folders"]
    assert folder["name"] == "caf\ufffd"
    assert (await site.client.get("/api/folders", params={"claim": folder["claim"]})).json()["readable"]


async def test_a_refused_folder_says_why(site: Site, tmp_path: Path) -> None:
    for path in ("/proc", "relative", str(tmp_path / "missing"), str(site.services.settings.keepers_home)):
        listing = (await site.client.get("/api/folders", params={"path": path})).json()
        assert not listing["readable"]
        assert listing["refused"].endswith(".")
        assert listing["folders"] == []


async def test_a_drive_that_is_away_says_how_much_waits(site: Site) -> None:
    async with site.session() as session:
        root = await factories.a_root(session, "/media/me/Photos2", state="offline")
        for _ in range(3):
            photo = await factories.a_photo(session, root)
            await factories.a_run(session, photo, state="held", hold_key=f"root:{root.id}")
        await session.commit()
    chips = (await site.client.get("/api/roots")).json()["items"]
    (away,) = [chip for chip in chips if chip["state"] == "offline"]
    assert away["problem"] == "Drive Photos2 is not connected: 3 waiting"


async def test_an_import_shows_the_photos_it_finished_last(site: Site) -> None:
    async with site.session() as session:
        root = await factories.a_root(session)
        import_ = await factories.an_import(session, root)
        photos = [await factories.a_photo(session, root) for _ in range(3)]
        for minutes, photo in zip((5, 1, 9), photos, strict=True):
            changed = {"state": "done", "changed_at": factories.minutes_ago(minutes)}
            await factories.an_item(session, import_, photo, b"%d" % photo.id, **changed)
        await session.commit()
    landed = (await site.client.get(f"/api/imports/{import_.id}/landed?limit=2")).json()["items"]
    assert [item["id"] for item in landed] == [photos[1].id, photos[0].id]
