"""Exports: which photos, which files, and what is left when one is stopped at any moment."""

import asyncio
import errno
import hashlib
import io
import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlalchemy import text

from orchestrator.export import command, manifest
from orchestrator.export.disk import Disk, locked
from orchestrator.export.exporter import Job, Progress, export
from orchestrator.export.photo import Photo as PhotoToExport
from orchestrator.models import Photo, Root
from shared.claims import ClaimStore, claim_of
from shared.errors import KeepersError
from tests import factories
from tests.pictures import dng, exif_block, saved, scene
from tests.site import Site, serve
from workers.engines.colour import srgb_profile

PREVIEW = saved(scene(96, 64), "JPEG", icc_profile=srgb_profile())
ARTIST, COPYRIGHT, ORIENTATION, GPS_LATITUDE = 0x013B, 0x8298, 0x0112, 2


class Desk:
    """A photographer's archive and the folder that it is exported to."""

    def __init__(self, site: Site, folder: Path) -> None:
        self.site = site
        self.photos, self.target = folder / "photos", folder / "website"
        self.photos.mkdir()

    async def photo(self, name: str = "DSC_0001.jpg", original: bytes | None = None, **fields: Any) -> int:
        async with self.site.services.sessions.begin() as session:
            known = {"content_hash": hashlib.sha256(name.encode()).hexdigest(), "user_rating": 4, **fields}
            photo: Photo = await factories.a_photo(session, await self._root(session), name, **known)
            if "preview" not in fields:
                photo.preview = self.site.claims.put(f"previews/{photo.id}.jpg", PREVIEW)
            if original is not None:
                await self._file(session, photo, name, original, "original")
            return photo.id

    async def companion(self, photo_id: int, name: str, data: bytes) -> None:
        async with self.site.services.sessions.begin() as session:
            await self._file(session, await session.get_one(Photo, photo_id), name, data, "companion")

    async def _file(self, session: Any, photo: Photo, name: str, data: bytes, role: str) -> None:
        (self.photos / name).write_bytes(data)
        await factories.a_file(session, photo, name.encode(), role=role)

    async def _root(self, session: Any) -> Root:
        known = (await session.execute(text("SELECT id FROM roots"))).scalar()
        return await session.get_one(Root, known) if known else await factories.a_root(session, bytes(self.photos))

    async def sql(self, statement: str) -> None:
        async with self.site.services.sessions.begin() as session:
            await session.execute(text(statement))

    async def start(self, **wishes: Any) -> httpx.Response:
        return await self.site.client.post("/api/exports", json={"target": str(self.target), **wishes})

    async def export(self, **wishes: Any) -> dict[str, Any]:
        answer = await self.start(**wishes)
        assert answer.status_code == 202, answer.text
        return await self.finished(answer.json()["id"])

    async def finished(self, export_id: str) -> dict[str, Any]:
        for thread in threading.enumerate():
            if thread.name == "export":
                await asyncio.to_thread(thread.join)
        return dict((await self.site.client.get(f"/api/exports/{export_id}")).json())

    @property
    def entries(self) -> list[dict[str, Any]]:
        return list(json.loads((self.target / "photos.json").read_bytes()))

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.target.iterdir())


@pytest.fixture
def desk(site: Site, tmp_path: Path) -> Desk:
    return Desk(site, tmp_path)


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
    assert (await desk.export(project="Iceland"))["exported"] == 1
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
    pair = await desk.photo("pair.DNG", dng(scene(64, 48)))
    await desk.companion(pair, "pair.JPG", saved(scene(240, 160), "JPEG"))
    await desk.photo("raw.DNG", dng(scene(64, 48)))
    seen = await desk.export(full_size=True)
    assert [one["message"] for one in seen["not_exported"]] == [
        "raw.DNG: full size of a RAW without a JPEG is to come. Its preview can be exported."
    ]
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
    for target, said in {
        "relative": "whole path",
        str(tmp_path / "no" / "folder"): f"There is no folder {tmp_path}/no: make it first",
        str(file): "is a file",
        str(desk.photos / "export"): "lies in your photos",
        str(link / "export"): "lies in your photos",
        str(desk.site.services.settings.keepers_home / "claims"): "its own data",
        "/etc/keepers-export": "belongs to the system",
        "a\0b": "whole path",
    }.items():
        answer = await desk.start(target=target)
        assert answer.status_code == 422, target
        assert said in answer.json()["error"]["message"]


@pytest.mark.parametrize("broken", [b"{", b'{"a": 1}', b"[1]", b"\xff\xfe", b"[" * 100_000])
async def test_a_manifest_that_cannot_be_read_is_refused_and_left_alone(desk: Desk, broken: bytes) -> None:
    await desk.photo()
    desk.target.mkdir()
    (desk.target / "photos.json").write_bytes(broken)
    answer = await desk.start()
    assert answer.status_code == 422
    assert "Mend it or move it away" in answer.json()["error"]["message"]
    assert (desk.target / "photos.json").read_bytes() == broken
    assert desk.files == ["photos.json"]


async def test_a_target_whose_name_is_not_text_is_named_by_its_claim(desk: Desk, tmp_path: Path) -> None:
    await desk.photo("a.jpg")
    odd = tmp_path / os.fsdecode(b"caf\xe9 #?%")
    seen = await desk.export(target=None, target_claim=claim_of(odd))
    assert seen["state"] == "done"
    assert (odd / "a.jpg").exists()


async def test_a_folder_that_another_process_exports_to_is_left_to_it(desk: Desk) -> None:
    await desk.photo()
    desk.target.mkdir()
    with locked(desk.target):
        seen = await desk.export()
    assert seen["state"] == "failed"
    assert seen["error"] == f"Another export into {desk.target} is running."
    assert desk.files == []


