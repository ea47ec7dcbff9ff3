"""What makes two names of projects the same, beside their case."""

import unicodedata


def tidy(name: str) -> str:
    """On one line, without space around it, and with accents as one character each: systems write `é` in two ways
    that nobody can tell apart."""
    return " ".join(unicodedata.normalize("NFC", name).split())
