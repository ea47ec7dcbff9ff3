"""Reading the preview behind a claim, as the stages do that look at photos."""

import io

from PIL import Image

from shared.claims import ClaimStore
from shared.errors import CorruptFile, Retry, TooLarge
from workers.fetching import fetching

FORMATS = ("JPEG", "PNG", "WEBP")  # what a preview may be; Pillow's other readers stay unused


def read(claims: ClaimStore, claim: str, photo_id: int) -> bytes:
    """The bytes of a preview. Raises Hold while the place of previews is away, Retry when this one cannot be read."""
    try:
        with fetching():
            return claims.read(claim)
    except OSError as exc:
        raise Retry(f"The preview of photo {photo_id} could not be read: {exc.strerror}.") from exc


def decode(data: bytes, max_megapixels: int, side_px: int) -> Image.Image:
    """As RGB; a JPEG is decoded no finer than `side_px` needs. Raises TooLarge, CorruptFile."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > max_megapixels * 1_000_000:
            raise TooLarge(f"The preview has {image.width} x {image.height} pixels, over {max_megapixels} megapixels.")
        image.draft("RGB", (side_px, side_px))
        return image.convert("RGB")
    except Image.DecompressionBombError as exc:
        raise TooLarge(f"The preview is too large: {exc}") from exc
    except (OSError, SyntaxError, ValueError) as exc:  # what Pillow's readers raise for broken data
        raise CorruptFile(f"The preview shows no picture: {exc}") from exc
