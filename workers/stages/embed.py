"""Stage `embed`: previews become unit vectors, a batch at a time."""

import io
from collections import defaultdict
from collections.abc import Sequence

from PIL import Image

from shared.claims import CLAIMS_DISK
from shared.contracts import Message, embed
from shared.errors import CorruptFile, Hold, Retry, TooLarge, Verdict
from workers.stage import Stage
from workers.tools import Tools

FORMATS = ("JPEG", "PNG", "WEBP")  # what a preview may be; Pillow's other readers stay unused
DECODE_SIDE_PX = 448  # twice what the models see: a JPEG is decoded no finer than that needs


def handle(requests: Sequence[embed.Request], tools: Tools) -> list[Message | Verdict]:
    """Answers in the order of the requests.

    One photo's trouble stays its own; a model that is not here holds the requests that want it.
    """
    answers: dict[int, Message | Verdict] = {}
    for model, places in _by_model(requests).items():
        images = {place: _image_or_verdict(requests[place], tools) for place in places}
        answers |= _embed_all(model, requests, images, tools)
    return [answers[place] for place in range(len(requests))]


def _by_model(requests: Sequence[embed.Request]) -> dict[str, list[int]]:
    places = defaultdict(list)
    for place, request in enumerate(requests):
        places[request.model].append(place)
    return places


def _image_or_verdict(request: embed.Request, tools: Tools) -> Image.Image | Verdict:
    try:
        return _decode(_read(request, tools), tools.settings.max_megapixels)
    except Verdict as verdict:
        return verdict


def _read(request: embed.Request, tools: Tools) -> bytes:
    try:
        with tools.claims.open(request.file_path) as file:
            return file.read()
    except OSError as exc:
        if not tools.claims.folder.is_dir():
            raise Hold(f"The folder of previews, {tools.claims.folder}, is not there.", key=CLAIMS_DISK) from exc
        raise Retry(f"The preview of photo {request.photo_id} could not be read: {exc.strerror}.") from exc


def _decode(data: bytes, max_megapixels: int) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        if image.width * image.height > max_megapixels * 1_000_000:
            raise TooLarge(f"The preview has {image.width} x {image.height} pixels, over {max_megapixels} megapixels.")
        image.draft("RGB", (DECODE_SIDE_PX, DECODE_SIDE_PX))
        return image.convert("RGB")
    except Image.DecompressionBombError as exc:
        raise TooLarge(f"The preview is too large: {exc}") from exc
    except (OSError, SyntaxError, ValueError) as exc:  # what Pillow's readers raise for broken data
        raise CorruptFile(f"The preview shows no picture: {exc}") from exc


def _embed_all(
    model: str, requests: Sequence[embed.Request], images: dict[int, Image.Image | Verdict], tools: Tools
) -> dict[int, Message | Verdict]:
    verdicts: dict[int, Message | Verdict] = {p: found for p, found in images.items() if isinstance(found, Verdict)}
    decoded = {place: found for place, found in images.items() if isinstance(found, Image.Image)}
    try:
        embedder = tools.embedders.get(model)
    except Hold as hold:
        return verdicts | dict.fromkeys(decoded, hold)
    vectors = embedder.embed(list(decoded.values()))
    return verdicts | {
        place: embed.Result(photo_id=requests[place].photo_id, model=embedder.name, vector=vector)
        for place, vector in zip(decoded, vectors, strict=True)
    }


stage = Stage("embed", embed.Request, embed.Result, handle, batch=16)
