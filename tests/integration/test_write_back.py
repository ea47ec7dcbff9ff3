"""Stars, picks and tags on their way into the sidecars beside the photos."""

import asyncio
import io
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.answers import Refused
from orchestrator.write_back import files
from orchestrator.write_back.command import Options, xmp
from orchestrator.write_back.packet import PICK_LABEL
from shared.xmp import rating_of
from tests.archive import Archive
from tests.packets import packet as lightroom
from tests.pictures import dng, scene
from tests.ratings_in_files import a_photo, a_sidecar, act, conflicts, packet, rate, said, settle


def a_raw(archive: Archive, name: str = "a.dng", seed: int = 1) -> Path:
    path = archive.photos / name
    path.write_bytes(dng(scene(90, 60, seed)))
    return path


async def switch(archive: Archive, enabled: bool = True) -> Any:
    (root,) = await archive.sql("SELECT id FROM roots")
    return await archive.site.client.post(f"/api/roots/{root['id']}/write-back", json={"enabled": enabled})


async def write(archive: Archive, **options: Any) -> str:
    """What `keepers xmp` prints."""
    out = io.StringIO()
    url = archive.settings.database_url
    assert url is not None
    await xmp(url, Options(str(archive.photos), **options), out)
    return out.getvalue()


async def rated(archive: Archive, **said: Any) -> None:
    """One import, a decision about its only photo, and leave to write."""
    await archive.imported()
    await rate(archive, **said)
    assert (await switch(archive)).status_code == 200


def snapshot(archive: Archive) -> dict[str, tuple[bytes, int]]:
    """Every file under the root: its bytes, and when it was written."""
    found = [path for path in archive.photos.rglob("*") if path.is_file()]
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in found}


def touched(path: Path, content: bytes) -> None:
    """Written by another program, later."""
    written = path.stat().st_mtime_ns
    path.write_bytes(content)
    os.utime(path, ns=(written + 5_000_000, written + 5_000_000))


async def test_it_is_off_until_it_is_switched_on(archive: Archive) -> None:
    a_raw(archive)
    await archive.imported()
    await rate(archive, user_rating=4)
    before = snapshot(archive)
    (root,) = await archive.sql("SELECT id FROM roots")
    seen = (await archive.site.client.get(f"/api/roots/{root['id']}/write-back")).json()
    assert (seen["enabled"], "proprietary RAW" in seen["note"]) == (False, True)
    with pytest.raises(Refused, match="switched off"):
        await write(archive)
    assert "1 to be made new" in await write(archive, is_dry=True)
    assert snapshot(archive) == before
    assert (await switch(archive)).json()["enabled"] is True
    assert snapshot(archive) == before
    await write(archive)
    assert rating_of((archive.photos / "a.xmp").read_bytes()) == 4
    assert (await switch(archive, False)).json()["enabled"] is False


async def test_an_edited_sidecar_keeps_what_other_programs_wrote(archive: Archive) -> None:
    a_raw(archive)
    sidecar = archive.photos / "a.xmp"
    sidecar.write_bytes(lightroom(2))
    sidecar.chmod(0o640)
    await rated(archive, user_rating=5)
    assert "2 stars -> 5 stars" in await write(archive)
    assert sidecar.read_bytes() == lightroom(5)
    assert stat.S_IMODE(sidecar.stat().st_mode) == 0o640
    assert sorted(path.name for path in archive.photos.iterdir()) == ["a.dng", "a.xmp"]


async def test_a_redo_changes_nothing_and_an_import_sees_nothing_new(archive: Archive) -> None:
    a_raw(archive)
    a_sidecar(archive, "a.xmp", 2)
    await rated(archive, user_rating=5, tags=["sea"], manual_match=True)
    await write(archive)
    after = snapshot(archive)
    assert await write(archive) == "1 said so already\n"
    rows = "SELECT path, size, mtime_ns, rating, problem FROM sidecars"
    known = await archive.sql(rows)
    await archive.imported()
    assert (await archive.sql(rows), snapshot(archive)) == (known, after)
    assert (await said(archive), await conflicts(archive)) == ({"a.dng": 5}, [])
    text = after["a.xmp"][0].decode()
    assert (PICK_LABEL in text, "<rdf:li>sea</rdf:li>" in text) == (True, True)


