"""Whatever is named, only files of the photo folders are opened."""

import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.claims import claim_of
from shared.contracts.answers import Failed
from shared.settings import Settings
from tests.site import open_site
from tests.stack import a_jpeg
from workers.runner import Delivery, run
from workers.stages.convert import stage
from workers.tools import Tools


@pytest.mark.parametrize("through", ["path", "claim"])
async def test_no_folder_but_those_of_photos_is_listed_or_imported(
    database_url: str, tmp_path: Path, through: str
) -> None:
    photos, other = tmp_path / "photos", tmp_path / "other"
    a_jpeg(photos / "a.jpg", 1)
    a_jpeg(other / "b.jpg", 2)
    (photos / "link").symlink_to(other)
    (photos / "etc").symlink_to("/etc")
    os.mkfifo(photos / "pipe")
    home = tmp_path / "home"
    settings = Settings(keepers_home=home, database_url=database_url, photo_library=str(photos))
    outside = [other, photos / "link", photos / "etc", photos / "..", photos / ".." / "other", photos / "pipe", home]
    async with open_site(settings) as site:
        for path in [*outside, Path("/proc/self/root"), Path("/dev"), Path("/")]:
            named = {through: claim_of(path) if through == "claim" else str(path)}
            listing = (await site.client.get("/api/folders", params=named)).json()
            assert (listing["readable"], listing["folders"]) == (False, []), path
            wish = {"path": str(path)} if through == "path" else {"claim": claim_of(path)}
            answer = await site.client.post("/api/imports", json=wish)
            assert answer.status_code == 422, path
            assert "root:" not in answer.text


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    (tmp_path / "photos").mkdir()
    made = Tools(Settings(keepers_home=tmp_path / "home", photo_library=str(tmp_path / "photos"), convert_workers=1))
    yield made
    made.close()


def test_a_message_cannot_make_a_worker_read_outside_the_photo_folders(tools: Tools, tmp_path: Path) -> None:
    secret = a_jpeg(tmp_path / "other" / "secret.jpg", 3)
    link = tmp_path / "photos" / "link.jpg"
    link.symlink_to(secret)
    for path in (secret, link, tmp_path / "photos" / ".." / "other" / "secret.jpg", Path("/etc/passwd")):
        root = claim_of(tmp_path / "photos")
        wish = {"photo_id": 1, "file_path": claim_of(path), "root": root, "root_key": "root:1"}
        request = json.dumps(wish).encode()
        answer = run(stage, Delivery(request, uuid.uuid4(), 1), tools).answer
        assert isinstance(answer, Failed), path
        assert answer.failure.error_type == "OutsideRoots"
    assert not [*(tmp_path / "home").rglob("*.jpg")]
