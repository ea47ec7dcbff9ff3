"""Claims: any file name survives the wire, no path leaves its roots, and a put is all or nothing."""

import os
from pathlib import Path

import pytest

from shared.claims import claim_of, path_of
from shared.claims_folder import FolderClaims
from shared.contracts import convert
from shared.errors import OutsideRoots

NAMES = [
    b"plain.jpg",
    b"with space #?%.jpg",
    "Zürich.jpg".encode(),
    b"\xff\xfe.jpg",
    b"new\nline.jpg",
    "\u202egpj.exe".encode(),
]


@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_survives_the_wire(name: bytes) -> None:
    claim = claim_of(b"/photos/" + name)
    request = convert.Request(photo_id=1, file_path=claim, root="/photos", root_key="root:1")
    again = convert.Request.model_validate_json(request.model_dump_json())
    assert os.fsencode(path_of(again.file_path)) == b"/photos/" + name


def test_a_claim_that_is_not_encoded_is_refused() -> None:
    with pytest.raises(ValueError, match="percent-encoded"):
        convert.Request(photo_id=1, file_path="/a b", root="/photos", root_key="root:1")


def test_a_path_never_leaves_its_roots(tmp_path: Path) -> None:
    inside, outside = tmp_path / "photos", tmp_path / "secret"
    inside.mkdir()
    outside.write_text("secret")
    (inside / "link.jpg").symlink_to(outside)
    store = FolderClaims(tmp_path / "claims", (inside,))
    assert store.path(claim_of(inside / "a.jpg")) == inside / "a.jpg"
    for path in (outside, inside / "link.jpg", inside / ".." / "secret"):
        with pytest.raises(OutsideRoots):
            store.path(claim_of(path))
    with pytest.raises(OutsideRoots):
        store.path("../secret")


def test_putting_twice_changes_nothing_but_the_time(tmp_path: Path) -> None:
    store = FolderClaims(tmp_path)
    claim = store.put("previews/ab/x.jpg", b"picture")
    os.utime(store.path(claim), (1, 1))
    assert store.put("previews/ab/x.jpg", b"picture") == claim
    assert store.path(claim).stat().st_mtime > 1
    with store.open(claim) as file:
        assert file.read() == b"picture"
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_claim_is_verified_by_what_lies_there(tmp_path: Path) -> None:
    store = FolderClaims(tmp_path)
    assert store.verify(store.put("a.jpg", b"x"))
    assert not store.verify("b.jpg")
