"""Ratings, labels and keywords put into XMP packets: exactly these differ afterwards."""

import json
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest
from defusedxml.ElementTree import fromstring

from orchestrator.write_back.packet import PICK_LABEL, Wish, edited, new
from shared.errors import XmpBroken
from shared.xmp import MOST_BYTES, rating_of
from tests.packets import DARKTABLE, DIGIKAM, LIGHTROOM, billion_laughs, external_entity, packet

PROGRAMS = pytest.mark.parametrize(
    "written_by", [LIGHTROOM, DARKTABLE, DIGIKAM], ids=["lightroom", "darktable", "digikam"]
)
KEYWORDS = (
    '<dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/">\n    <rdf:Bag>\n     <rdf:li>Oslo</rdf:li>\n'
    "     <rdf:li>snow &amp; ice</rdf:li>\n    </rdf:Bag>\n   </dc:subject>\n   "
)
XMP, DC = "{http://ns.adobe.com/xap/1.0/}", "{http://purl.org/dc/elements/1.1/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
OURS = (XMP + "Rating", XMP + "Label", DC + "subject")


def rated(rating: int | None = None, *tags: str, is_pick: bool = False) -> Wish:
    return Wish(rating, is_pick, tags)


def with_keywords(written_by: str = LIGHTROOM) -> bytes:
    return packet(2, written_by.replace("<crs:Tone", KEYWORDS + "<crs:Tone", 1))


def root_of(xmp: bytes) -> ElementTree.Element:
    return fromstring(xmp[xmp.index(b"<x:xmpmeta") :].split(b"<?xpacket end")[0])


def label_of(xmp: bytes) -> str | None:
    found = [
        one
        for place in root_of(xmp).iter(RDF + "Description")
        if (one := place.get(XMP + "Label", place.findtext(XMP + "Label")))
    ]
    return found[0] if found else None


def tags_of(xmp: bytes) -> list[str | None]:
    return [item.text for subject in root_of(xmp).iter(DC + "subject") for item in subject.iter(RDF + "li")]


def everything_else(xmp: bytes) -> str:
    """The whole document in canonical form, comments included, but for the three properties and their spacing."""
    root = root_of(xmp)
    for place in root.iter(RDF + "Description"):
        for name in OURS:
            place.attrib.pop(name, None)
            for child in place.findall(name):
                place.remove(child)
    wrapper = re.findall(rb"<\?.*?\?>|<!--.*?-->", xmp, re.DOTALL)
    return ElementTree.canonicalize(ElementTree.tostring(root, "unicode"), strip_text=True) + repr(wrapper)


@PROGRAMS
@pytest.mark.parametrize("rating", [-1, 1, 5, None])
def test_only_the_rating_of_other_programs_files_changes(written_by: str, rating: int | None) -> None:
    before = packet(4, written_by)
    after = edited(before, rated(rating))
    assert rating_of(after) == rating
    number = str(rating or 0).encode()
    changed = [(b'xmp:Rating="4"', b'xmp:Rating="%s"' % number), (b"<xmp:Rating>4<", b"<xmp:Rating>%s<" % number)]
    expected = before
    for old, its_new in changed:
        expected = expected.replace(old, its_new)
    assert after == expected != before


@PROGRAMS
def test_what_says_so_already_stays_byte_for_byte(written_by: str) -> None:
    for said in ("4", "4.0", " 4 "):
        before = packet(said, written_by)
        assert edited(before, rated(4)) == before
    once = edited(packet(2, written_by), rated(5, "sea", "ice & <fire>", is_pick=True))
    assert edited(once, rated(5, "sea", "ice & <fire>", is_pick=True)) == once


@PROGRAMS
def test_everything_but_three_properties_survives(written_by: str) -> None:
    before = packet(2, written_by.replace("<rdf:RDF", "<!-- by hand --><rdf:RDF"))
    after = edited(before, rated(5, "sea", "sky", is_pick=True))
    assert everything_else(after) == everything_else(before)
    assert (rating_of(after), tags_of(after)) == (5, ["sea", "sky"])
    assert label_of(after) == ("Rouge" if written_by == LIGHTROOM else PICK_LABEL)


@PROGRAMS
def test_a_file_without_a_rating_gets_one(written_by: str) -> None:
    bare = re.sub(r"xmp:Rating=\"\{rating\}\"|<xmp:Rating>.*?</xmp:Rating>", "", written_by)
    bare = re.sub(r"<MicrosoftPhoto:Rating>.*?</MicrosoftPhoto:Rating>", "", bare)
    before = packet(0, bare)
    after = edited(before, rated(-1))
    assert (rating_of(before), rating_of(after)) == (None, -1)
    assert after.count(b"xmlns:") == before.count(b"xmlns:")
    assert everything_else(after) == everything_else(before)


