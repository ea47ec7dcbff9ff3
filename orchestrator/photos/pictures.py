"""Sending a derived picture. Browsers keep it for ever: our pages ask with the version, which changes when it does."""

import re
from email.utils import formatdate
from pathlib import Path
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import FileResponse, Response, StreamingResponse

from orchestrator.answers import Refused
from orchestrator.photos.addresses import version_of
from shared.claims import ByteRange, ClaimStore, Download
from shared.errors import OutsideRoots

Version = Annotated[str | None, Query(description="version, as in the photo's own addresses")]

_IMMUTABLE = "private, max-age=31536000, immutable"
_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
_JPEG = "image/jpeg"


async def send(request: Request, claims: ClaimStore, claim: str, v: str | None) -> Response | None:
    """None when it is missing. Raises Hold when the place of derived files is away."""
    is_current = v in (None, version_of(claim))
    headers = {"etag": f'"{claim}"', "cache-control": _IMMUTABLE if is_current else "private, no-cache"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    try:
        found = await claims.deliver(claim, _wanted(request, headers["etag"]))
    except OutsideRoots as exc:
        raise Refused(404, "outside_roots", exc.message) from exc
    except OSError:
        return None
    if isinstance(found, Path):
        return FileResponse(found, media_type=_JPEG, headers=headers)
    return _streamed(found, headers)


def _wanted(request: Request, etag: str) -> ByteRange | None:
    """One range of bytes, as a browser goes on after a break; None for all, which may answer any other wish."""
    match = _ONE_RANGE.fullmatch(request.headers.get("range", ""))
    if match is None or match[0] == "bytes=-" or request.headers.get("if-range", etag) != etag:
        return None
    first, last = (int(number) if number else None for number in match.groups())
    return None if first is not None and last is not None and last < first else ByteRange(first, last)


def _streamed(found: Download, headers: dict[str, str]) -> Response:
    is_part = (found.first, found.beyond) != (0, found.size)
    headers |= {
        "accept-ranges": "bytes",
        "content-length": str(found.beyond - found.first),
        "last-modified": formatdate(found.modified_at, usegmt=True),
    }
    if is_part:
        headers["content-range"] = f"bytes {found.first}-{found.beyond - 1}/{found.size}"
    return StreamingResponse(found.chunks, 206 if is_part else 200, headers, _JPEG)