async def test_what_a_killed_run_wrote_is_no_conflict(archive: Archive) -> None:
    a_raw(archive)
    a_sidecar(archive, "a.xmp", 2)
    await rated(archive, user_rating=5)
    await write(archive)
    await archive.sql("UPDATE sidecars SET mtime_ns = 1, rating = 2")  # killed before it could note that
    (archive.photos / ".keepers-1.tmp").write_bytes(b"half a fi")
    before = snapshot(archive)
    assert await write(archive) == "1 said so already\n"
    assert (snapshot(archive), await conflicts(archive)) == (before, [])
    assert (await archive.imported())["left_alone"] == {}


async def test_a_rejected_photo_is_minus_one_and_restored_it_has_its_stars_again(archive: Archive) -> None:
    a_raw(archive)
    await rated(archive, user_rating=3)
    await act(archive, "reject")
    await write(archive)
    assert rating_of((archive.photos / "a.xmp").read_bytes()) == -1
    await act(archive, "restore")
    await write(archive)
    assert rating_of((archive.photos / "a.xmp").read_bytes()) == 3
    await rate(archive, user_rating=None)
    await write(archive)
    assert rating_of((archive.photos / "a.xmp").read_bytes()) is None
    await archive.imported()
    assert await said(archive) == {"a.dng": None}


async def test_the_names_in_the_folder_decide_what_a_new_sidecar_is_called(archive: Archive) -> None:
    for number, name in enumerate(["a.dng", "b.dng"]):
        a_raw(archive, name, number)
    a_sidecar(archive, "a.dng.xmp", 2)
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = 4")
    await switch(archive)
    await write(archive)
    assert rating_of((archive.photos / "b.dng.xmp").read_bytes()) == 4
    assert not (archive.photos / "b.xmp").exists()


async def test_two_raws_of_one_name_get_a_sidecar_each(archive: Archive) -> None:
    for number, name in enumerate(["a.dng", "a.raw"]):
        a_raw(archive, name, number)
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = CASE file_name WHEN 'a.dng' THEN 2 ELSE 4 END")
    await switch(archive)
    await write(archive)
    assert await write(archive) == "2 said so already\n"
    assert [rating_of((archive.photos / f"{name}.xmp").read_bytes()) for name in ("a.dng", "a.raw")] == [2, 4]


async def test_a_photo_that_is_not_raw_gets_a_new_sidecar_only_when_asked(archive: Archive) -> None:
    a_photo(archive)
    await rated(archive, user_rating=4)
    assert "1 not RAW and without a sidecar" in await write(archive)
    assert [path.name for path in archive.photos.iterdir()] == ["a.jpg"]
    await write(archive, for_all_files=True)
    assert rating_of((archive.photos / "a.jpg.xmp").read_bytes()) == 4


async def test_nothing_is_written_about_photos_of_which_nothing_was_said(archive: Archive) -> None:
    a_raw(archive)
    a_sidecar(archive, "a.xmp", None)
    await archive.imported()
    await switch(archive)
    before = snapshot(archive)
    assert await write(archive) == "1 said so already\n"
    assert snapshot(archive) == before


async def test_a_sidecar_that_was_changed_since_is_a_conflict_with_both_values(archive: Archive) -> None:
    a_raw(archive)
    sidecar = a_sidecar(archive, "a.xmp", 2)
    await rated(archive, user_rating=5)
    touched(sidecar, packet(3))
    assert "in conflict, not written (file 3 stars, Keepers 5 stars)" in await write(archive)
    assert await conflicts(archive) == [("a.dng", 5, 3)]
    assert "in conflict" in await write(archive)
    assert sidecar.read_bytes() == packet(3)
    await settle(archive, "ours")
    await write(archive)
    assert sidecar.read_bytes() == packet(5)
    touched(sidecar, packet(3))
    assert "in conflict" in await write(archive)


async def test_a_changed_sidecar_with_the_old_rating_is_a_conflict_too(archive: Archive) -> None:
    a_raw(archive)
    sidecar = a_sidecar(archive, "a.xmp", 2)
    await rated(archive, user_rating=5)
    touched(sidecar, lightroom(2))
    await write(archive)
    assert (sidecar.read_bytes(), await conflicts(archive)) == (lightroom(2), [("a.dng", 5, 2)])
    await settle(archive, "theirs")
    assert await write(archive) == "1 said so already\n"
    assert await said(archive) == {"a.dng": 2}


