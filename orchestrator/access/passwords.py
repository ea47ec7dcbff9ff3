"""Passwords and what is kept of them."""

import base64
import hashlib
import hmac
import secrets
import unicodedata

from shared.errors import KeepersError

SHORTEST = 8
LONGEST = 1_000

# RFC 7914's cost for a login: 32 MB and about a tenth of a second for every guess.
_N, _R, _P = 2**15, 8, 1
_MEMORY = 64 * 1024 * 1024

_CONSONANTS = "bdfghjkmnprstvwz"
_VOWELS = "aeiou"


class UnusablePassword(KeepersError):
    """This cannot be a password."""


def hashed(password: str, salt: bytes | None = None) -> str:
    """What is kept of a password: scrypt with a new salt, or with the one given. Takes a tenth of a second."""
    used = salt or secrets.token_bytes(16)
    return f"scrypt${_text(used)}${_text(_scrypt(password, used))}"


def is_right(password: str, kept: str) -> bool:
    """Whether `kept` was made of this password. Takes a tenth of a second."""
    _, salt, digest = kept.split("$")
    return hmac.compare_digest(_scrypt(password, base64.b64decode(salt)), base64.b64decode(digest))


def checked(password: str) -> str:
    """The password. Raises UnusablePassword with the reason."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UnusablePassword(f"A password has at least {SHORTEST} characters, and {LONGEST:,} at most.")
    if not password.isprintable():
        raise UnusablePassword("There is a character in this password that nobody can type.")
    return password


def easy_to_type() -> str:
    """A new password of four short words that can be read aloud, like `tamo-kuri-vesa-nolu`: 50 bits."""
    words = ("".join(_syllable() + _syllable()) for _ in range(4))
    return "-".join(words)


def _syllable() -> str:
    return secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS)


def _scrypt(password: str, salt: bytes) -> bytes:
    # One system writes é as one character, another as two.
    text = unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
    return hashlib.scrypt(text, salt=salt, n=_N, r=_R, p=_P, maxmem=_MEMORY)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
