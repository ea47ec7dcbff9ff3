"""Exports in full size: JPEGs as they are, everything else rendered by the workers meanwhile."""

import asyncio
import dataclasses
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sqlalchemy.exc import OperationalError

from orchestrator.export.service import Exports
from orchestrator.renditions import service
from orchestrator.renditions.views import Renditions
from tests.archive import Archive
from tests.pictures import dng, exif_block, saved, scene
from workers.engines.colour import srgb_profile

GPS_FOLDER = 0x8825
PLACE = {1: "N", 2: (64.0, 8.0, 30.5), 3: "W", 4: (21.0, 56.0, 0.0)}
SIZE = (1600, 500)  # more than a preview has


async def approved(archive: Archive, **originals: bytes) -> Path:
    """The folder to export to."""
    for name, data in originals.items():
        (archive.photos / name.replace("_", ".")).write_bytes(data)
    await archive.imported()
    await archive.sql("UPDATE photos SET user_rating = 5")
    return archive.photos.parent / "website"


async def exported(archive: Archive, target: Path, *, with_workers: bool = True, **wishes: bool) -> dict[str, Any]:
    client = archive.site.client
    seen = (await client.post("/api/exports", json={"target": str(target), "full_size": True, **wishes})).json()
    while seen["state"] == "running":
        if with_workers:
            await archive.work("render")
        await asyncio.sleep(0.02)
        seen = (await client.get(f"/api/exports/{seen['id']}")).json()
    assert seen["state"] == "done", seen
    return dict(seen)


def opened(target: Path, name: str) -> Image.Image:
    with Image.open(io.BytesIO((target / name).read_bytes())) as image:
        image.load()
        return image


async def test_what_is_no_jpeg_is_rendered_in_full_size(archive: Archive) -> None:
    kinds = {
        "raw_dng": dng(scene(*SIZE)),
        "scan_tif": saved(scene(*SIZE), "TIFF"),
        "small_png": saved(scene(90, 60), "PNG"),
    }
    target = await approved(archive, **kinds)
    seen = await exported(archive, target)
    assert (seen["exported"], seen["left"]) == (3, 0)
    assert {name: opened(target, f"{name}.jpg").size for name in ("raw", "scan", "small")} == {
        "raw": SIZE,
        "scan": SIZE,
        "small": (90, 60),
    }
    assert all(opened(target, f"{name}.jpg").info["icc_profile"] == srgb_profile() for name in ("raw", "scan", "small"))
    again = await exported(archive, target, with_workers=False)  # needs none
    assert (again["exported"], again["already"]) == (0, 3)


async def test_a_database_that_restarts_costs_time_and_no_photo(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    wish_alone = service.wish_alone
    outage = iter([OperationalError("SELECT 1", None, OSError()), ConnectionRefusedError("nobody listens")])

    async def in_an_outage(*asked: Any) -> Renditions:
        for trouble in outage:
            raise trouble
        return await wish_alone(*asked)

    monkeypatch.setattr(service, "wish_alone", in_an_outage)
    seen = await exported(archive, await approved(archive, scan_tif=saved(scene(*SIZE), "TIFF")))
    assert (seen["exported"], seen["left"], next(outage, None)) == (1, 0, None)


async def test_of_a_raw_with_a_small_jpeg_all_pixels_are_developed(archive: Archive) -> None:
    target = await approved(archive, a_dng=dng(scene(*SIZE)), a_jpg=saved(scene(320, 100), "JPEG"))
    await exported(archive, target)
    assert opened(target, "a.jpg").size == SIZE


async def test_a_jpeg_in_other_colours_becomes_srgb(archive: Archive) -> None:
    block = Image.Exif()
    block.get_ifd(0x8769)[0xA001] = 65535
    block.get_ifd(0x8769)[0xA005] = {1: "R03"}  # Adobe RGB
    block[0x013B] = "Ada"
    green = np.full((SIZE[1], SIZE[0], 3), (60, 200, 60), np.uint8)
    target = await approved(archive, green_jpg=saved(green, "JPEG", quality=95, exif=block.tobytes()))
    await exported(archive, target)
    image = opened(target, "green.jpg")
    assert np.asarray(image)[:, :, 0].mean() < 20  # the same numbers mean a greener green
    assert image.info["icc_profile"] == srgb_profile()
    assert image.getexif()[0x013B] == "Ada"


async def test_one_that_cannot_be_rendered_is_named_and_the_rest_goes_on(archive: Archive) -> None:
    target = await approved(
        archive,
        a_png=saved(scene(*SIZE, 1), "PNG"),
        b_png=saved(scene(*SIZE, 2), "PNG"),
        c_png=saved(scene(*SIZE, 3), "PNG"),
    )
    (archive.photos / "b.png").write_bytes(b"no picture")
    seen = await exported(archive, target)
    assert (seen["exported"], seen["left"]) == (2, 1)
    (named,) = seen["not_exported"]
    assert named["message"].startswith("b.png cannot be exported in full size: b.png is not a photograph")
    assert sorted(path.name for path in target.iterdir()) == ["a.jpg", "c.jpg", "photos.json"]


async def test_without_workers_the_export_ends_and_says_why(archive: Archive) -> None:
    target = await approved(archive, a_png=saved(scene(*SIZE), "PNG"), b_jpg=saved(scene(*SIZE), "JPEG"))
    services = archive.site.app.state.services
    exports = Exports(
        services.sessions, services.claims, services.settings, services.wake, lambda stage: f"Nobody does {stage}."
    )
    archive.site.app.state.services = dataclasses.replace(services, exports=exports)
    seen = await exported(archive, target, with_workers=False)
    assert seen["exported"] == 1
    assert seen["not_exported"][0]["message"] == "a.png cannot be exported in full size: Nobody does render."
    await exports.stop()
    archive.site.app.state.services = services


async def test_while_the_stage_is_paused_the_export_ends_and_says_so(archive: Archive) -> None:
    target = await approved(archive, a_png=saved(scene(*SIZE), "PNG"))
    await archive.sql("INSERT INTO stage_pauses (stage) VALUES ('render')")
    seen = await exported(archive, target, with_workers=False)
    assert "The stage Views is paused. Resume it" in seen["not_exported"][0]["message"]


async def test_pictures_say_where_they_were_made_only_when_asked(archive: Archive) -> None:
    tags = exif_block({}, gps=PLACE)
    photos = {"a_jpg": saved(scene(*SIZE), "JPEG", exif=tags), "b_tif": saved(scene(*SIZE, 2), "TIFF", exif=tags)}
    target = await approved(archive, **photos)
    await exported(archive, target)
    assert not any(opened(target, name).getexif().get_ifd(GPS_FOLDER) for name in ("a.jpg", "b.jpg"))
    placed = target.with_name("placed")
    for wish in ({"full_size": True}, {"full_size": False}):
        await exported(archive, placed, gps=True, **wish)
        place = opened(placed, "a.jpg").getexif().get_ifd(GPS_FOLDER)
        assert (place[1], place[3]) == ("N", "W")
        assert [float(part) for part in (*place[2], *place[4])] == [64.0, 8.0, 30.5, 21.0, 56.0, 0.0]
        placed = target.with_name("placed-previews")