async def test_a_changed_sidecar_decides_where_nothing_was_said_here(archive: Archive) -> None:
    a_raw(archive)
    sidecar = a_sidecar(archive, "a.xmp", 2)
    await archive.imported()
    await switch(archive)
    touched(sidecar, packet(4))
    await write(archive, is_dry=True)
    assert await said(archive) == {"a.dng": 2}
    assert await write(archive) == "1 said so already\n"
    assert (await said(archive), sidecar.read_bytes()) == ({"a.dng": 4}, packet(4))


async def test_a_dry_run_lists_no_conflict_and_writes_nothing(archive: Archive) -> None:
    a_raw(archive)
    sidecar = a_sidecar(archive, "a.xmp", 2)
    await rated(archive, user_rating=5)
    assert "1 to be edited" in await write(archive, is_dry=True)
    touched(sidecar, packet(3))
    before = snapshot(archive)
    assert "1 in conflict, not written" in await write(archive, is_dry=True)
    assert (snapshot(archive), await conflicts(archive)) == (before, [])


async def test_a_sidecar_that_was_never_read_is_not_touched(archive: Archive) -> None:
    a_raw(archive)
    await rated(archive, user_rating=5)
    sidecar = a_sidecar(archive, "A.dng.XMP", 2)
    assert "import the folder" in await write(archive)
    assert sidecar.read_bytes() == packet(2)
    assert sorted(path.name for path in archive.photos.iterdir()) == ["A.dng.XMP", "a.dng"]


async def test_what_must_not_be_replaced_is_left_alone_with_a_sentence(archive: Archive, tmp_path: Path) -> None:
    for number, name in enumerate(["broken", "link", "locked"]):
        a_raw(archive, f"{name}.dng", number)
    (tmp_path / "far.xmp").write_bytes(packet(2))
    await archive.imported()
    (archive.photos / "broken.xmp").write_bytes(b"<a>")
    (archive.photos / "link.xmp").write_bytes(packet(2))
    (archive.photos / "locked.xmp").write_bytes(packet(2))
    (archive.photos / "locked.xmp").chmod(0o444)
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = 4")
    await switch(archive)
    (archive.photos / "link.xmp").unlink()
    (archive.photos / "link.xmp").symlink_to(tmp_path / "far.xmp")
    before = snapshot(archive)
    printed = await write(archive)
    for sentence in ("It is no whole XMP file", "write-protected", "3 failed"):
        assert sentence in printed
    assert snapshot(archive) == before
    assert (archive.photos / "link.xmp").is_symlink()


async def test_a_folder_that_became_a_link_is_not_followed(archive: Archive, tmp_path: Path) -> None:
    (archive.photos / "day").mkdir()
    a_raw(archive, "day/a.dng")
    await rated(archive, user_rating=4)
    (archive.photos / "day").rename(tmp_path / "elsewhere")
    (archive.photos / "day").symlink_to(tmp_path / "elsewhere")
    assert "Its folder is a link to another place. " in (await write(archive)).replace("\n", " ")
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["a.dng"]


async def test_the_command_line_writes(archive: Archive) -> None:
    a_raw(archive)
    await rated(archive, user_rating=4)
    command = [sys.executable, "-m", "orchestrator", "xmp", "--root", str(archive.photos)]
    env = {
        **os.environ,
        "DATABASE_URL": archive.settings.database_url or "",
        "KEEPERS_HOME": str(archive.site.services.settings.keepers_home),
    }
    running = await asyncio.create_subprocess_exec(*command, env=env, stdout=asyncio.subprocess.PIPE)
    printed, _ = await running.communicate()
    assert (running.returncode, printed.decode().splitlines()[-1]) == (0, "1 made new")
    assert rating_of((archive.photos / "a.xmp").read_bytes()) == 4


async def test_a_drive_that_is_away_or_read_only_is_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    a_raw(archive)
    await rated(archive, user_rating=4)
    monkeypatch.setattr(files, "trouble_with", lambda root: "can only be read")
    refused = await switch(archive)
    assert (refused.status_code, refused.json()["error"]["type"]) == (409, "root_read_only")
    with pytest.raises(Refused, match="can only be read, so no sidecar"):
        await write(archive)
    monkeypatch.undo()
    await archive.sql("UPDATE roots SET state = 'offline'")
    assert (await switch(archive)).json()["error"]["type"] == "root_offline"
    with pytest.raises(Refused, match="is not connected"):
        await write(archive)
    assert (await archive.site.client.get("/api/roots/999/write-back")).status_code == 404
