"""Where in the text of an XML document its elements and attributes lie, so that a few can be changed in place and
everything else stays byte for byte: comments, order, quotes, white space."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from shared.errors import XmpBroken

_ATTRIBUTE = re.compile(rb"""(\s+)([^\s=/>]+)\s*=\s*("[^"]*"|'[^']*')""")
_XML = "http://www.w3.org/XML/1998/namespace"


@dataclass(slots=True)
class Attribute:
    """`start` to `end` is all of it with the space before; `value_start` to `value_end` lies between the quotes."""

    name: str
    start: int
    name_start: int
    end: int
    value_start: int
    value_end: int
    value: str


@dataclass(slots=True)
class Node:
    """An element. Names are `{namespace}local`, places are bytes from the start of the document."""

    name: str
    written_name: str
    start: int
    tag_end: int  # behind the `>` of its start tag
    is_empty: bool  # written as <a/>
    prefixes: dict[str, str]  # in scope: prefix -> namespace
    attributes: list[Attribute]
    children: list["Node"] = field(default_factory=list)
    text: str = ""
    content_end: int = 0
    end: int = 0

    def find_all(self, name: str) -> Iterator["Node"]:
        """Elements of this name, itself and whatever lies inside, in their order."""
        pending = [self]
        while pending:
            node = pending.pop()
            if node.name == name:
                yield node
            pending.extend(reversed(node.children))

    def prefix_of(self, namespace: str) -> str | None:
        """A prefix that stands for the namespace here. Never the default namespace: no attribute can use that."""
        return next((prefix for prefix, uri in self.prefixes.items() if uri == namespace and prefix), None)


def read(source: bytes) -> Node:
    """The root element of this UTF-8 document, whatever encoding it declares. Raises XmpBroken for what is no XML
    or has a document type: then nothing of it is expanded or looked up."""
    reader = _Reader(source)
    try:
        reader.parser.Parse(source, True)
    except expat.ExpatError as exc:
        raise XmpBroken(f"It is no whole XMP file: {exc}.") from exc
    assert reader.root is not None
    return reader.root


class _Reader:
    def __init__(self, source: bytes) -> None:
        self.root: Node | None = None
        self._source = source
        self._open: list[Node] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.ordered_attributes = True
        self.parser.StartDoctypeDeclHandler = _refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, written_name: str, flat: list[str]) -> None:
        start = self.parser.CurrentByteIndex
        values = dict(zip(flat[::2], flat[1::2], strict=True))
        prefixes = self._open[-1].prefixes if self._open else {"xml": _XML}
        declared = {name: value for name, value in values.items() if name == "xmlns" or name.startswith("xmlns:")}
        if declared:
            prefixes = prefixes | {name.partition(":")[2]: value for name, value in declared.items()}
        attributes, at = self._attributes(start + 1 + len(written_name.encode()), values, prefixes)
        tag_end = self._source.index(b">", at) + 1
        node = Node(
            name=_expanded(written_name, prefixes, is_attribute=False),
            written_name=written_name,
            start=start,
            tag_end=tag_end,
            is_empty=self._source[tag_end - 2 : tag_end] == b"/>",
            prefixes=prefixes,
            attributes=attributes,
        )
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def _attributes(self, at: int, values: dict[str, str], prefixes: dict[str, str]) -> tuple[list[Attribute], int]:
        found: list[Attribute] = []
        while match := _ATTRIBUTE.match(self._source, at):
            written_name = match[2].decode()
            name = _expanded(written_name, prefixes, is_attribute=True)
            value_start, value_end = match.start(3) + 1, match.end(3) - 1
            value = values[written_name]
            found.append(Attribute(name, match.start(), match.start(2), match.end(), value_start, value_end, value))
            at = match.end()
        return found, at

    def _end(self, written_name: str) -> None:
        node = self._open.pop()
        if node.is_empty:
            node.content_end = node.end = node.tag_end
        else:
            node.content_end = self.parser.CurrentByteIndex
            node.end = self._source.index(b">", node.content_end) + 1

    def _text(self, text: str) -> None:
        self._open[-1].text += text


def _expanded(written_name: str, prefixes: dict[str, str], *, is_attribute: bool) -> str:
    prefix, colon, local = written_name.rpartition(":")
    namespace = prefixes.get(prefix, "") if colon or not is_attribute else ""
    return f"{{{namespace}}}{local}" if namespace else local


def _refuse_doctype(*_: object) -> None:
    raise XmpBroken("It declares XML entities or a document type, which can do harm, so it was not read.")
