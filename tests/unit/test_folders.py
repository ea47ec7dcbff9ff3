"""Which folders may be imported, and the sentences that say why not."""

import os
from pathlib import Path

import pytest

from orchestrator.imports.folders import allowed, folder_named, may_read
from shared.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(keepers_home=tmp_path / "home")


def with_photo(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "a.jpg").touch()
    return folder


def test_a_folder_with_photos_is_allowed(tmp_path: Path, settings: Settings) -> None:
    assert allowed(with_photo(tmp_path / "photos"), settings) is None


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("photos", "whole path"),
        ("/photos\0", "whole path"),
        ("/no/such/folder", "There is no folder"),
        ("/proc", "belongs to the system"),
        ("/usr/share", "belongs to the system"),
        ("/etc/../proc/self", "belongs to the system"),
        ("/", "whole machine"),
    ],
)
def test_each_refusal_says_why(path: str, sentence: str, settings: Settings) -> None:
    why = allowed(Path(path), settings)
    assert why is not None
    assert sentence in why


def test_a_file_is_not_a_folder(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "a.jpg").touch()
    assert "is a file" in (allowed(tmp_path / "a.jpg", settings) or "")


def test_an_empty_folder_can_be_opened_but_not_imported(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "empty").mkdir()
    assert may_read(tmp_path / "empty", settings) is None
    assert "nothing in" in (allowed(tmp_path / "empty", settings) or "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_named(tmp_path: Path, settings: Settings) -> None:
    closed = with_photo(tmp_path / "closed")
    closed.chmod(0)
    assert "permission" in (allowed(closed, settings) or "")
    closed.chmod(0o700)


def test_the_data_of_keepers_itself_is_no_archive(tmp_path: Path, settings: Settings) -> None:
    previews = with_photo(tmp_path / "home" / "claims")
    assert "its own data" in (allowed(previews, settings) or "")


def test_a_link_does_not_lead_around_the_rule(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "link").symlink_to("/etc")
    assert "belongs to the system" in (allowed(tmp_path / "link", settings) or "")


def test_with_photo_folders_set_only_those_are_allowed(tmp_path: Path) -> None:
    inside, outside = with_photo(tmp_path / "library" / "2024"), with_photo(tmp_path / "library-2")
    (tmp_path / "library" / "link").symlink_to(outside)
    settings = Settings(keepers_home=tmp_path / "home", photo_library=str(tmp_path / "library"))
    assert allowed(inside, settings) is None
    for refused in (outside, tmp_path / "library" / "link", tmp_path / "library" / ".." / "library-2"):
        assert "lies outside" in (allowed(refused, settings) or "")


@pytest.mark.parametrize("path", ["~nobody-of-that-name", "/photos/\ud800", "", None])
def test_what_is_no_path_is_refused_and_not_a_mistake_of_ours(path: str | None, settings: Settings) -> None:
    assert may_read(folder_named(path, None), settings) == "Name a folder by its whole path, beginning with /."
