"""Whatever is asked, Keepers answers with a sentence and never breaks down."""

import os
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from shared.settings import Settings
from tests import factories
from tests.fuzzing import Call, calls, hostile_calls
from tests.site import Site, open_site

# More of them by hand: KEEPERS_FUZZ_EXAMPLES=100 .venv/bin/pytest tests/integration/test_api_fuzzed.py --timeout 0
EXAMPLES = int(os.environ.get("KEEPERS_FUZZ_EXAMPLES", "1"))


@pytest.fixture
async def filled(database_url: str, tmp_path: Path) -> AsyncIterator[Site]:
    """An archive with one of most things, which may read nothing but an empty folder."""
    photos = tmp_path / "photos"
    photos.mkdir()
    nowhere = "http://127.0.0.1:9"  # nothing is ever downloaded
    home = tmp_path / "home"
    settings = Settings(keepers_home=home, database_url=database_url, photo_library=str(photos), hf_endpoint=nowhere)
    async with open_site(settings) as site:
        async with site.session() as session:
            root = await factories.a_root(session, str(photos))
            for _ in range(3):
                photo = await factories.a_photo(session, root)
                await factories.a_failure(session, photo)
                await factories.a_dead_letter(session, photo)
                await factories.a_run(session, photo)
            await factories.an_import(session, root, state="done", scanned=True)
            await session.commit()
        yield site


async def test_no_request_of_a_fuzzer_is_an_error_of_ours(filled: Site) -> None:
    assert await broken(filled, calls(filled.app, EXAMPLES)) == []


async def test_no_hostile_value_is_an_error_of_ours(filled: Site) -> None:
    assert await broken(filled, hostile_calls(filled.app)) == []


async def broken(site: Site, asked: Iterable[Call]) -> list[str]:
    """What was answered with 500 or more."""
    found = []
    for call in asked:
        answer = await site.client.request(call.method, call.url, content=call.content, headers=call.headers)
        if answer.status_code >= 500:
            found.append(f"{answer.status_code} {call}")
    return found
