"""What holds for derived files wherever they lie: in a folder, or in an object store."""

import hashlib
import io
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orchestrator.photos import sweeper
from shared.bucket import PART_BYTES
from shared.claims import ClaimStore, claim_of, open_claims
from shared.contracts import bursts
from shared.errors import KeepersError, OutsideRoots
from shared.settings import Settings
from tests import factories
from tests.deliveries import delivered, done
from tests.frames import frames
from tests.pictures import saved, scene
from tests.site import Site, open_site
from workers.stages.bursts import stage as bursts_stage
from workers.tools import Tools

KEY = "previews/ab/abc-r1.jpg"
HASH = "ab" * 32
PICTURE = saved(scene(64, 48), "JPEG")


@pytest.fixture(params=["a folder", "an object store"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    is_folder = request.param == "a folder"
    where: dict[str, Any] = {} if is_folder else request.getfixturevalue("bucket_settings")
    home = tmp_path / "home"
    (home / "claims").mkdir(parents=True)
    return Settings(keepers_home=home, **where)


@pytest.fixture
def claims(settings: Settings) -> ClaimStore:
    return open_claims(settings)


def test_what_is_put_is_read(claims: ClaimStore) -> None:
    claim = claims.put(KEY, b"picture")
    assert claim == KEY
    assert claims.read(claim) == b"picture"
    with claims.open(claim) as file:
        assert file.read() == b"picture"
    stored = claims.stat(claim)
    assert (stored.claim, stored.size) == (claim, 7)
    assert abs(stored.modified_at - time.time()) < 60
    assert claims.verify(claim)


def test_a_name_that_has_to_be_encoded_is_found_again(claims: ClaimStore) -> None:
    claim = claims.put("taste/50 % of it #1 ü.npz", b"numbers")
    assert claim == claim_of("taste/50 % of it #1 ü.npz")
    assert claims.read(claim) == b"numbers"
    assert [file.claim for file in claims.list("taste")] == [claim]


def test_a_large_file_comes_back_byte_for_byte(claims: ClaimStore) -> None:
    data = np.random.default_rng(1).bytes(2 * PART_BYTES + 12_345)
    assert claims.read(claims.put("bursts/frames-1.npz", data)) == data


def test_a_finished_file_is_put_as_bytes_are(claims: ClaimStore) -> None:
    claims.scratch.mkdir(parents=True)
    upload = claims.scratch / "placard.1"
    upload.write_bytes(b"upload")
    assert claims.read(claims.put_file("placards/ab/abc.jpg", upload)) == b"upload"


def test_putting_again_gives_a_new_time_and_keeps_the_bytes(claims: ClaimStore) -> None:
    before = claims.stat(claims.put(KEY, b"picture"))
    deadline = time.monotonic() + 30
    while (after := claims.stat(claims.put(KEY, b"picture"))).modified_at <= before.modified_at:
        assert time.monotonic() < deadline, "the time stays the same"
    assert claims.read(KEY) == b"picture"
    assert after.size == before.size


def test_other_bytes_are_another_version(claims: ClaimStore) -> None:
    before = claims.stat(claims.put("taste/1.npz", b"a taste"))
    claims.remove("taste/1.npz")
    assert claims.stat(claims.put("taste/1.npz", b"another taste")).version != before.version


def test_a_file_that_is_not_there_is_a_missing_file(claims: ClaimStore) -> None:
    for ask in (claims.read, claims.open, claims.stat):
        with pytest.raises(FileNotFoundError):
            ask(KEY)
    assert not claims.verify(KEY)
    assert claims.stats([KEY, claims.put("thumbnails/ab/x.jpg", b"x")]).keys() == {"thumbnails/ab/x.jpg"}


def test_an_empty_file_cannot_be_redeemed(claims: ClaimStore) -> None:
    assert not claims.verify(claims.put(KEY, b""))


def test_what_is_removed_is_gone_and_may_be_removed_again(claims: ClaimStore) -> None:
    claims.put(KEY, b"picture")
    for _ in range(2):
        claims.remove(KEY)
        assert not claims.verify(KEY)


def test_a_folder_lists_its_own_files(claims: ClaimStore) -> None:
    for name in ("previews/ab/1.jpg", "previews/ab/2.jpg", "previews/abc/3.jpg", "thumbnails/ab/1.jpg"):
        claims.put(name, b"12345")
    listed = claims.list("previews/ab")
    assert sorted((file.claim, file.size) for file in listed) == [("previews/ab/1.jpg", 5), ("previews/ab/2.jpg", 5)]
    assert list(claims.list("renditions/00")) == []


@pytest.mark.parametrize("claim", ["../secret", "previews/../../secret", "/etc/hostname"])
def test_a_claim_that_leads_elsewhere_is_refused(claims: ClaimStore, claim: str) -> None:
    for ask in (claims.read, claims.stat, claims.remove, claims.verify):
        with pytest.raises(OutsideRoots):
            ask(claim)


@pytest.fixture
async def site(settings: Settings, database_url: str) -> AsyncIterator[Site]:
    async with open_site(settings.model_copy(update={"database_url": database_url})) as opened:
        yield opened


@dataclass(frozen=True)
class Shown:
    url: str
    preview: str


@pytest.fixture
async def shown(site: Site) -> Shown:
    """A photo with a preview."""
    preview = claims_of(site).put(f"previews/ab/{HASH}-r1.jpg", PICTURE)
    async with site.services.sessions.begin() as session:
        root = await factories.a_root(session)
        photo = await factories.a_photo(session, root, content_hash=HASH, preview=preview)
        await factories.a_file(session, photo, b"DSC_0001.jpg")
        photo_id = photo.id
    answer = await site.client.get(f"/api/photos/{photo_id}")
    return Shown(answer.json()["preview_url"], preview)


async def test_a_browser_gets_a_preview_once_and_keeps_it(site: Site, shown: Shown) -> None:
    answer = await site.client.get(shown.url)
    assert (answer.status_code, answer.content) == (200, PICTURE)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(len(PICTURE))
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["last-modified"]
    again = await site.client.get(shown.url, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(("wanted", "first", "beyond"), [("2-5", 2, 6), ("100-", 100, None), ("-7", -7, None)])
async def test_a_download_that_broke_off_goes_on(
    site: Site, shown: Shown, wanted: str, first: int, beyond: int | None
) -> None:
    answer = await site.client.get(shown.url, headers={"range": f"bytes={wanted}"})
    assert (answer.status_code, answer.content) == (206, PICTURE[first:beyond])
    start = first % len(PICTURE)
    end = start + len(answer.content) - 1
    assert answer.headers["content-range"] == f"bytes {start}-{end}/{len(PICTURE)}"


async def test_a_range_that_runs_backwards_is_no_trouble_of_the_store(site: Site, shown: Shown) -> None:
    answer = await site.client.get(shown.url, headers={"range": "bytes=5-3"})
    assert answer.status_code in (200, 400, 416), answer.text


async def test_a_preview_that_is_gone_is_made_again(site: Site, shown: Shown) -> None:
    claims_of(site).remove(shown.preview)
    answer = await site.client.get(shown.url)
    assert answer.status_code == 410
    assert "being made again" in answer.text


async def test_files_that_nobody_needs_are_swept(site: Site, shown: Shown) -> None:
    claims = claims_of(site)
    left = claims.put(f"previews/ab/{'0' * 64}-r1.jpg", b"left by a worker that was killed")
    for older_than_seconds, is_there in ((3600.0, True), (-5.0, False)):
        async with site.services.sessions.begin() as session:
            await sweeper.nominate(session, claims, "ab", older_than_seconds)
        async with site.services.sessions.begin() as session:
            await sweeper.sweep(session, claims, older_than_seconds)
        assert claims.verify(left) is is_there
    assert claims.verify(shown.preview)


async def test_a_dropped_photo_is_kept_for_the_workers(site: Site) -> None:
    answer = await site.client.post("/api/placards?name=a.jpg", content=PICTURE)
    assert answer.status_code < 300, answer.text
    content_hash = hashlib.sha256(PICTURE).hexdigest()
    (upload,) = claims_of(site).list(f"placards/{content_hash[:2]}")
    assert claims_of(site).read(upload.claim) == PICTURE
    assert list(claims_of(site).scratch.glob("*")) == []


def test_numbers_travel_to_a_stage_and_back(settings: Settings) -> None:
    tools = Tools(settings)
    columns = io.BytesIO()
    np.savez(columns, **vars(frames([0, 0.1])))
    claim = tools.claims.put("bursts/frames-1.npz", columns.getvalue())
    request = bursts.Request(seq=1, model="starter:1", file_path=claim, gap_seconds=5, least_cosine=0.9)
    result = done(delivered(bursts_stage, request, tools), bursts.Result)
    assert tools.claims.verify(result.file_path)


@pytest.mark.parametrize("url", ["http://minio/keepers", "s3://", "keepers/previews", "s3://keepers/../other"])
def test_an_address_that_is_none_is_told_at_the_start(url: str) -> None:
    with pytest.raises(KeepersError, match=r"CLAIMS_URL .* s3://bucket"):
        Settings(claims_url=url)


@pytest.mark.parametrize("url", ["minio:9000", "minio.example", "ftp://minio"])
def test_an_endpoint_that_is_none_is_told_at_the_start(url: str) -> None:
    with pytest.raises(KeepersError, match="AWS_ENDPOINT_URL"):
        Settings(aws_endpoint_url=url)


@pytest.mark.parametrize("named", ["/photos:s3://archive/../raw", "s3://:/photos", "/photos:s3://name:hunter2@archive"])
def test_a_bucket_of_originals_that_is_none_is_told_at_the_start(named: str) -> None:
    with pytest.raises(KeepersError, match="PHOTO_LIBRARIES") as told:
        Settings(photo_libraries=named)
    assert "hunter2" not in told.value.message


def claims_of(site: Site) -> ClaimStore:
    return site.services.claims
