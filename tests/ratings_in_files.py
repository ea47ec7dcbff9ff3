"""Photos with ratings in files and sidecars, and what was said about them."""

import os
from pathlib import Path
from typing import Any

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


async def rate(archive: Archive, **said: Any) -> None:
    """The person says something about the only photo."""
    photo = await archive.photo()
    answer = await archive.site.client.patch(f"/api/photos/{photo['id']}", json=said)
    assert answer.status_code == 200, answer.text


async def act(archive: Archive, action: str) -> None:
    photo = await archive.photo()
    assert (await archive.site.client.post(f"/api/photos/{photo['id']}/{action}")).status_code == 200


async def conflicts(archive: Archive) -> list[tuple[str, int | None, int]]:
    """File name, our rating and theirs."""
    listed = (await archive.site.client.get("/api/rating-conflicts")).json()
    assert listed["total"] == len(listed["items"])
    return [(one["photo"]["file_name"], one["ours"], one["theirs"]) for one in listed["items"]]


async def settle(archive: Archive, choice: str) -> dict[str, Any]:
    (one,) = (await archive.site.client.get("/api/rating-conflicts")).json()["items"]
    answer = await archive.site.client.post(f"/api/rating-conflicts/{one['id']}", json={"choice": choice})
    assert answer.status_code == 200, answer.text
    settled: dict[str, Any] = answer.json()
    return settled


async def check_counts(archive: Archive) -> None:
    """The counters of imports equal what the files of their photos say."""
    carriers = (
        "SELECT import_id AS id, count(*) AS n FROM import_items JOIN photos ON photos.id = photo_id"
        " WHERE embedded_rating IS NOT NULL"
        " OR EXISTS (SELECT 1 FROM sidecars WHERE sidecars.photo_id = photos.id AND rating IS NOT NULL) GROUP BY 1"
    )
    counted = await archive.sql("SELECT id, with_rating AS n FROM imports WHERE with_rating > 0 ORDER BY id")
    assert counted == await archive.sql(f"{carriers} ORDER BY 1")
