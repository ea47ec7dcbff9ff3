"""What the person decided, put into an XMP packet. Three properties may change, everything else stays as it is."""

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from orchestrator.write_back.xml_source import Attribute, Node, read
from shared.errors import XmpBroken
from shared.xmp import check_size, rating_of

# Of a chef's pick, where the photo has no other label. A colour's name would depend on the language of a program.
PICK_LABEL = "Keepers pick"

_RDF_URI = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XMP_URI = "http://ns.adobe.com/xap/1.0/"
_DC_URI = "http://purl.org/dc/elements/1.1/"
_RDF = f"{{{_RDF_URI}}}"
_RATING, _LABEL, _SUBJECT = f"{{{_XMP_URI}}}Rating", f"{{{_XMP_URI}}}Label", f"{{{_DC_URI}}}subject"
_LISTS = (_RDF + "Bag", _RDF + "Seq", _RDF + "Alt")

_PADDING = "\0 \t\r\n\ufeff"
_UTF_16 = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be", codecs.BOM_UTF8: "utf-8"}
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")

_NEW = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Keepers">
 <rdf:RDF xmlns:rdf="{_RDF_URI}">
  <rdf:Description rdf:about=""
    xmlns:xmp="{_XMP_URI}"/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
""".encode()


@dataclass(frozen=True)
class Wish:
    """What a packet is to say: `rating` 1-5, -1 = rejected, None = unrated; these `tags` beside those it has."""

    rating: int | None
    is_pick: bool
    tags: Sequence[str]

    @property
    def is_empty(self) -> bool:
        return self.rating is None and not self.is_pick and not self.tags


def edited(packet: bytes, wish: Wish) -> bytes:
    """The packet with xmp:Rating, xmp:Label and dc:subject as wished; the very same bytes where it says so already.

    A label or a tag of other programs stays: PICK_LABEL is only put where there is none, and only it is taken away.
    Raises XmpBroken for what cannot be read, or says these things in a form that is not edited.
    """
    said = rating_of(packet)  # guards against what is too large or hostile before anything else looks at it
    text = _Text.of(packet)
    source = text.core.encode()
    edits = _Edits(source, _descriptions(read(source)))
    if said != wish.rating:
        edits.rate("0" if wish.rating is None else str(wish.rating))
    edits.label(wish.is_pick)
    edits.add_tags(wish.tags)
    made = text.packed(edits.applied().decode())
    check_size(len(made))
    if rating_of(made) != wish.rating:
        raise XmpBroken("It says its rating in a form that Keepers does not edit.")
    return made


def new(wish: Wish) -> bytes:
    """A packet that says this and nothing else."""
    return edited(_NEW, wish)


@dataclass(frozen=True)
class _Text:
    """The XML of a packet, and what surrounds it."""

    bom: bytes
    codec: str
    before: str
    core: str
    after: str

    @classmethod
    def of(cls, packet: bytes) -> "_Text":
        bom = next((bom for bom in _BOMS if packet.startswith(bom)), b"")
        declared = _DECLARED.match(packet)
        codec = _BOMS.get(bom) or _UTF_16.get(packet[:2]) or (declared[1].decode() if declared else "utf-8")
        try:
            text = packet.removeprefix(bom).decode(codec)
            is_kept = bom + text.encode(codec) == packet
        except (UnicodeError, LookupError) as exc:
            raise XmpBroken("Its text is cut off or broken.") from exc
        if not is_kept:
            raise XmpBroken("Its encoding is one that Keepers does not write.")
        core = text.strip(_PADDING)
        start = text.index(core)
        return cls(bom, codec, text[:start], core, text[start + len(core) :])

    def packed(self, core: str) -> bytes:
        return self.bom + (self.before + core + self.after).encode(self.codec, "xmlcharrefreplace")


def _descriptions(root: Node) -> list[Node]:
    """What is said about the photo itself, as `shared.xmp` reads it."""
    found = [node for rdf in root.find_all(_RDF + "RDF") for node in rdf.children if node.name == _RDF + "Description"]
    if not found:
        raise XmpBroken("It has no place for a rating: rdf:Description is missing.")
    return found


class _Edits:
    """Replacements in the source, gathered first: (start, end, replacement)."""

    def __init__(self, source: bytes, descriptions: Sequence[Node]) -> None:
        self._source = source
        self._descriptions = descriptions
        self._found: list[tuple[int, int, str]] = []
        self._new_attributes: dict[str, str] = {}
        self._new_child = ""

    def rate(self, rating: str) -> None:
        attributes, elements = self._occurrences(_RATING)
        for attribute in attributes:
            self._found.append((attribute.value_start, attribute.value_end, rating))
        for element in elements:
            self._set_text(element, rating)
        if not attributes and not elements:
            self._new_attributes["Rating"] = rating

    def label(self, is_pick: bool) -> None:
        attributes, elements = self._occurrences(_LABEL)
        labels = [attribute.value.strip() for attribute in attributes] + [element.text.strip() for element in elements]
        if is_pick and not labels:
            self._new_attributes["Label"] = PICK_LABEL
        elif is_pick and not any(labels):
            self._found += [(one.value_start, one.value_end, PICK_LABEL) for one in attributes]
            for element in elements:
                self._set_text(element, PICK_LABEL)
        elif not is_pick:
            self._found += [(one.start, one.end, "") for one in attributes if one.value == PICK_LABEL]
            for element in elements:
                if element.text == PICK_LABEL:
                    self._found.append((self._space_before(element.start), element.end, ""))

    def add_tags(self, tags: Sequence[str]) -> None:
        attributes, elements = self._occurrences(_SUBJECT)
        if attributes:
            raise XmpBroken("It says its keywords in a form that Keepers does not edit.")
        items = [
            item
            for subject in elements
            for list_ in subject.children
            if list_.name in _LISTS
            for item in list_.children
        ]
        there = {item.text.strip().casefold() for item in items}
        missing = [tag for tag in tags if tag.casefold() not in there]
        if not missing:
            return
        if items:
            space = self._source[self._space_before(items[-1].start) : items[-1].start].decode()
            added = "".join(
                f"{space}<{items[-1].written_name}>{escape(tag)}</{items[-1].written_name}>" for tag in missing
            )
            self._found.append((items[-1].end, items[-1].end, added))
        elif elements:
            first = elements[0]  # what it declares itself goes with it
            place = next(one for one in self._descriptions if any(child is first for child in one.children))
            self._found.append((first.start, first.end, self._subject(place, missing)))
        else:
            place = self._descriptions[0]
            self._new_child = self._indent(place) + " " + self._subject(place, missing)

    def applied(self) -> bytes:
        if self._new_attributes:
            self._add_attributes()
        if self._new_child:
            self._add_child()
        made = self._source
        for start, end, replacement in sorted(self._found, reverse=True):
            made = made[:start] + replacement.encode() + made[end:]
        return made

    def _occurrences(self, name: str) -> tuple[list[Attribute], list[Node]]:
        attributes = [one for place in self._descriptions for one in place.attributes if one.name == name]
        return attributes, [child for place in self._descriptions for child in place.children if child.name == name]

    def _set_text(self, element: Node, text: str) -> None:
        if element.children:
            raise XmpBroken("It says its rating or label in a form that Keepers does not edit.")
        if element.is_empty:
            opened = self._source[element.start : element.end - 2].decode().rstrip()
            self._found.append((element.start, element.end, f"{opened}>{text}</{element.written_name}>"))
        else:
            self._found.append((element.tag_end, element.content_end, text))

    def _add_attributes(self) -> None:
        """To the description that speaks of XMP already, as Adobe's and darktable's do, else to the first."""
        place = next((one for one in self._descriptions if one.prefix_of(_XMP_URI)), self._descriptions[0])
        last = place.attributes[-1] if place.attributes else None
        at = last.end if last else place.start + 1 + len(place.written_name.encode())
        between = self._source[last.start : last.name_start].decode() if last else " "
        prefix, declared = _prefix(place, _XMP_URI, "xmp")
        written = [declared] if declared else []
        written += [f'{prefix}:{name}="{value}"' for name, value in self._new_attributes.items()]
        self._found.append((at, at, "".join(between + one for one in written)))

    def _add_child(self) -> None:
        place = self._descriptions[0]
        if place.is_empty:
            closing = f">{self._new_child}{self._indent(place)}</{place.written_name}>"
            self._found.append((place.tag_end - 2, place.tag_end, closing))
        else:
            self._found.append((place.tag_end, place.tag_end, self._new_child))

    def _subject(self, place: Node, tags: Sequence[str]) -> str:
        rdf, declared_rdf = _prefix(place, _RDF_URI, "rdf")
        dc, declared_dc = _prefix(place, _DC_URI, "dc")
        declared = "".join(f" {one}" for one in (declared_dc, declared_rdf) if one)
        items = "".join(f"<{rdf}:li>{escape(tag)}</{rdf}:li>" for tag in tags)
        return f"<{dc}:subject{declared}><{rdf}:Bag>{items}</{rdf}:Bag></{dc}:subject>"

    def _indent(self, node: Node) -> str:
        """The line break and the space that the element begins with; nothing where it shares its line."""
        space = self._source[self._space_before(node.start) : node.start].decode()
        return space[space.rfind("\r\n") if "\r\n" in space else space.rfind("\n") :] if "\n" in space else ""

    def _space_before(self, at: int) -> int:
        return len(self._source[:at].rstrip(b" \t\r\n"))


def _prefix(place: Node, namespace: str, wanted: str) -> tuple[str, str]:
    """The prefix of this namespace, and its declaration where it has none yet."""
    known = place.prefix_of(namespace)
    if known:
        return known, ""
    free = next(name for name in (wanted, *(f"{wanted}{n}" for n in range(1, 1_000))) if name not in place.prefixes)
    return free, f'xmlns:{free}="{namespace}"'
