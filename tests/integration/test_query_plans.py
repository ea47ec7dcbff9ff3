"""However long the archive is, no page makes a query that reads all of a large table."""

import asyncio
import re
from pathlib import Path

import pytest
from sqlalchemy import text

from benchmarks.archive import fill
from tests import factories
from tests.plans import Statement, plan_of, statements
from tests.site import Site

PHOTOS = 6_000
LARGE = "photos|stage_runs|rating_events|photo_words|import_items|photo_vectors|photo_files|error_logs|dead_letters"
SCAN = re.compile(rf"Seq Scan on ({LARGE})\b")

# A page asks for the first of these as a whole, and for the others while one works on it.
PAGES = {
    "gallery": [
        "/gallery",
        "/gallery?filter=unrated&sort=captured&camera=Z+6",
        "/api/photos?limit=120",
        "/api/photos?ids=100,200,300",
        "/api/photos?q=lighthouse",
        "/api/photos?tag=dog&sort=taste",
        "/api/photos/anchors",
        "/api/photos/anchors?sort=captured&around=3000",
        "/api/photos/anchors?sort=rating&filter=rated",
        "/api/photos/anchors?filter=failed",
        "/api/photos/anchors?q=lighthouse",
        "/api/photos/between?first=3000&last=2000&filter=nomatch",
        "/api/photos/between?first=3000&last=2000&sort=sharpness",
        "/api/photos/counts",
        "/api/photos/counts?camera=Z+6",
        "/api/photos/counts?content_type=street",
        "/api/photos/counts?project=Iceland",
        "/api/photos/counts?import=1",
        "/api/photos/counts?q=dog&tag=dog",
        "/api/photos/counts?technical=90&from=2016-01-01",
        "/api/photos/facets",
        "/api/photos/facets?filter=unrated",
        "/api/photos/facets?camera=Z+6&q=dog",
        "/api/photos/3000",
        "/api/photos/3000/history",
        "/api/photos/3000/maybes",
        "/api/bursts",
        "/api/bursts/1",
    ],
    "loupe": ["/review?pass=cull", "/api/review/passes/1", "/api/review/passes/1/items?from=1&limit=50"],
    "projects": ["/projects", "/projects/1", "/api/projects", "/api/projects/1", "/api/projects/1/photos"],
    "problems": [
        "/logs",
        "/dead-letters",
        "/problems/now",
        "/logs/rows?newer_than=1",
        "/dead-letters/rows?newer_than=1",
        "/api/failures",
        "/api/dead-letters",
        "/api/dead-letters/causes",
        "/api/dead-letters/1",
    ],
    "taste": ["/taste", "/api/taste", "/api/taste/photos"],
    "import": ["/", "/api/imports", "/api/imports/1", "/api/imports/1/landed", "/api/roots", "/api/stages"],
}


@pytest.fixture
async def large(site: Site) -> Site:
    await asyncio.to_thread(fill, str(site.services.settings.database_url), PHOTOS)
    return site


async def test_no_page_scans_a_large_table(large: Site) -> None:
    found = []
    for kind in ("cull", "rate"):
        opened = await asked(large, "/api/review/passes", json={"pass": kind})
        found += [("loupe", f"open {kind}", *scan) for scan in await scans(large, opened)]
    for page, addresses in PAGES.items():
        for address in addresses:
            found += [(page, address, *scan) for scan in await scans(large, await asked(large, address))]
    assert found == []


async def asked(site: Site, address: str, **body: object) -> list[Statement]:
    """The statements that an address makes, each once."""
    with statements(site) as told:
        answer = await (site.client.post(address, **body) if body else site.client.get(address))  # type: ignore[arg-type]
        assert answer.status_code < 400, f"{address}: {answer.text[:300]}"
    return list({statement: (statement, parameters) for statement, parameters in told}.values())


async def scans(site: Site, told: list[Statement]) -> list[tuple[str, str]]:
    """A statement and the line of its plan, for each scan."""
    found = []
    for statement in told:
        if re.match(r"\s*(SELECT|WITH|INSERT|UPDATE)", statement[0]):
            plan = await plan_of(site, statement)
            found += [(" ".join(statement[0].split()), line.strip()) for line in plan if SCAN.search(line)]
    return found


async def test_free_space_does_not_read_all_that_was_set_aside(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()  # a drive is connected
    async with site.services.sessions.begin() as session:
        root = await factories.a_root(session, bytes(tmp_path))
        await session.execute(text(SET_ASIDE), {"root": root.id})
        await session.execute(text("ANALYZE set_aside"))
    with statements(site) as told:
        (drive,) = (await site.client.get("/api/free-space")).json()["drives"]
    assert (drive["set_aside"]["photos"], drive["set_aside"]["missing"]) == (0, 2_500)
    looks = [one for one in told if "set_aside" in one[0] and "SELECT id, aside_path" in one[0]]
    assert len(looks) == 4  # a thousand at a time, and a look whether there are more
    plan = "\n".join(await plan_of(site, looks[1]))
    assert "Limit" in plan
    assert "Index Scan using set_aside_path" in plan
    assert "Sort" not in plan


SET_ASIDE = """
    INSERT INTO set_aside (batch, root_id, role, path, aside_path, size, mtime_ns, state)
    SELECT gen_random_uuid(), :root, 'original', n::text::bytea, ('_keepers_rejected/' || n)::bytea, 1, 1, 'aside'
    FROM generate_series(1, 2500) AS n
"""