def test_a_file_that_never_spoke_of_ratings_gets_the_names_it_needs() -> None:
    for description in ("<rdf:Description/>", '<rdf:Description rdf:about=""></rdf:Description>'):
        before = (
            '<x:xmpmeta xmlns:x="adobe:ns:meta/" xmlns:xmp="urn:other"><rdf:RDF'
            f' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">{description}</rdf:RDF></x:xmpmeta>'
        ).encode()
        after = edited(before, rated(3, "sea", is_pick=True))
        assert (rating_of(after), label_of(after), tags_of(after)) == (3, PICK_LABEL, ["sea"])
        assert everything_else(after) == everything_else(before)


def test_tags_join_the_keywords_that_are_there() -> None:
    before = with_keywords()
    after = edited(before, rated(2, "OSLO", "Fjord & <sea>"))
    assert tags_of(after) == ["Oslo", "snow & ice", "Fjord & <sea>"]
    added = b"\n     <rdf:li>Fjord &amp; &lt;sea&gt;</rdf:li>"
    assert after == before.replace(b"ice</rdf:li>", b"ice</rdf:li>" + added)
    assert edited(after, rated(2)) == after


@pytest.mark.parametrize(
    "empty", ["<dc:subject/>", "<dc:subject><rdf:Bag/></dc:subject>", "<dc:subject><rdf:Bag> </rdf:Bag></dc:subject>"]
)
def test_an_empty_list_of_keywords_is_filled(empty: str) -> None:
    empty = empty.replace("<dc:subject", '<dc:subject xmlns:dc="http://purl.org/dc/elements/1.1/"')
    before = packet(2, LIGHTROOM.replace("<crs:Tone", empty + "<crs:Tone", 1))
    after = edited(before, rated(2, "sea"))
    assert tags_of(after) == ["sea"]
    assert everything_else(after) == everything_else(before)


def test_the_label_of_a_pick_goes_only_where_none_is_and_is_taken_back() -> None:
    for written_by in (DARKTABLE, DIGIKAM, LIGHTROOM.replace("Rouge", "")):
        before = packet(2, written_by)
        picked = edited(before, rated(2, is_pick=True))
        assert label_of(picked) == PICK_LABEL
        assert label_of(edited(picked, rated(2))) is None
        assert everything_else(edited(picked, rated(2))) == everything_else(before)
    assert label_of(edited(packet(2), rated(2))) == "Rouge"
    element = packet(2, DIGIKAM.replace("<xmp:Rating>", f"<xmp:Label>{PICK_LABEL}</xmp:Label>\n   <xmp:Rating>"))
    assert edited(element, rated(2)) == packet(2, DIGIKAM)
    blank = packet(2, DIGIKAM.replace("<xmp:Rating>", "<xmp:Label/><xmp:Rating>"))
    assert label_of(edited(blank, rated(2, is_pick=True))) == PICK_LABEL


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_the_encoding_stays(encoding: str) -> None:
    before = LIGHTROOM.format(rating=2).replace("Rouge", "Été").encode(encoding)
    after = edited(before, rated(4, "Tromsø"))
    assert after.decode(encoding).encode(encoding) == after
    assert after[:2] == before[:2]
    assert "Été" in after.decode(encoding)
    assert "<rdf:li>Tromsø</rdf:li>" in after.decode(encoding)
    assert rating_of(after) == 4


def test_an_old_encoding_and_its_limits_stay() -> None:
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?>' + LIGHTROOM[LIGHTROOM.index("<x:") :].replace("Rouge", "Été")
    after = edited(latin.format(rating=3).encode("latin-1"), rated(5, "Øl", "富士"))
    assert "Été".encode("latin-1") in after
    assert fromstring(after).find(f".//{DC}subject//{RDF}li[2]").text == "富士"


def test_padding_and_line_ends_stay() -> None:
    before = b"\xef\xbb\xbf\r\n" + packet(2).replace(b"\n", b"\r\n") + b" " * 2_000 + b"\0\0"
    after = edited(before, rated(3, "sea"))
    assert after.startswith(b"\xef\xbb\xbf\r\n<?xpacket")
    assert after.endswith(b" " * 2_000 + b"\0\0")
    assert after.count(b"\n") == after.count(b"\r\n")


