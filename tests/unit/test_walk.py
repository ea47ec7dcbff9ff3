"""What a walk finds, leaves alone, and takes up again."""

import os
import random
from pathlib import Path

import pytest

from orchestrator.imports.walk import Folder, FoundFile, Permissions, Unit, beside, pair, walk

ANYWHERE = Permissions(lambda _: True, lambda _: True)


def walked(root: Path, after: bytes | None = None, permissions: Permissions = ANYWHERE) -> list[Folder]:
    return list(walk(os.fsencode(root), b"", after, permissions))


def found(folders: list[Folder]) -> list[str]:
    return [os.fsdecode(unit.main.path) for folder in folders for unit in folder.units]


def a_file(path: Path, data: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def units(*names: str) -> list[tuple[str, str | None]]:
    paired = pair([FoundFile(name.encode(), 1, 1) for name in names])
    return [(u.main.path.decode(), u.companion.path.decode() if u.companion else None) for u in paired]


def sidecars(*names: str) -> dict[str, list[str]]:
    """Main file -> its sidecars; those of no photo under an empty name."""
    files = [FoundFile(name.encode(), 1, 1) for name in names]
    owning, strays = beside(
        pair([file for file in files if not file.path.lower().endswith(b".xmp")]),
        [file for file in files if file.path.lower().endswith(b".xmp")],
    )
    owned = {unit.main.path.decode(): [file.path.decode() for file in unit.sidecars] for unit in owning}
    return owned | ({"": [file.path.decode() for file in strays]} if strays else {})


def test_every_supported_extension_is_found_in_any_case(tmp_path: Path) -> None:
    for name in ("a.JPG", "b.Cr2", "c.heic", "d/e/f.TIFF"):
        a_file(tmp_path / name)
    assert found(walked(tmp_path)) == ["a.JPG", "b.Cr2", "c.heic", "d/e/f.TIFF"]


def test_dot_files_and_forks_are_no_photos(tmp_path: Path) -> None:
    for name in (".hidden.jpg", "._a.jpg", ".trash/b.jpg", "a.jpg"):
        a_file(tmp_path / name)
    folders = walked(tmp_path)
    assert found(folders) == ["a.jpg"]
    assert sum(folder.left_alone.total() for folder in folders) == 0


def test_kinds_left_alone_are_counted_by_name(tmp_path: Path) -> None:
    for name in ("a.mov", "b.MOV", "c.psd", "README", "x.\n\u202e", "y." + "z" * 40):
        a_file(tmp_path / name)
    (folder,) = walked(tmp_path)
    assert folder.left_alone == {"mov": 2, "psd": 1, "other": 3}


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    a_file(tmp_path / "a" / "p.jpg")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    (tmp_path / "self.jpg").symlink_to("self.jpg")
    folders = walked(tmp_path)
    assert found(folders) == ["a/p.jpg"]
    assert folders[0].left_alone == {"unreadable file": 2}
    assert folders[1].left_alone == {"link to a folder": 1}


def test_links_to_files_and_pipes_and_folders_with_the_names_of_photos(tmp_path: Path) -> None:
    outside = a_file(tmp_path / "outside" / "secret.jpg")
    root = tmp_path / "root"
    a_file(root / "b.jpg")
    (root / "in.jpg").symlink_to("b.jpg")
    (root / "out.jpg").symlink_to(outside)
    os.mkfifo(root / "pipe.jpg")
    a_file(root / "folder.jpg" / "c.jpg")
    inside = Permissions(lambda _: True, lambda target: target.startswith(os.fsencode(root) + b"/"))
    folders = walked(root, permissions=inside)
    assert found(folders) == ["b.jpg", "in.jpg", "folder.jpg/c.jpg"]
    assert folders[0].left_alone == {"link out of the folder": 1, "not a file": 1}


def test_a_folder_that_may_not_be_entered_is_not(tmp_path: Path) -> None:
    a_file(tmp_path / "keepers" / "preview.jpg")
    a_file(tmp_path / "mine" / "a.jpg")
    permissions = Permissions(lambda folder: not folder.endswith(b"keepers"), lambda _: True)
    assert found(walked(tmp_path, permissions=permissions)) == ["mine/a.jpg"]


def test_an_unreadable_folder_is_counted_and_the_rest_goes_on(tmp_path: Path) -> None:
    """A path that is longer than the system can open: unreadable even for root."""
    a_file(tmp_path / "z.jpg")
    a_file(tmp_path / "zz" / "last.jpg")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    for _ in range(18):
        os.mkdir("d" * 240, dir_fd=descriptor)
        inner = os.open("d" * 240, os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    folders = walked(tmp_path)
    assert found(folders) == ["z.jpg", "zz/last.jpg"]
    assert sum(folder.left_alone["unreadable folder"] for folder in folders) == 1


@pytest.mark.parametrize("place", ["nothing", "an empty folder"])
def test_a_tree_that_goes_away_in_the_middle_is_no_row_of_unreadable_folders(tmp_path: Path, place: str) -> None:
    root = tmp_path / "root"
    for i in range(4):
        a_file(root / f"{i}" / "a.jpg")
    going = walk(os.fsencode(root), b"", None, ANYWHERE)
    assert next(going).path == b""
    assert next(going).path == b"0"
    root.rename(tmp_path / "away")
    if place == "an empty folder":
        root.mkdir()
    with pytest.raises(FileNotFoundError):
        next(going)


def test_a_folder_removed_in_the_middle_is_counted(tmp_path: Path) -> None:
    for i in range(3):
        a_file(tmp_path / f"{i}" / "a.jpg")
    going = walk(os.fsencode(tmp_path), b"", None, ANYWHERE)
    assert next(going).path == b""
    (tmp_path / "1").rename(tmp_path / "9")
    rest = list(going)
    assert found(rest) == ["0/a.jpg", "2/a.jpg"]
    assert rest[1].left_alone == {"unreadable folder": 1}


def test_a_folder_that_is_missing_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        walked(tmp_path / "nowhere")


def test_a_walk_taken_up_anywhere_yields_exactly_the_rest(tmp_path: Path) -> None:
    names = ["a", "a b", "a-b", "a.b", "ab", "a/b", "a/b/c", "a/b c", "b", "b/a", "a!"]
    for name in names:
        a_file(tmp_path / name / "p.jpg")
    whole = [folder.path for folder in walked(tmp_path)]
    assert sorted(whole, key=lambda path: path.split(b"/") if path else []) == whole
    for i, cursor in enumerate(whole):
        assert [folder.path for folder in walked(tmp_path, after=cursor)] == whole[i + 1 :]


def test_a_walk_taken_up_after_its_folder_was_removed_goes_on_behind_it(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        a_file(tmp_path / name / "p.jpg")
    (tmp_path / "b" / "p.jpg").unlink()
    (tmp_path / "b").rmdir()
    assert [folder.path for folder in walked(tmp_path, after=b"b")] == [b"c"]


def test_any_file_name_is_found(tmp_path: Path) -> None:
    names = [b"not utf-8 \xff\xfe.jpg", b"new\nline.jpg", b"#?%25.jpg", "\u202egpj.jpg".encode(), b"<b>&.jpg"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(b"x")
    (folder,) = walked(tmp_path)
    assert [unit.main.path for unit in folder.units] == sorted(names)


def test_a_raw_takes_the_jpeg_of_its_name() -> None:
    assert units("A.CR2", "A.JPG", "B.JPG", "a.jpg") == [("A.CR2", "A.JPG"), ("B.JPG", None), ("a.jpg", None)]


def test_of_two_raws_of_a_name_the_first_takes_the_jpeg() -> None:
    assert units("A.DNG", "A.CR2", "A.heic") == [("A.CR2", "A.heic"), ("A.DNG", None)]


def test_a_raw_takes_one_companion_and_leaves_the_other() -> None:
    assert units("A.NEF", "A.JPG", "A.HEIC") == [("A.JPG", None), ("A.NEF", "A.HEIC")]


def test_files_of_a_folder_are_never_lost_or_doubled_by_pairing() -> None:
    shuffled = random.Random(1)
    extensions = ["JPG", "jpg", "HEIC", "CR2", "DNG", "png", "tif"]
    for _ in range(200):
        names = {f"{shuffled.choice('AB')}.{shuffled.choice(extensions)}" for _ in range(6)}
        paired: list[Unit] = pair([FoundFile(name.encode(), 1, 1) for name in names])
        files = [file.path.decode() for unit in paired for file in (unit.main, unit.companion) if file]
        assert sorted(files) == sorted(names)


def test_sidecars_of_both_names_and_any_case_belong_to_their_photo() -> None:
    assert sidecars("d/a.NEF", "d/a.jpg", "d/a.xmp", "d/A.jpg.XMP", "d/a.nef.xmp", "d/b.xmp") == {
        "d/a.NEF": ["d/A.jpg.XMP", "d/a.nef.xmp", "d/a.xmp"],
        "": ["d/b.xmp"],
    }


def test_a_sidecar_that_could_be_of_several_photos_belongs_to_the_raw_or_to_the_one_it_names() -> None:
    assert sidecars("a.cr2", "a.bmp", "a.xmp", "a.bmp.xmp") == {"a.bmp": ["a.bmp.xmp"], "a.cr2": ["a.xmp"]}
    assert sidecars("b.tif", "b.png", "b.xmp") == {"b.png": ["b.xmp"], "b.tif": []}
    assert sidecars("c.jpg.png", "c.jpg", "c.jpg.xmp") == {"c.jpg": ["c.jpg.xmp"], "c.jpg.png": []}


def test_case_tells_sidecars_apart_where_both_photos_are_there() -> None:
    assert sidecars("a.jpg", "A.jpg", "a.xmp", "A.xmp") == {"a.jpg": ["a.xmp"], "A.jpg": ["A.xmp"]}


def test_only_sidecars_of_no_photo_are_left_alone(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.xmp", "._a.xmp", "stray.xmp", "sub/b.xmp"):
        a_file(tmp_path / name)
    folders = walked(tmp_path)
    assert [len(unit.sidecars) for folder in folders for unit in folder.units] == [1]
    assert [folder.left_alone for folder in folders] == [{"xmp": 1}, {"xmp": 1}]
