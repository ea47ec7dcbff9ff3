"""An uploaded photo on its way to disk: never whole in memory, never larger than allowed, and nothing but a photo."""

import asyncio
import errno
import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from starlette.requests import ClientDisconnect

from orchestrator.answers import Refused
from shared import signatures
from shared.claims import ClaimStore
from shared.errors import NoSpace

MOST_BYTES = 50_000_000
NO_ROOM = "There is no room on the disk for this photo."
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "HEIF": "heic"}
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_LONGEST_NAME = 200
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Upload:
    content_hash: str  # SHA-256
    size: int
    claim: str


async def store(chunks: AsyncIterator[bytes], claims: ClaimStore) -> Upload:
    """Keep the bytes under their hash. Refused, with a sentence, is what is empty, too large or no photo; nothing of
    it stays. What a killed orchestrator leaves in `tmp` the sweeper clears."""
    temporary = claims.scratch / f"placard.{secrets.token_hex(8)}"
    try:
        await asyncio.to_thread(temporary.parent.mkdir, parents=True, exist_ok=True)
        with await asyncio.to_thread(temporary.open, "wb") as file:
            content_hash, size, kind = await _write(chunks, file)
        key = f"placards/{content_hash[:2]}/{content_hash}.{EXTENSIONS[kind]}"
        claim = await asyncio.to_thread(claims.put_file, key, temporary)
    except ClientDisconnect as exc:
        raise Refused(400, "incomplete", "The upload ended before all of the photo was here. Try again.") from exc
    except NoSpace as exc:
        raise Refused(507, "no_space", NO_ROOM) from exc
    except OSError as exc:
        if exc.errno not in _FULL:
            raise
        raise Refused(507, "no_space", NO_ROOM) from exc
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return Upload(content_hash, size, claim)


async def _write(chunks: AsyncIterator[bytes], file: BinaryIO) -> tuple[str, int, str]:
    """The hash, the size and the kind. A file of another kind is refused at its first bytes."""
    digest, size, head, kind = hashlib.sha256(), 0, b"", None
    async for chunk in chunks:
        size += len(chunk)
        refuse_too_large(size)
        if len(head) < signatures.HEAD_BYTES:
            head += chunk[: signatures.HEAD_BYTES - len(head)]
            kind = _kind(head) if len(head) == signatures.HEAD_BYTES else None
        digest.update(chunk)
        await asyncio.to_thread(file.write, chunk)
    if not size:
        raise Refused(400, "empty", "This file is empty: it has no bytes.")
    return digest.hexdigest(), size, kind or _kind(head)


def refuse_too_large(size: int) -> None:
    if size > MOST_BYTES:
        raise Refused(
            413, "too_large", f"This file is over the limit of {MOST_BYTES // 1_000_000} MB. Import its folder instead."
        )


def _kind(head: bytes) -> str:
    """Whatever the file is called, its first bytes say what it is."""
    kind = signatures.sniff(head, "")
    if kind in EXTENSIONS:
        return kind
    if kind in ("RAW", "TIFF"):
        message = "This is a RAW or TIFF file. Import its folder instead: a placard takes JPEG, PNG, WebP and HEIC."
        raise Refused(415, "raw", message)
    if kind is not None:
        message = f"This is a file of type {kind}. Import its folder instead: a placard takes JPEG, PNG, WebP and HEIC."
        raise Refused(415, "other_format", message)
    raise Refused(415, "no_photo", f"This is not a photo: {signatures.describe(head)}.")


def printable(name: str | None) -> str:
    """The last part of what a browser or a program calls the file, on one line."""
    last = re.split(r"[/\\]", name or "")[-1]
    return _UNPRINTABLE.sub("", last).strip()[:_LONGEST_NAME] or "photo"
