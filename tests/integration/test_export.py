"""Exports: which photos, which files, and what is left when one is stopped at any moment."""

import io
import json
import os
import threading
from pathlib import Path

import pytest
from PIL import Image

from orchestrator.export import service as exports
from orchestrator.export import target
from shared.claims import claim_of
from tests import factories
from tests.exporting import PREVIEW, Desk
from tests.pictures import dng, exif_block, saved, scene
from workers.engines.colour import srgb_profile

ARTIST, COPYRIGHT, ORIENTATION, GPS_LATITUDE = 0x013B, 0x8298, 0x0112, 2
RULE = [
    ({"user_rating": 5}, ["stars"]),
    ({"user_rating": 4}, ["stars"]),
    ({"user_rating": 3}, None),
    ({"user_rating": 1, "manual_match": True}, ["pick"]),
    ({"user_rating": 3, "preference_score": 70}, ["score"]),
    ({"user_rating": 3, "preference_score": 69}, None),
    ({"user_rating": 5, "manual_match": True, "preference_score": 90}, ["stars", "pick", "score"]),
    ({"user_rating": None, "manual_match": True, "preference_score": 100}, None),
    ({"user_rating": 5, "rejected_at": factories.minutes_ago(1)}, None),
    ({"user_rating": 5, "deleted_at": factories.minutes_ago(1)}, None),
]


async def test_only_rated_photos_that_stars_pick_or_a_trusted_score_approve_are_exported(desk: Desk) -> None:
    await desk.sql("UPDATE taste_state SET is_trusted = true")
    ids = [await desk.photo(f"{n}.jpg", **fields) for n, (fields, _) in enumerate(RULE)]
    plan = (await desk.site.client.get("/api/exports/plan")).json()
    reasons = {item["id"]: item["reasons"] for group in plan["groups"] for item in group["items"]}
    assert reasons == {ids[n]: why for n, (_, why) in enumerate(RULE) if why}
    assert (await desk.export())["exported"] == plan["total"] == len(reasons)
    assert {entry["photo_id"] for entry in desk.entries} == set(reasons)


async def test_a_score_approves_nothing_until_the_taste_beats_guessing(desk: Desk) -> None:
    await desk.photo(user_rating=2, preference_score=99)
    assert (await desk.export())["total"] == 0
    assert desk.entries == []
    await desk.sql("UPDATE taste_state SET is_trusted = true")
    (group,) = (await desk.site.client.get("/api/exports/plan")).json()["groups"]
    assert (group["reason"], group["photos"], group["doubtful"]) == ("score", 1, 1)
    assert group["items"][0]["is_doubtful"]


async def test_an_entry_says_what_is_known_of_the_photo(desk: Desk) -> None:
    described = {
        "subject": "A dipper",
        "content_type": "wildlife",
        "lighting_critique": "soft",
        "artistic_mood": "calm",
    }
    photo_id = await desk.photo(
        "Füchse.CR2", suggested_tags=["a"], tags=["fox"], utc_offset_minutes=120, preference_score=81, **described
    )
    await desk.export()
    (entry,) = desk.entries
    assert entry.pop("exported_at")
    assert entry.pop("content_hash")
    assert entry == {
        "photo_id": photo_id, "filename": "Füchse.jpg", "original_name": "Füchse.CR2", "tags": ["fox"],
        "mood": "calm", "subject": "A dipper", "content_type": "wildlife", "lighting": "soft",
        "captured_at": "2024-05-04T10:00:00+02:00", "width": 96, "height": 64, "preference_score": 81,
        "user_rating": 4, "manual_match": False, "project": None,
    }  # fmt: skip
    assert desk.files == ["Füchse.jpg", "photos.json"]


async def test_exporting_again_adds_what_is_new_and_touches_nothing_else(desk: Desk) -> None:
    await desk.photo("a.jpg")
    await desk.export()
    (desk.target / "a.jpg").write_bytes(b"retouched by hand")
    (desk.target / "b.jpg").write_bytes(b"somebody else's")
    await desk.photo("b.jpg", content_hash="feedc0de" * 8)
    seen = await desk.export()
    assert (seen["exported"], seen["already"]) == (1, 1)
    assert desk.files == ["a.jpg", "b-feedc0de.jpg", "b.jpg", "photos.json"]
    assert (desk.target / "a.jpg").read_bytes() == b"retouched by hand"
    assert (desk.target / "b.jpg").read_bytes() == b"somebody else's"


async def test_a_renamed_photo_is_known_by_its_content(desk: Desk) -> None:
    photo_id = await desk.photo("a.jpg", content_hash="aa" * 32)
    await desk.export()
    await desk.sql(f"UPDATE photos SET file_name = 'z.jpg' WHERE id = {photo_id}")
    assert (await desk.export())["already"] == 1
    assert desk.files == ["a.jpg", "photos.json"]


