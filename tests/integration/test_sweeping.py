"""Derived files that no photo needs any more go, once they are old enough."""

from pathlib import Path

from orchestrator.photos import sweeper
from tests.archive import Archive, sweep, with_new_metadata
from tests.stack import a_jpeg


async def test_replaced_previews_are_swept_when_they_are_old_enough(archive: Archive) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    await archive.imported()
    old = (await archive.photo())["preview"]
    with_new_metadata(photo, "Ansel")
    await archive.imported()
    claims = archive.site.claims
    await sweep(archive)
    assert claims.verify(old)  # not a day old
    await sweep(archive, older_than_seconds=0)
    assert not claims.verify(old)
    assert claims.verify((await archive.photo())["preview"])
    assert await archive.sql("SELECT 1 FROM orphan_candidates") == []
    await archive.check_books()


async def test_a_file_that_a_photo_needs_again_is_not_swept(archive: Archive) -> None:
    photo = a_jpeg(archive.photos / "a.jpg", seed=1)
    original = photo.read_bytes()
    await archive.imported()
    with_new_metadata(photo, "Ansel")
    await archive.imported()
    photo.write_bytes(original)
    await archive.imported()
    await sweep(archive, older_than_seconds=0)
    now = await archive.photo()
    assert archive.site.claims.verify(now["preview"])
    assert archive.site.claims.verify(now["thumbnail"])
    await archive.check_books()


async def test_half_written_files_of_killed_workers_are_swept(archive: Archive) -> None:
    left = archive.settings.claims_folder / "tmp" / "x.jpg.abc"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    await sweep(archive)
    assert left.exists()
    await sweep(archive, older_than_seconds=0)
    assert not left.exists()


async def test_a_derived_file_that_nobody_told_of_is_found_and_swept(archive: Archive) -> None:
    """Its worker was killed before it answered, and then the import was cancelled."""
    a_jpeg(archive.photos / "kept.jpg", seed=1)
    await archive.imported()
    a_jpeg(archive.photos / "given up.jpg", seed=2)
    import_id = await archive.start()
    await archive.scanned(import_id)
    archive.answer(await archive.queued())
    await archive.site.client.post(f"/api/imports/{import_id}/cancel")
    kept = await archive.photo()
    lost = {path for path in archive.settings.claims_folder.rglob("*.jpg") if path.name != Path(kept["preview"]).name}
    assert len(lost) == 2
    folders = {path.parent.name for path in archive.settings.claims_folder.rglob("*.jpg")}
    for folder in folders:
        await nominate(archive, folder)
    assert await archive.sql("SELECT 1 FROM orphan_candidates") == []  # not a day old
    for folder in folders:
        await nominate(archive, folder, older_than_seconds=0)
    await sweep(archive, older_than_seconds=0)
    assert not any(path.exists() for path in lost)
    assert archive.site.claims.verify(kept["preview"])
    await archive.check_books()


async def nominate(archive: Archive, folder: str, **options: float) -> None:
    async with archive.site.services.sessions.begin() as session:
        await sweeper.nominate(session, archive.site.claims, folder, **options)


async def test_a_candidate_outside_the_claims_folder_is_never_removed(archive: Archive) -> None:
    original = a_jpeg(archive.photos / "a.jpg", seed=1)
    for claim in (str(original), "../photos/a.jpg"):
        await archive.sql("INSERT INTO orphan_candidates (claim) VALUES (:claim)", claim=claim)
    await sweep(archive, older_than_seconds=0)
    assert original.exists()
