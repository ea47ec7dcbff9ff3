"""What an exported file is called."""

import unicodedata
from collections.abc import Iterator
from itertools import count

_LONGEST = 180  # bytes, so that what is added fits into 255
_UNSAFE = frozenset('/\\:*?"<>|#%&\ufffd')  # in paths somewhere, or in web addresses


def names_for(file_name: str, content_hash: str | None, photo_id: int) -> Iterator[str]:
    """The names to try, best first: `DSC_0001.jpg`, `DSC_0001-1f0c9d2e.jpg`, then with numbers."""
    stem = _safe(file_name)
    mark = content_hash[:8] if content_hash else f"{photo_id:08d}"
    yield f"{stem}.jpg"
    yield f"{stem}-{mark}.jpg"
    for number in count(2):
        yield f"{stem}-{mark}-{number}.jpg"


def _safe(file_name: str) -> str:
    """The stem, as every disk and every web server takes it."""
    name = unicodedata.normalize("NFC", file_name)
    stem, dot, _ = name.rpartition(".")
    kept = "".join(one if _is_safe(one) else "_" for one in (stem if dot and stem else name))
    short = kept.encode("utf-8", "replace")[:_LONGEST].decode("utf-8", "ignore")
    return short.strip(" .") or "photo"


def _is_safe(one: str) -> bool:
    return one not in _UNSAFE and not unicodedata.category(one).startswith("C") and (one == " " or not one.isspace())
