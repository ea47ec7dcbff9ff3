"""All test material as if it were XMP: what is one is read, and nothing else does harm."""

from pathlib import Path

import pytest

from orchestrator.write_back.packet import Wish, edited
from shared.errors import XmpBroken
from shared.xmp import rating_of
from tests.desk import Desk
from tests.material import MATERIAL

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not MATERIAL.is_dir(), reason=f"no test material at {MATERIAL}: set KEEPERS_TEST_DATA"),
]


def test_sidecars_without_a_rating_are_read_and_say_nothing() -> None:
    sidecars = sorted((MATERIAL / "raw").glob("*.xmp"))
    assert len(sidecars) >= 3
    assert {path.name: rating_of(path.read_bytes()) for path in sidecars} == {path.name: None for path in sidecars}


@pytest.mark.parametrize("stars", [b"4", b"-1"])
def test_stars_written_into_real_sidecars_are_found(stars: bytes) -> None:
    for path in sorted((MATERIAL / "raw").glob("*.xmp")):
        data = path.read_bytes()
        is_wide = b"<\0" in data[:8]
        place, put = b"<rdf:Description", b'<rdf:Description xmp:Rating="' + stars + b'"'
        if is_wide:
            place, put = place.decode().encode("utf-16-le"), put.decode().encode("utf-16-le")
        assert rating_of(data.replace(place, put, 1)) == int(stars), path.name


def test_real_sidecars_gain_lines_and_lose_none() -> None:
    for path in sorted((MATERIAL / "raw").glob("*.xmp")):
        before = path.read_bytes()
        after = edited(before, Wish(4, True, ("sea",)))
        assert (rating_of(after), edited(after, Wish(4, True, ("sea",)))) == (4, after), path.name
        rest = iter(after)
        assert all(byte in rest for byte in before), f"{path.name}: something was taken out"


def test_no_file_does_harm_under_the_name_of_a_sidecar() -> None:
    others = [path for folder in ("hostile", "raw") for path in (MATERIAL / folder).iterdir() if path.suffix != ".xmp"]
    outcomes = {outcome(path.read_bytes()) for path in others if path.is_file()}
    assert len(others) > 100
    assert all(sentence is None or sentence.endswith(".") for sentence in outcomes)


def outcome(data: bytes) -> str | None:
    try:
        assert rating_of(data) is None
    except XmpBroken as exc:
        return exc.message
    return None


def test_a_photo_that_says_unrated_has_no_rating(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    data = (MATERIAL / "raw" / "test-assets__prairie_falcon.jpg").read_bytes()
    assert b'xmp:Rating="0"' in data
    assert desk.result("a.jpg", data).rating is None
    assert desk.result("b.jpg", data.replace(b'xmp:Rating="0"', b'xmp:Rating="3"')).rating == 3