async def test_an_export_that_is_not_known_says_why(desk: Desk) -> None:
    answer = await desk.site.client.get("/api/exports/0123")
    assert answer.status_code == 404
    assert "Export again, and it goes on." in answer.json()["error"]["message"]


async def test_the_command_exports_through_the_open_keepers(
    desk: Desk, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    await desk.photo("a.jpg")
    settings = desk.site.services.settings
    wishes = {"project": None, "full_size": False, "dry_run": False, "refresh": False}
    out = io.StringIO()
    with pytest.raises(KeepersError, match="keepers up"):
        await asyncio.to_thread(command.export, settings, desk.target, wishes, out)
    async with serve(desk.site) as address:
        (settings.keepers_home / "run" / "services.json").write_text(json.dumps({"address": address}))
        assert await asyncio.to_thread(command.export, settings, desk.target, wishes, out) == 0
    assert out.getvalue().splitlines()[-1] == f"1 exported to {desk.target}, 0 there already."
    assert desk.files == ["a.jpg", "photos.json"]


# An export that is stopped


class Killed(BaseException):
    """The process is gone."""


class StoppingDisk(Disk):
    """Stops at one step: before it, or half-way through what it writes. Nothing is done after that, unless it is a
    hiccup."""

    def __init__(self, stop_at: int, stop: BaseException, *, half_way: bool = False, is_hiccup: bool = False) -> None:
        self.steps = 0
        self._stop_at = stop_at
        self._stop = stop
        self._half_way = half_way
        self._is_hiccup = is_hiccup

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, self._step(path, data))
        self._end()

    def append(self, path: Path, data: bytes) -> None:
        super().append(path, self._step(path, data))
        self._end()

    def publish(self, temporary: Path, final: Path) -> None:
        self._step(None)
        if self.steps == self._stop_at:
            os.link(temporary, final)  # and not yet unlinked
        self._end()
        super().publish(temporary, final)

    def replace(self, temporary: Path, final: Path) -> None:
        self._step(None)
        self._end()
        super().replace(temporary, final)

    def remove(self, path: Path) -> None:
        self._step(None)
        self._end()
        super().remove(path)

    def _step(self, path: Path | None, data: bytes = b"") -> bytes:
        self.steps += 1
        if (self.steps > self._stop_at and not self._is_hiccup) or (self.steps == self._stop_at and not self._half_way):
            raise self._stop
        return data[: len(data) // 2] if self.steps == self._stop_at else data

    def _end(self) -> None:
        if self.steps == self._stop_at:
            raise self._stop


def photos(claims: ClaimStore, names: Iterable[str]) -> list[PhotoToExport]:
    nothing = dict.fromkeys(
        ("subject", "content_type", "lighting", "mood", "captured_at", "utc_offset_minutes", "project")
    )
    return [
        PhotoToExport(
            id=n, content_hash=f"{n:08x}", file_name=name, preview=claims.put("preview.jpg", PREVIEW), user_rating=4,
            manual_match=False, preference_score=None, tags=(), passes=True, **nothing,
        )
        for n, name in enumerate(names, 1)
    ]  # fmt: skip


STOPS = [
    (Killed(), False),
    (OSError(errno.ENOSPC, "No space left on device"), False),
    (OSError(errno.EIO, "I/O"), True),
]


@pytest.mark.parametrize("half_way", [False, True])
@pytest.mark.parametrize(("stop", "is_hiccup"), STOPS, ids=["kill", "full", "hiccup"])
def test_an_export_stopped_anywhere_leaves_a_valid_manifest_and_the_next_one_completes_it(
    tmp_path: Path, stop: BaseException, is_hiccup: bool, half_way: bool
) -> None:
    claims = ClaimStore(tmp_path / "claims")
    chosen = photos(claims, ["a.jpg", "b.jpg", "a.NEF"])
    whole = {"a.jpg", "b.jpg", "a-00000003.jpg"}
    stop_at, is_through = 0, False
    while not is_through:
        stop_at += 1
        target = tmp_path / f"{stop_at}"
        target.mkdir()
        export(Job(target, []), claims, Progress())
        disk = StoppingDisk(stop_at, stop, half_way=half_way, is_hiccup=is_hiccup)
        try:
            export(Job(target, chosen), claims, Progress(), disk)
            is_through = True
        except (Killed, OSError):
            named = {entry["filename"] for entry in json.loads((target / "photos.json").read_bytes())}
            assert all((target / name).stat().st_size for name in named)
        export(Job(target, chosen), claims, Progress())
        entries = json.loads((target / "photos.json").read_bytes())
        assert sorted(entry["photo_id"] for entry in entries) == [1, 2, 3], stop_at
        assert {entry["filename"] for entry in entries} == whole
        assert {path.name for path in target.iterdir()} - {manifest.MANIFEST_PART} == whole | {"photos.json"}, stop_at
        for name in whole:
            with Image.open(target / name) as image:
                image.load()
    assert stop_at > 10


def test_a_file_put_under_the_name_of_a_picture_that_was_never_published_is_not_taken_for_it(tmp_path: Path) -> None:
    claims, target = ClaimStore(tmp_path / "claims"), tmp_path / "website"
    chosen = photos(claims, ["a.jpg"])
    with pytest.raises(Killed):  # the journal has the name, the folder has not
        export(Job(target, chosen), claims, Progress(), StoppingDisk(3, Killed()))
    (target / "a.jpg").write_bytes(b"mine")
    export(Job(target, chosen), claims, Progress())
    (entry,) = json.loads((target / "photos.json").read_bytes())
    assert entry["filename"] == "a-00000001.jpg"
    assert (target / "a.jpg").read_bytes() == b"mine"
