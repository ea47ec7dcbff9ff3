"""Stars that another program wrote into a photo or a sidecar beside it."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.archive import Archive
from tests.pictures import saved, scene

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" {said}/></rdf:RDF></x:xmpmeta>'
)


def packet(rating: int | None) -> bytes:
    return XMP.format(said="" if rating is None else f'xmp:Rating="{rating}"').encode()


def a_photo(archive: Archive, name: str = "a.jpg", seed: int = 1, rating: int | None = None) -> Path:
    path = archive.photos / name
    path.parent.mkdir(exist_ok=True)
    xmp = {} if rating is None else {"xmp": packet(rating)}
    path.write_bytes(saved(scene(90, 60, seed), "JPEG", quality=90, **xmp))
    return path


def a_sidecar(archive: Archive, name: str, rating: int | None) -> Path:
    """Written later than any before it, as a clock would have it."""
    path = archive.photos / name
    path.write_bytes(packet(rating))
    newest = max(file.stat().st_mtime_ns for file in archive.photos.rglob("*"))
    os.utime(path, ns=(newest + 1_000_000, newest + 1_000_000))
    return path


async def said(archive: Archive) -> dict[str, int | None]:
    """File name -> stars, -1 for rejected."""
    rows = await archive.sql("SELECT file_name, user_rating, rejected_at FROM photos")
    return {row["file_name"]: -1 if row["rejected_at"] else row["user_rating"] for row in rows}


async def decide(archive: Archive, **fields: Any) -> None:
    """The person says something about the only photo."""
    from orchestrator.review.service import Change
    from orchestrator.review.service import decide as write

    photo = await archive.photo()
    async with archive.site.services.sessions.begin() as session:
        await write(session, [Change(photo["id"], fields)])


@pytest.mark.parametrize("name", ["a.xmp", "A.XMP", "a.jpg.xmp", "a.JPG.Xmp"])
async def test_a_sidecar_rates_its_photo(archive: Archive, name: str) -> None:
    a_photo(archive)
    a_sidecar(archive, name, 4)
    seen = await archive.imported()
    photo = await archive.photo()
    assert (photo["user_rating"], photo["kept_at"] is not None, seen["left_alone"]) == (4, True, {})
