import pytest

from shared.errors import XmpBroken
from shared.xmp import MOST_BYTES, rating_of
from tests.packets import DARKTABLE, DIGIKAM, LIGHTROOM, PROGRAMS, billion_laughs, external_entity, packet


@pytest.mark.parametrize("written_by", PROGRAMS, ids=["lightroom", "darktable", "digikam"])
@pytest.mark.parametrize("rating", [-1, 1, 2, 3, 4, 5])
def test_stars_and_the_no_of_other_programs_are_read(written_by: str, rating: int) -> None:
    assert rating_of(packet(rating, written_by)) == rating


@pytest.mark.parametrize(
    ("written", "meant"),
    [("3.0", 3), (" 4 ", 4), ("-1.0", -1), ("0", None), ("0.0", None), ("6", None), ("-2", None), ("99999", None)],
)
def test_a_rating_is_a_whole_number_of_stars(written: str, meant: int | None) -> None:
    assert rating_of(packet(written)) == meant


@pytest.mark.parametrize("written", ["", "three", "nan", "inf", "-inf", "1e999", "٣x"])
def test_what_is_no_number_says_nothing(written: str) -> None:
    assert rating_of(packet(written)) is None


def test_a_packet_without_a_rating_says_nothing() -> None:
    assert rating_of(packet().replace(b'xmp:Rating="4"', b"")) is None


@pytest.mark.parametrize(("percent", "stars"), [(1, 1), (25, 2), (50, 3), (75, 4), (99, 5), (0, None), (200, None)])
def test_windows_writes_stars_as_percents(percent: int, stars: int | None) -> None:
    windows = DIGIKAM.replace("<xmp:Rating>{rating}</xmp:Rating>", "").replace("75", str(percent))
    assert rating_of(windows.encode()) == stars


def test_the_rating_goes_before_the_percents() -> None:
    assert rating_of(packet(1, DIGIKAM)) == 1
    assert rating_of(packet(0, DIGIKAM)) is None


def test_the_rating_of_a_photo_it_was_made_from_is_not_its_own() -> None:
    inside = (
        '<xmpMM:DerivedFrom xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"><rdf:Description'
        ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="5"/></xmpMM:DerivedFrom>'
    )
    nested = DARKTABLE.replace('xmp:Rating="{rating}"', "").replace(
        "<darktable:history>", inside + "<darktable:history>"
    )
    assert rating_of(nested.encode()) is None


def test_another_prefix_is_the_same_name() -> None:
    assert rating_of(packet().replace(b"xmp:", b"xap:").replace(b"xmlns:xmp", b"xmlns:xap")) == 4


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_every_encoding_of_xmp_is_read(encoding: str) -> None:
    assert rating_of(LIGHTROOM.format(rating=2).encode(encoding)) == 2


def test_an_old_declared_encoding_is_read() -> None:
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?>' + LIGHTROOM[LIGHTROOM.index("<x:") :].replace("Rouge", "Été")
    assert rating_of(latin.format(rating=3).encode("latin-1")) == 3


@pytest.mark.parametrize("padding", [b"\0" * 100, b" " * 2_000 + b"\n", b"\r\n\0\0"])
def test_padding_around_a_packet_does_not_matter(padding: bytes) -> None:
    assert rating_of(b"\xef\xbb\xbf\n" + packet() + padding) == 4
    assert rating_of((LIGHTROOM.format(rating=4) + "\0\n ").encode("utf-16-le")) == 4


@pytest.mark.parametrize(
    "hostile",
    [
        billion_laughs(),
        external_entity("file:///etc/hostname"),
        external_entity("http://127.0.0.1:9/"),
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">' + packet()[packet().index(b"<x:") :],
        billion_laughs().decode().encode("utf-16"),
    ],
    ids=["billion laughs", "file", "network", "external dtd", "billion laughs in utf-16"],
)
def test_entities_and_document_types_are_refused(hostile: bytes) -> None:
    with pytest.raises(XmpBroken, match="which can do harm, so it was not read"):
        rating_of(hostile)


def test_a_huge_packet_is_refused_unread() -> None:
    with pytest.raises(XmpBroken, match="It has 10 MB, far more than a rating needs"):
        rating_of(packet() + b" " * (10 * 1024**2 - len(packet())))


def test_a_packet_with_many_brush_strokes_is_read() -> None:
    strokes = "<crs:Dabs><rdf:Seq>" + "<rdf:li>d 0.5 0.5</rdf:li>" * 100_000 + "</rdf:Seq></crs:Dabs>"
    large = packet().replace(b"<crs:Tone", strokes.encode() + b"<crs:Tone")
    assert 2 * 1024**2 < len(large) < MOST_BYTES
    assert rating_of(large) == 4


@pytest.mark.parametrize(
    "broken",
    [
        packet()[:-100],
        packet()[:300],
        packet().decode().encode("utf-16")[:301],
        bytes(range(256)) * 4,
        b"\xff\xd8\xff\xe1 a JPEG under another name",
        b'<?xml version="1.0" encoding="klingon"?><a/>',
        b"<a>" * 1_000,
        packet().replace(b"Rouge", b"\x01\x02"),
        b"xmp:Rating=5",
    ],
)
def test_what_is_no_xml_is_refused_with_a_sentence(broken: bytes) -> None:
    with pytest.raises(XmpBroken, match=r"^It.*\.$"):
        rating_of(broken)


@pytest.mark.parametrize("empty", [b"", b"\0" * 512, b"  \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(empty: bytes) -> None:
    with pytest.raises(XmpBroken, match="empty"):
        rating_of(empty)


def test_other_xml_says_nothing() -> None:
    assert rating_of(b"<html><body>404</body></html>") is None
