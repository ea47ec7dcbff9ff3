"""Sending a derived picture. Browsers keep it for ever: our pages ask with the version, which changes when it does."""

import asyncio
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import FileResponse, Response

from orchestrator.answers import Refused
from orchestrator.photos.addresses import version_of
from shared.claims import ClaimStore
from shared.errors import OutsideRoots

Version = Annotated[str | None, Query(description="version, as in the photo's own addresses")]

_IMMUTABLE = "private, max-age=31536000, immutable"


async def send(request: Request, claims: ClaimStore, claim: str, v: str | None) -> Response | None:
    """None when it is missing on disk."""
    is_current = v in (None, version_of(claim))
    headers = {"etag": f'"{claim}"', "cache-control": _IMMUTABLE if is_current else "private, no-cache"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    if not await asyncio.to_thread(_is_on_disk, claims, claim):
        return None
    return FileResponse(claims.path(claim), media_type="image/jpeg", headers=headers)


def _is_on_disk(claims: ClaimStore, claim: str) -> bool:
    try:
        return claims.verify(claim)
    except OutsideRoots as exc:
        raise Refused(404, "outside_roots", exc.message) from exc