async def test_two_photos_of_one_name_are_both_exported(desk: Desk) -> None:
    await desk.photo("DSC_0001.jpg", content_hash="11" * 32)
    await desk.photo("dsc_0001.NEF", content_hash="22" * 32)
    await desk.export()
    assert desk.files == ["DSC_0001.jpg", "dsc_0001-22222222.jpg", "photos.json"]


async def test_refresh_updates_entries_marks_withdrawn_ones_and_deletes_nothing(desk: Desk) -> None:
    first, second = await desk.photo("a.jpg"), await desk.photo("b.jpg")
    await desk.export()
    foreign = {"filename": "old.jpg", "caption": "by hand"}
    (desk.target / "photos.json").write_text(json.dumps([*desk.entries, foreign]))
    await desk.sql(f"UPDATE photos SET subject = 'A fox', user_rating = 5 WHERE id = {first}")
    await desk.sql(f"UPDATE photos SET rejected_at = now() WHERE id = {second}")
    assert (await desk.export())["updated"] == 0
    assert (await desk.export(dry_run=True, refresh=True))["updated"] == 2
    assert "withdrawn_at" not in desk.entries[1]
    seen = await desk.export(refresh=True)
    assert (seen["updated"], seen["withdrawn"], seen["exported"]) == (2, 1, 0)
    assert (desk.entries[0]["subject"], desk.entries[0]["user_rating"]) == ("A fox", 5)
    assert desk.entries[1]["withdrawn_at"]
    assert desk.entries[2] == foreign
    assert desk.files == ["a.jpg", "b.jpg", "photos.json"]
    await desk.sql(f"UPDATE photos SET rejected_at = NULL WHERE id = {second}")
    await desk.export(refresh=True)
    assert "withdrawn_at" not in desk.entries[1]


async def test_one_project_is_exported_and_an_unknown_one_refused(desk: Desk) -> None:
    async with desk.site.services.sessions.begin() as session:
        project = (await factories.a_project(session, "Iceland")).id
    await desk.photo("a.jpg", project_id=project)
    await desk.photo("b.jpg")
    assert (await desk.export(project=" iceland"))["exported"] == 1
    assert [entry["project"] for entry in desk.entries] == ["Iceland"]
    assert (await desk.start(project="Nowhere")).json()["error"]["message"] == "There is no project Nowhere."


async def test_a_dry_run_writes_nothing(desk: Desk) -> None:
    await desk.photo("a.jpg")
    await desk.photo("b.jpg", preview=None)
    seen = await desk.export(dry_run=True)
    assert (seen["exported"], seen["left"]) == (1, 1)
    assert seen["not_exported"][0]["message"] == "b.jpg has no preview yet. Export again once it has."
    assert not desk.target.exists()


async def test_previews_carry_srgb_and_credit_and_no_place(desk: Desk) -> None:
    tags = exif_block({ARTIST: "Ada", COPYRIGHT: "(c) Ada"}, gps={GPS_LATITUDE: (64.0, 8.0, 0.0)})
    await desk.photo("a.jpg", saved(scene(), "JPEG", exif=tags))
    await desk.export()
    with Image.open(desk.target / "a.jpg") as image:
        exif = image.getexif()
        assert (exif[ARTIST], exif[COPYRIGHT]) == ("Ada", "(c) Ada")
        assert not exif.get_ifd(0x8825)
        assert image.info["icc_profile"] == srgb_profile()
        assert image.tobytes() == Image.open(io.BytesIO(PREVIEW)).tobytes()


async def test_full_size_is_the_companion_or_the_jpeg_itself_without_its_place(desk: Desk) -> None:
    tags = exif_block({ARTIST: "Ada", ORIENTATION: 6}, gps={GPS_LATITUDE: (64.0, 8.0, 0.0)})
    large = saved(scene(300, 200), "JPEG", exif=tags, comment=b"secret", quality=91)
    await desk.photo("jpeg.jpg", large + b"\xff\xd8 a second picture")
    pair = await desk.photo("pair.DNG", dng(scene(64, 48)), width=240, height=160)
    await desk.companion(pair, "pair.JPG", saved(scene(240, 160), "JPEG"))
    seen = await desk.export(full_size=True)
    assert seen["left"] == 0
    sizes = {entry["filename"]: (entry["width"], entry["height"]) for entry in desk.entries}
    assert sizes == {"jpeg.jpg": (200, 300), "pair.jpg": (240, 160)}
    given = (desk.target / "jpeg.jpg").read_bytes()
    assert b"secret" not in given
    assert b"second picture" not in given
    with Image.open(io.BytesIO(given)) as image:
        assert (image.getexif()[ARTIST], image.getexif()[ORIENTATION]) == ("Ada", 6)
        assert not image.getexif().get_ifd(0x8825)
        assert image.info["icc_profile"] == srgb_profile()
        assert image.tobytes() == Image.open(io.BytesIO(large)).tobytes()


ODD = ["#?%.jpg", 'a"b\n<c>.jpg', "..", ".jpg", "ö" * 300 + ".jpg", "caf\ufffd\u202e.jpg", "photos.json", "a/b.jpg"]


