"""Who may open Keepers: the password, the login, and the machines that may ask at all."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from pydantic import SecretStr

from orchestrator.access import attempts
from orchestrator.access.logins import Lock
from orchestrator.models import LoginAttempt
from tests.access import PASSWORD, set_password
from tests.site import Site, open_site

NEIGHBOUR = "192.168.1.7"
PAGE = {"accept": "text/html,*/*"}


@asynccontextmanager
async def another(site: Site, host: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    """A browser of its own, on the machine with this address."""
    transport = httpx.ASGITransport(site.app, client=(host, 50_000), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        yield client


@pytest.fixture
async def locked(site: Site) -> Site:
    await set_password(site, PASSWORD)
    return site


async def log_in(client: httpx.AsyncClient, password: str = PASSWORD, next_: str = "/gallery") -> httpx.Response:
    return await client.post("/login", data={"password": password, "next": next_})


def routes_of(site: Site) -> list[tuple[str, set[str]]]:
    """An address of every route, and its methods."""
    routes = iter_route_contexts(site.app.routes)
    found = [(re.sub(r"\{[^}]+\}", "1", route.path or ""), set(route.methods or ())) for route in routes]
    assert {"/api/photos", "/settings"} <= {address for address, _ in found}
    return found


async def test_without_a_password_only_this_machine_is_answered(site: Site) -> None:
    assert (await site.client.get("/api/photos")).status_code == 200
    async with another(site, NEIGHBOUR) as neighbour:
        for address in ("/", "/api/photos", "/photos/1/preview.jpg", "/openapi.json", "/api/events"):
            assert (await neighbour.get(address)).status_code == 403
        answer = await neighbour.get("/api/photos")
        assert answer.json()["error"]["type"] == "no_password"
        assert "keepers password" in (await neighbour.get("/", headers=PAGE)).text
        assert (await neighbour.get("/healthz")).status_code == 200


async def test_a_trusted_network_is_answered_without_a_password(site: Site) -> None:
    settings = site.services.settings.model_copy(update={"trusted_network": True})
    async with open_site(settings) as trusting, another(trusting, NEIGHBOUR) as neighbour:
        assert (await neighbour.get("/api/photos")).status_code == 200


async def test_with_a_password_everything_is_behind_the_login(locked: Site) -> None:
    for address in ("/api/photos", "/api/events", "/api/nothing"):
        answer = await locked.client.get(address)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "logged_out")
    picture = await locked.client.get("/photos/1/preview.jpg")
    assert picture.status_code == 401
    assert (await locked.client.post("/api/decisions", json={"ids": [1], "action": "keep"})).status_code == 401
    assert (await locked.client.get("/openapi.json")).status_code == 401
    page = await locked.client.get("/gallery?filter=match&tag=caf%C3%A9", headers=PAGE)
    assert (page.status_code, page.headers["location"]) == (
        303,
        "/login?next=%2Fgallery%3Ffilter%3Dmatch%26tag%3Dcaf%25C3%25A9",
    )


async def test_every_route_of_the_application_is_behind_the_login(locked: Site) -> None:
    """A route that is added later is behind it too: the door does not know the routes."""
    open_to_all = {"/login", "/healthz", "/readyz", "/metrics"}
    for address, methods in routes_of(locked):
        if address.startswith("/static/") or address in open_to_all:
            continue
        for method in methods or {"GET"}:
            answer = await locked.client.request(method, address)
            assert answer.status_code in (401, 303), (method, address)
            assert answer.status_code == 401 or answer.headers["location"].startswith("/login")
    for nothing in ("/health", "/healthz/", "/ready"):
        assert (await locked.client.get(nothing)).status_code == 401, nothing


async def test_no_spelling_of_a_path_leads_around_the_login(locked: Site) -> None:
    around = ["/static/../api/photos", "/static/%2e%2e/api/photos", "/static/%0A/../x", "//api/photos", "/API/photos"]
    for path in [*around, "/login/../api/photos", "/healthz/../api/photos", "/healthz/x", "/api/photos/"]:
        answer = await locked.client.get(path)
        assert answer.status_code in (303, 401, 404), path
        assert "items" not in answer.text, path


async def test_a_login_opens_everything_and_a_logout_closes_it(locked: Site) -> None:
    answer = await log_in(locked.client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/gallery")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert PASSWORD not in cookie
    for address in ("/gallery", "/api/photos", "/openapi.json"):
        assert (await locked.client.get(address)).status_code == 200
    assert (await locked.client.get("/login?next=/taste")).headers["location"] == "/taste"
    assert (await locked.client.post("/logout")).headers["location"] == "/login"
    assert (await locked.client.get("/api/photos")).status_code == 401


async def test_the_cookie_of_an_https_page_is_never_sent_over_http(locked: Site) -> None:
    transport = httpx.ASGITransport(locked.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://localhost") as client:
        assert "secure" in (await log_in(client)).headers["set-cookie"].lower()


async def test_a_wrong_password_is_refused_calmly(locked: Site) -> None:
    for wrong in ("", "tamo-kuri-ves", PASSWORD.upper(), "\x00" + PASSWORD, "é" * 900, "\ud800"):
        body = b"next=/gallery&password=" + wrong.encode("utf-8", "surrogatepass")
        answer = await locked.client.post("/login", content=body)
        assert answer.status_code == 401, wrong
        assert "That is not the password." in answer.text
        assert "set-cookie" not in answer.headers


async def test_a_password_typed_on_another_system_is_the_same(site: Site) -> None:
    await set_password(site, "cafe\u0301 au lait")
    assert (await log_in(site.client, "café au lait")).status_code == 303


async def test_a_login_that_no_browser_sends_is_no_error_of_ours(locked: Site) -> None:
    for body in (b"", b"\xff\xfe", b"a=1&" * 50, b"password", b"{}"):
        assert (await locked.client.post("/login", content=body)).status_code == 401, body


async def test_a_login_without_an_end_is_not_read(locked: Site) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1_000):
            yield b"password=" + b"x" * 10_000
        pytest.fail("all of it was read")

    assert (await locked.client.post("/login", content=endless())).status_code == 413


async def test_a_forged_cookie_opens_nothing(locked: Site) -> None:
    lock = await locked.services.keyring.lock()
    of_another_key = Lock("another key", lock.password_hash).new_cookie()
    for forged in ("", "in", "in.aaaaaa.bbbbbb", "in.Z0FBQUFB." + "A" * 43, "é", of_another_key):
        cookie = f"{lock.cookie_name}={forged}".encode()
        assert (await locked.client.get("/api/photos", headers={"cookie": cookie})).status_code == 401, forged


async def test_all_logins_end_when_the_password_changes(locked: Site) -> None:
    await log_in(locked.client)
    await set_password(locked, PASSWORD)  # the same word, set anew
    assert (await locked.client.get("/api/photos")).status_code == 401
    await log_in(locked.client)
    await set_password(locked, None)
    assert (await locked.client.get("/api/photos")).status_code == 200
    async with another(locked, NEIGHBOUR) as neighbour:
        assert (await neighbour.get("/api/photos")).status_code == 403


async def test_an_open_event_stream_ends_when_the_password_changes(locked: Site) -> None:
    await log_in(locked.client)
    frames = locked.services.live.frames(None)
    await anext(frames)
    reading = asyncio.ensure_future(anext(frames, None))
    await set_password(locked, "quite another one")
    assert (await locked.client.get("/api/photos")).status_code == 401
    async with asyncio.timeout(30):
        assert await reading is None


async def test_a_login_is_good_for_every_orchestrator_on_the_database(locked: Site) -> None:
    async with open_site(locked.services.settings) as second:
        await log_in(locked.client)
        second.client.cookies = locked.client.cookies
        assert (await second.client.get("/api/photos")).status_code == 200


async def test_the_password_of_the_environment_goes_before_the_stored_one(locked: Site) -> None:
    settings = locked.services.settings.model_copy(update={"keepers_password": SecretStr("from the env")})
    async with open_site(settings) as first, open_site(settings) as second:
        assert (await log_in(first.client, PASSWORD)).status_code == 401
        assert (await log_in(first.client, "from the env")).status_code == 303
        second.client.cookies = first.client.cookies
        assert (await second.client.get("/api/photos")).status_code == 200


async def test_guessing_ends_after_ten_on_whichever_orchestrator(locked: Site) -> None:
    async with open_site(locked.services.settings) as second:
        async with another(locked, NEIGHBOUR) as one, another(second, NEIGHBOUR) as two:
            for client in [one, two] * (attempts.MOST // 2):
                assert (await log_in(client, "guess")).status_code == 401
            refused = await log_in(two)
            assert refused.status_code == 429
            assert int(refused.headers["retry-after"]) == 900
            assert "Too many passwords" in refused.text
        async with another(locked, "192.168.1.8") as other:
            assert (await log_in(other)).status_code == 303


async def test_a_right_password_forgets_what_was_mistyped_before(locked: Site) -> None:
    for _ in range(2):
        for _ in range(4):
            await log_in(locked.client, "mistyped")
        assert (await log_in(locked.client)).status_code == 303


async def test_a_neighbour_with_many_addresses_guesses_no_faster(locked: Site) -> None:
    async with locked.session() as session:
        for n in range(attempts.MOST_OF_ALL):
            session.add(LoginAttempt(client=f"10.0.0.{n}"))
        await session.commit()
    async with another(locked, NEIGHBOUR) as neighbour:
        assert (await log_in(neighbour)).status_code == 429
    assert (await log_in(locked.client)).status_code == 303, "the machine itself is not locked out"


async def test_a_login_leads_to_pages_of_keepers_only(locked: Site) -> None:
    assert (await log_in(locked.client, next_="/projects/3?x=1#y")).headers["location"] == "/projects/3?x=1#y"
    elsewhere = ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/\n/evil.example"]
    for wanted in [*elsewhere, "javascript:alert(1)", "evil", "", "/login?next=/login"]:
        assert (await locked.client.get("/login", params={"next": wanted})).headers["location"] == "/", wanted
        body = b"password=" + PASSWORD.encode() + b"&next=" + quote(wanted).encode()
        assert (await locked.client.post("/login", content=body)).headers["location"] == "/", wanted


async def test_another_site_can_use_nothing_that_changes_something(locked: Site) -> None:
    await log_in(locked.client)
    for address, methods in routes_of(locked):
        for method in methods - {"GET", "HEAD"}:
            for foreign in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
                answer = await locked.client.request(method, address, headers=foreign)
                assert answer.status_code == 403, (method, address)


async def test_the_commands_of_this_keepers_need_no_login(locked: Site) -> None:
    settings = locked.services.settings.model_copy(update={"local_token": SecretStr("of this run")})
    async with open_site(settings) as opened:
        for token, status in (("of this run", 200), ("of another", 401), ("", 401), ("é", 401)):
            headers = {"authorization": f"Bearer {token}".encode()}
            assert (await opened.client.get("/api/photos", headers=headers)).status_code == status


async def test_an_address_of_this_machine_is_a_name_of_it(site: Site) -> None:
    transport = httpx.ASGITransport(site.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://192.168.1.20:8000") as client:
        assert (await client.get("/api/photos")).status_code == 200
        assert (await client.get("/api/photos", headers={"host": "192.168.1.21"})).status_code == 421
        assert (await client.get("/api/photos", headers={"host": "evil.example"})).status_code == 421


async def test_an_error_of_ours_carries_the_security_headers(site: Site) -> None:
    async def break_down() -> None:
        raise RuntimeError("broken")

    site.app.add_api_route("/broken", break_down)
    answer = await site.client.get("/broken")
    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["content-security-policy"]