def test_another_prefix_and_single_quotes_are_the_same_property() -> None:
    before = packet(2).replace(b"xmp:", b"xap:").replace(b"xmlns:xmp", b"xmlns:xap").replace(b'"2"', b"'2'")
    assert edited(before, rated(5)) == before.replace(b"'2'", b"'5'")


def test_the_rating_of_a_photo_it_was_made_from_stays() -> None:
    inside = (
        '<xmpMM:DerivedFrom xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"><rdf:Description'
        ' xmp:Rating="1" xmp:Label="of the other"/></xmpMM:DerivedFrom>'
    )
    before = packet(2, DARKTABLE.replace("<darktable:history>", inside + "<darktable:history>"))
    assert edited(before, rated(5)) == before.replace(b'xmp:Rating="2"', b'xmp:Rating="5"')


def test_the_percents_of_windows_stay() -> None:
    after = edited(packet(4, DIGIKAM), rated(1))
    assert b"<MicrosoftPhoto:Rating>75<" in after


@pytest.mark.parametrize(
    "hostile",
    [billion_laughs(), external_entity("file:///etc/hostname"), billion_laughs().decode().encode("utf-16")],
    ids=["billion laughs", "file", "billion laughs in utf-16"],
)
def test_entities_and_document_types_are_refused(hostile: bytes) -> None:
    with pytest.raises(XmpBroken, match="which can do harm"):
        edited(hostile, rated(1))


@pytest.mark.parametrize(
    "broken",
    [b"", packet()[:-100], packet() + b" " * MOST_BYTES, b"<html/>", packet().replace(b"Description", b"Other")],
    ids=["empty", "cut off", "huge", "other xml", "no description"],
)
def test_what_cannot_be_edited_is_refused_with_a_sentence(broken: bytes) -> None:
    with pytest.raises(XmpBroken, match=r"^It .*\.$"):
        edited(broken, rated(1))


@pytest.mark.parametrize(
    "strange",
    [
        DIGIKAM.replace("{rating}", "<rdf:value>3</rdf:value>").replace("75", "0"),
        LIGHTROOM.replace("xmp:Label", 'xmlns:dc="http://purl.org/dc/elements/1.1/" dc:subject="sea" xmp:Label'),
    ],
    ids=["a rating with qualifiers", "keywords as an attribute"],
)
def test_an_unusual_form_is_left_alone(strange: str) -> None:
    with pytest.raises(XmpBroken, match="in a form that Keepers does not edit"):
        edited(packet(2, strange), rated(5, "sky"))


def test_a_new_packet_says_this_and_nothing_else() -> None:
    made = new(rated(-1, "sea & sky", is_pick=True))
    assert (rating_of(made), label_of(made), tags_of(made)) == (-1, PICK_LABEL, ["sea & sky"])
    assert everything_else(made) == everything_else(new(rated(None)))
    assert made.startswith(b"<?xpacket begin=")


def test_a_large_file_full_of_brush_strokes_is_edited() -> None:
    strokes = b"<crs:Dabs><rdf:Seq>" + b"<rdf:li>d 0.5 0.5</rdf:li>" * 50_000 + b"</rdf:Seq></crs:Dabs>"
    before = packet(2).replace(b"<crs:Tone", strokes + b"<crs:Tone")
    assert edited(before, rated(5)) == before.replace(b'xmp:Rating="2"', b'xmp:Rating="5"')


def as_exiftool_reads(path: Path) -> dict[str, object]:
    """Every property, by group and name."""
    asked = ["exiftool", "-j", "-G1", "-struct", "-a", "-XMP:all", str(path)]
    (read,) = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    return {name: value for name, value in read.items() if name != "SourceFile"}


@PROGRAMS
def test_another_reader_sees_that_only_rating_label_and_keywords_changed(written_by: str, tmp_path: Path) -> None:
    path = tmp_path / "a.xmp"
    path.write_bytes(packet(2, written_by))
    before = as_exiftool_reads(path)
    path.write_bytes(edited(path.read_bytes(), rated(5, "sea", "sky", is_pick=True)))
    after = as_exiftool_reads(path)
    said = {"XMP-xmp:Rating": 5, "XMP-dc:Subject": ["sea", "sky"]}
    if "XMP-xmp:Label" not in before:  # one that was there is the person's own
        said["XMP-xmp:Label"] = PICK_LABEL
    assert after == before | said
    assert len(before) > 2
