"""File names in sentences: any bytes in, printable text out."""

import os
import unicodedata
from urllib.parse import unquote_to_bytes

LONGEST = 120


def printable_name(claim: str) -> str:
    """The last part of a claim path, fit for one line of text.

    Bytes that are not UTF-8 become a replacement mark; control and direction marks are escaped, so that a name
    can neither break a line nor turn a sentence around. An empty claim gives an empty name.
    """
    raw = os.path.basename(unquote_to_bytes(claim)).decode("utf-8", "replace")
    name = "".join(_shown(character) for character in raw)
    return name if len(name) <= LONGEST else f"{name[: LONGEST // 2]}…{name[-LONGEST // 2 :]}"


def _shown(character: str) -> str:
    invisible = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    return character.encode("unicode_escape").decode() if invisible else character
