"""Where the pictures of a photo are served. The version in an address changes with the picture, so browsers keep it."""

import hashlib


def thumbnail_url(photo_id: int, claim: str | None) -> str | None:
    return f"/photos/{photo_id}/thumbnail.jpg?v={version_of(claim)}" if claim else None


def preview_url(photo_id: int, claim: str | None) -> str | None:
    return f"/photos/{photo_id}/preview.jpg?v={version_of(claim)}" if claim else None


def rendition_url(photo_id: int, size: str, claim: str) -> str:
    return f"/photos/{photo_id}/{size}.jpg?v={version_of(claim)}"


def version_of(claim: str) -> str:
    return hashlib.blake2s(claim.encode(), digest_size=6).hexdigest()
