"""What a bucket lists, in portions that can be taken up again."""

import re
from collections.abc import Iterator

import pytest

from orchestrator.imports.walk import Folder, Permissions
from orchestrator.places.bucket import PORTION, BucketPlace
from shared.bucket_address import BucketAddress
from shared.errors import BucketAway
from shared.originals_bucket import OriginalsBuckets
from shared.settings import Settings
from tests.doubles.object_host import PAGE, ObjectHost, serving
from tests.objects import settings_for

ANYWHERE = Permissions(lambda _: True, lambda _: True)
MANY = 1_700


@pytest.fixture
def host() -> Iterator[ObjectHost]:
    with serving(ObjectHost()) as host:
        yield host


@pytest.fixture
def place(host: ObjectHost) -> BucketPlace:
    bucket = OriginalsBuckets(Settings(**settings_for(host.url))).at(BucketAddress("archive", "raw"), "root:1")
    return BucketPlace(bucket, lambda key: key.startswith("previews/"))


def put(host: ObjectHost, *keys: str) -> None:
    host.objects |= {f"/archive/raw/{key}": b"x" for key in keys}


def found(portions: list[Folder]) -> list[str]:
    return [unit.main.path.decode() for portion in portions for unit in portion.units]


def test_the_files_of_a_photo_are_never_parted_between_portions(host: ObjectHost, place: BucketPlace) -> None:
    stems = [f"2024/IMG_{n:04}" for n in range(MANY)]
    put(host, *(f"{stem}{end}" for stem in stems for end in (".CR2", ".CR2.dop", ".CR2.xmp", ".JPG", ".xmp")))
    portions = list(place.folders(b"", None, ANYWHERE))
    assert found(portions) == [f"{stem}.CR2" for stem in stems]
    units = [unit for portion in portions for unit in portion.units]
    assert {(unit.companion is not None, len(unit.sidecars)) for unit in units} == {(True, 2)}
    assert max(len(portion.units) for portion in portions) <= PORTION // 4 + 1
    assert sum(portion.left_alone["dop"] for portion in portions) == MANY


def test_a_scan_goes_on_behind_any_portion(host: ObjectHost, place: BucketPlace) -> None:
    put(host, *(f"{n % 3}/{n:04}.jpg" for n in range(3 * MANY)))
    portions = list(place.folders(b"", None, ANYWHERE))
    assert len(portions) > 3
    for done in range(len(portions)):
        rest = place.folders(b"", portions[done].path, ANYWHERE)
        assert found(list(rest)) == found(portions[done + 1 :])


def test_a_listing_is_asked_for_page_by_page_as_it_is_recorded(host: ObjectHost, place: BucketPlace) -> None:
    put(host, *(f"{n:05}.jpg" for n in range(5 * PAGE)))
    portions = place.folders(b"", None, ANYWHERE)
    next(portions)
    assert len(host.asked) <= 3
    assert len(found(list(portions))) == 4 * PAGE


def test_one_folder_of_a_bucket_is_not_the_one_that_begins_like_it(host: ObjectHost, place: BucketPlace) -> None:
    put(host, "2024/a.jpg", "2024-12/b.jpg", "2024.jpg", "2024/previews/c.jpg")
    assert found(list(place.folders(b"2024", None, ANYWHERE))) == ["2024/a.jpg", "2024/previews/c.jpg"]


def test_what_keepers_keeps_and_what_was_set_aside_is_no_photo(host: ObjectHost, place: BucketPlace) -> None:
    put(host, "a.jpg", "previews/ab/abc.jpg", "x/_keepers_rejected/b.jpg", "x/.hidden/c.jpg", "x/._d.jpg")
    portions = list(place.folders(b"", None, ANYWHERE))
    assert found(portions) == ["a.jpg"]
    assert sum(portion.left_alone.total() for portion in portions) == 0


def test_a_sidecar_is_of_no_photo_in_another_folder(host: ObjectHost, place: BucketPlace) -> None:
    put(host, "2024/A.NEF", "2024/a.xmp", "X/b.NEF", "x/b.xmp")
    (portion,) = place.folders(b"", None, ANYWHERE)
    beside = {unit.main.path: [file.path for file in unit.sidecars] for unit in portion.units}
    assert beside == {b"2024/A.NEF": [b"2024/a.xmp"], b"X/b.NEF": []}
    assert portion.left_alone == {"xmp": 1}


@pytest.mark.parametrize(
    ("key", "shown"),
    [("a//b.jpg", "a//b.jpg"), ("../b.jpg", "../b.jpg"), ("Icon&#13;", r"Icon\r"), ("a&#10;b", r"a\nb")],
)
def test_a_name_that_cannot_be_asked_for_is_told(host: ObjectHost, place: BucketPlace, key: str, shown: str) -> None:
    put(host, "a.jpg", key)
    with pytest.raises(BucketAway, match=re.escape(f'has an object that is named "raw/{shown}". ')):
        list(place.folders(b"", None, ANYWHERE))
