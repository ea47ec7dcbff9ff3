"""Stage `embed`: previews become unit vectors, a batch at a time."""

from collections import defaultdict
from collections.abc import Sequence

from PIL import Image

from shared.contracts import Message, embed
from shared.errors import Hold, Verdict
from workers import previews
from workers.stage import Stage
from workers.tools import Tools

DECODE_SIDE_PX = 448  # twice what the models see: a JPEG is decoded no finer than that needs


def handle(requests: Sequence[embed.Request], tools: Tools) -> list[Message | Verdict]:
    """Answers in the order of the requests.

    One photo's trouble stays its own; a model that is not here holds the requests that want it.
    """
    answers: dict[int, Message | Verdict] = {}
    images = _images(requests, tools)
    for model, places in _by_model(requests).items():
        answers |= _embed_all(model, requests, {place: images[place] for place in places}, tools)
    return [answers[place] for place in range(len(requests))]


def _by_model(requests: Sequence[embed.Request]) -> dict[str, list[int]]:
    places = defaultdict(list)
    for place, request in enumerate(requests):
        places[request.model].append(place)
    return places


def _images(requests: Sequence[embed.Request], tools: Tools) -> list[Image.Image | Verdict]:
    """What is away for one is away for all that follow: to hear that from an object store may take a minute each."""
    images: list[Image.Image | Verdict] = []
    away: Hold | None = None
    for request in requests:
        found = away or _image_or_verdict(request, tools)
        away = found if isinstance(found, Hold) else None
        images.append(found)
    return images


def _image_or_verdict(request: embed.Request, tools: Tools) -> Image.Image | Verdict:
    try:
        data = previews.read(tools.claims, request.file_path, request.photo_id)
        return previews.decode(data, tools.settings.max_megapixels, DECODE_SIDE_PX)
    except Verdict as verdict:
        return verdict


def _embed_all(
    model: str, requests: Sequence[embed.Request], images: dict[int, Image.Image | Verdict], tools: Tools
) -> dict[int, Message | Verdict]:
    verdicts: dict[int, Message | Verdict] = {p: found for p, found in images.items() if isinstance(found, Verdict)}
    decoded = {place: found for place, found in images.items() if isinstance(found, Image.Image)}
    if not decoded:
        return verdicts
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
