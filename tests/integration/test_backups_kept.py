"""Which backups are made by themselves, and which are kept, also where a clock was wrong or a folder is shared."""

import asyncio
from datetime import UTC, datetime, timedelta

from orchestrator.backups import kept
from tests.keeping import Safe, an_archive


async def test_five_of_each_reason_are_kept(safe: Safe) -> None:
    await an_archive(safe)
    folder = safe.settings.keepers_home / "backups"
    folder.mkdir()
    archive = await safe.archive_id()
    for day in range(1, 7):
        (folder / f"keepers-2024-05-{day:02}-070000-asked-{archive}.zip").write_bytes(b"old")
        (folder / f"keepers-2024-05-{day:02}-070000-daily-{archive}.zip").write_bytes(b"old")
    (folder / f"keepers-2024-05-09-070000-asked-{archive}.zip.unfinished").write_bytes(b"left by a killed one")
    (folder / "mine.zip").write_bytes(b"of somebody else")
    there = safe.backups
    assert (await asyncio.to_thread(safe.keepers, "backup", "--to", folder)).status == 0
    (named,) = set(safe.backups) - set(there)
    assert set(there) - set(safe.backups) == {folder / f"keepers-2024-05-09-070000-asked-{archive}.zip.unfinished"}
    named.unlink()
    backup = await asyncio.to_thread(safe.backed_up)
    names = [path.name for path in safe.backups]
    asked = [name for name in names if "asked" in name]
    assert asked == [f"keepers-2024-05-{day:02}-070000-asked-{archive}.zip" for day in (3, 4, 5, 6)] + [backup.name]
    assert len([name for name in names if "daily" in name]) == 6
    assert "mine.zip" in names


async def test_archives_that_share_a_folder_drop_nothing_of_each_other(safe: Safe) -> None:
    await an_archive(safe)
    folder = safe.settings.keepers_home / "backups"
    folder.mkdir()
    for day in range(1, 9):
        (folder / f"keepers-2024-05-{day:02}-070000-asked-0123456789ab.zip").write_bytes(b"of another archive")
        (folder / f"keepers-2024-05-{day:02}-080000-asked.zip").write_bytes(b"of whoever was too old for an id")
    now = datetime.now(UTC)
    (folder / kept.name_of(now, "daily", "0123456789ab")).write_bytes(b"of another archive")
    (folder / "keepers-2024-05-09-070000-daily-0123456789ab.zip.unfinished").write_bytes(b"being written")
    there = set(safe.backups)
    async with safe.opened() as archive:
        await archive.site.services.backups.keep_up()
        seen = (await archive.site.client.get("/api/backups")).json()["items"]
    (made,) = set(safe.backups) - there
    assert made.name.endswith(f"-daily-{await safe.archive_id()}.zip"), "the other one's is not ours"
    assert {made.name} <= {one["name"] for one in seen}
    assert not [one for one in seen if "0123456789ab" in one["name"]]
    for _ in range(2):
        await asyncio.to_thread(safe.keepers, "backup")
    assert there <= set(safe.backups)


async def test_a_restored_archive_goes_on_with_its_own_backups(safe: Safe) -> None:
    await an_archive(safe)
    before = await safe.archive_id()
    backup = await asyncio.to_thread(safe.backed_up)
    await safe.empty()
    assert await safe.archive_id() != before
    assert (await asyncio.to_thread(safe.keepers, "restore", backup)).status == 0
    assert await safe.archive_id() == before


async def test_a_day_after_the_last_one_another_is_made(safe: Safe) -> None:
    async with safe.opened() as archive:
        backups = archive.site.services.backups
        await backups.keep_up()
        assert safe.backups == [], "there is nothing to lose yet"
    await an_archive(safe)
    async with safe.opened() as archive:
        backups = archive.site.services.backups
        for _ in range(2):
            await backups.keep_up()
        (made,) = safe.backups
        assert "-daily-" in made.name
        yesterday = datetime.now(UTC) - timedelta(hours=24, minutes=1)
        made.rename(made.with_name(kept.name_of(yesterday, "daily", await safe.archive_id())))
        await backups.keep_up()
        assert len(safe.backups) == 2


async def test_backups_of_a_clock_that_was_wrong_once_keep_no_others_from_being_made_and_kept(safe: Safe) -> None:
    await an_archive(safe)
    folder, archive = safe.settings.keepers_home / "backups", await safe.archive_id()
    folder.mkdir()
    now = datetime.now(UTC)
    wrong = [folder / kept.name_of(now + timedelta(days=400 + day), "daily", archive) for day in range(6)]
    old = [folder / kept.name_of(now - timedelta(days=day), "daily", archive) for day in range(2, 8)]
    for path in (*wrong, *old):
        path.write_bytes(b"old")
    await safe.sql("UPDATE backup_state SET failed_at = now() + interval '400 days'")
    async with safe.opened() as opened:
        for _ in range(2):
            await opened.site.services.backups.keep_up()
    (made,) = set(safe.backups) - {*wrong, *old}
    assert set(safe.backups) == {made, *wrong, *old[:4]}