async def test_odd_names_become_names_that_every_disk_and_server_takes(desk: Desk) -> None:
    for n, name in enumerate(ODD):
        await desk.photo(name, content_hash=f"{n:064x}")
    await desk.export()
    names = [entry["filename"] for entry in desk.entries]
    assert sorted([*names, "photos.json"]) == desk.files
    assert len(names) == len(ODD)
    assert not [name for name in names if set(name) & set('#?%"<>\n\u202e/') or name.startswith(".")]
    assert [entry["original_name"] for entry in desk.entries] == ODD


async def test_folders_that_cannot_be_exported_to_are_refused_with_a_sentence(desk: Desk, tmp_path: Path) -> None:
    await desk.photo()
    file = tmp_path / "file"
    file.write_text("")
    link = tmp_path / "link"
    link.symlink_to(desk.photos)
    (tmp_path / "unplugged").symlink_to(tmp_path / "drive" / "website")
    for folder, said in {
        "relative": "whole path",
        str(tmp_path / "no" / "folder"): f"There is no folder {tmp_path}/no: make it first",
        str(file): "is a file",
        str(desk.photos / "export"): "lies in your photos",
        str(link / "export"): "lies in your photos",
        str(desk.site.services.settings.keepers_home / "claims"): "its own data",
        "/etc/keepers-export": "belongs to the system",
        "a\0b": "whole path",
        str(tmp_path / ("n" * 300)): "cannot be opened: File name too long",
        str(tmp_path / "unplugged"): "is a link to a folder that is not there",
    }.items():
        answer = await desk.start(target=folder)
        assert answer.status_code == 422, folder
        assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "broken", [b"{", b'{"a": 1}', b"[1]", b"\xff\xfe", b"[" * 100_000, b'[{"a": NaN}]', b'[{"a": 1e999}]']
)
async def test_a_manifest_that_cannot_be_read_is_refused_and_left_alone(desk: Desk, broken: bytes) -> None:
    await desk.photo()
    desk.target.mkdir()
    (desk.target / "photos.json").write_bytes(broken)
    answer = await desk.start()
    assert answer.status_code == 422
    assert "Mend it or move it away" in answer.json()["error"]["message"]
    assert (desk.target / "photos.json").read_bytes() == broken
    assert desk.files == ["photos.json"]


async def test_a_manifest_that_is_no_file_is_refused_and_left_alone(desk: Desk, tmp_path: Path) -> None:
    """A pipe nobody writes into would be waited for, and with it every export after this one."""
    await desk.photo()
    desk.target.mkdir()
    manifest = desk.target / "photos.json"
    for put, said in {
        manifest.mkdir: "Is a directory",
        lambda: os.mkfifo(manifest): "it is no file",
        lambda: manifest.symlink_to(tmp_path / "site.json"): "it is a link to another place",
    }.items():
        put()
        before = manifest.lstat()
        answer = await desk.start()
        assert answer.status_code == 422
        assert said in answer.json()["error"]["message"]
        assert manifest.lstat().st_mode == before.st_mode
        manifest.rmdir() if manifest.is_dir() else manifest.unlink()


async def test_a_manifest_without_end_is_refused(desk: Desk) -> None:
    await desk.photo()
    desk.target.mkdir()
    with (desk.target / "photos.json").open("wb") as file:
        file.truncate(5_000_000_000)
    answer = await desk.start()
    assert answer.status_code == 422
    assert "it has 5,000 MB, over the limit of 1,000" in answer.json()["error"]["message"]


async def test_what_another_program_wrote_into_the_manifest_stays_through_a_refresh(desk: Desk) -> None:
    await desk.photo("a.jpg")
    foreign = [{"src": "x.jpg"}, {"filename": 5}, {"photo_id": 10**30}, {"content_hash": "a\0b"}, {"photo_id": True}]
    desk.target.mkdir()
    (desk.target / "photos.json").write_text(json.dumps(foreign))
    assert (await desk.export(refresh=True))["exported"] == 1
    assert desk.entries[:5] == foreign


async def test_a_target_that_hangs_is_given_up_and_keeps_no_other_from_being_exported_to(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.photo()
    answers = threading.Event()
    with monkeypatch.context() as hanging:
        hanging.setattr(exports, "PATIENCE_SECONDS", 0.1)
        hanging.setattr(target, "trouble_with", lambda *_: answers.wait(60))
        answer = await desk.start()
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "bad_target")
    assert answer.json()["error"]["message"].startswith(f"{desk.target} does not answer.")
    assert (await desk.export())["exported"] == 1
    answers.set()


async def test_a_target_whose_name_is_not_text_is_named_by_its_claim(desk: Desk, tmp_path: Path) -> None:
    await desk.photo("a.jpg")
    odd = tmp_path / os.fsdecode(b"caf\xe9 #?%")
    seen = await desk.export(target=None, target_claim=claim_of(odd))
    assert seen["state"] == "done"
    assert (odd / "a.jpg").exists()
