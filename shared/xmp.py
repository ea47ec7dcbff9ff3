"""The star rating in an XMP packet, as it lies in a sidecar or inside a photograph."""

import codecs
from collections.abc import Iterator
from math import isfinite
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from shared.errors import XmpBroken

# Lightroom writes brushes and masks into sidecars, which make some of them large; nothing true is as large as this.
MOST_BYTES = 4 * 1024 * 1024
REJECTED = -1

_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_RATING = "{http://ns.adobe.com/xap/1.0/}Rating"
_PERCENT = "{http://ns.microsoft.com/photo/1.0/}Rating"
_PADDING = "\0 \t\r\n\ufeff"
_UTF_16 = {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}


def rating_of(packet: bytes) -> int | None:
    """1 to 5, or REJECTED; None when the packet says nothing: no rating, unrated, or a number that is no rating.

    `xmp:Rating` goes before the percents of `MicrosoftPhoto:Rating`. Raises XmpBroken for what is no XML, is larger
    than MOST_BYTES, or declares a document type: entities are never expanded, nothing else is ever read.
    """
    check_size(len(packet))
    text = _text(packet)
    if not text:
        raise XmpBroken("It is empty.")
    try:
        root = fromstring(text, forbid_dtd=True)
    except DefusedXmlException as exc:
        raise XmpBroken("It declares XML entities or a document type, which can do harm, so it was not read.") from exc
    except (ParseError, LookupError, ValueError) as exc:  # an encoding that nobody knows, or that does not fit
        raise XmpBroken(f"It is no whole XMP file: {exc}.") from exc
    descriptions = list(_descriptions(root))
    stars = _first(descriptions, _RATING)
    return _stars(stars) if stars is not None else _stars_of_percent(_first(descriptions, _PERCENT))


def check_size(size: int) -> None:
    """Raises XmpBroken for more bytes than are read. To be asked before a file is opened."""
    if size > MOST_BYTES:
        raise XmpBroken(f"It has {size / 1024**2:,.0f} MB, far more than a rating needs.")


def _text(packet: bytes) -> str | bytes:
    """The XML without the padding around it. UTF-8 stays bytes, so that a declared encoding counts."""
    bom = next((bom for bom in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) if packet.startswith(bom)), b"")
    encoding = "utf-16" if bom else _UTF_16.get(packet[:2])
    if encoding is None:
        return packet.removeprefix(codecs.BOM_UTF8).strip(_PADDING[:-1].encode())
    try:
        return packet.decode(encoding).strip(_PADDING)
    except UnicodeDecodeError as exc:
        raise XmpBroken("Its text is cut off or broken.") from exc


def _descriptions(root: Element) -> Iterator[Element]:
    """What is said about the photo itself, not about photos it was made from: those lie deeper."""
    for rdf in root.iter(_RDF + "RDF"):
        yield from rdf.findall(_RDF + "Description")


def _first(descriptions: list[Element], name: str) -> float | None:
    """The first number under this name, written as an attribute or as an element."""
    for description in descriptions:
        for value in (description.get(name), description.findtext(name)):
            if value is not None and (number := _number(value)) is not None:
                return number
    return None


def _number(value: str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if isfinite(number) else None


def _stars(number: float) -> int | None:
    stars = round(number)
    return stars if stars == REJECTED or 1 <= stars <= 5 else None


def _stars_of_percent(percent: float | None) -> int | None:
    """Windows writes 1, 25, 50, 75 and 99 for one to five stars."""
    if percent is None or not 0 < percent <= 100:
        return None
    return 1 + round(percent / 25)
