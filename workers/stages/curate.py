"""Stage `curate`: a preview becomes a description, by a vision model or, while there is none, by what pixels show."""

import numpy as np

from shared import vision_endpoint
from shared.contracts import curate
from shared.errors import Hold, NobodyThere
from workers import previews
from workers.domain import plain_description
from workers.domain.reply import PhotoMetadata
from workers.stage import Stage, one_by_one
from workers.tools import Tools

PLAIN_SIDE_PX = 320  # enough for tones and colours


def handle(request: curate.Request, tools: Tools) -> curate.Result:
    """Sends the photo nowhere but to the host that its request names."""
    _check_host(request.host, tools)
    image = previews.read(tools.claims, request.file_path, request.photo_id)
    try:
        described = tools.vision.describe(image)
    except NobodyThere:
        if not _may_fall_back(request, tools):
            raise
        return _result(request, curate.BUILT_IN, plain_description.VERSION, _plain(request, image, tools))
    return _result(request, tools.settings.llm_model, curate.PROMPT_VERSION, described)


def _check_host(host: str, tools: Tools) -> None:
    own = vision_endpoint.host_of(vision_endpoint.address(tools.settings))
    if host != own:
        key = vision_endpoint.breaker_key(vision_endpoint.address(tools.settings), tools.settings.llm_model)
        raise Hold(f"The worker is set to {own}, the page to {host}: start both with the same LLM_BASE_URL.", key=key)


def _may_fall_back(request: curate.Request, tools: Tools) -> bool:
    is_free = request.may_fall_back and not vision_endpoint.is_chosen(tools.settings)
    return is_free and not tools.vision.has_answered


def _plain(request: curate.Request, image: bytes, tools: Tools) -> PhotoMetadata:
    small = previews.decode(image, tools.settings.max_megapixels, PLAIN_SIDE_PX)
    small.thumbnail((PLAIN_SIDE_PX, PLAIN_SIDE_PX))
    facts = plain_description.Facts(request.captured_at, request.focal_length_mm)
    return plain_description.describe(np.asarray(small), facts)


def _result(request: curate.Request, by: str, prompt_version: int, described: PhotoMetadata) -> curate.Result:
    return curate.Result(
        photo_id=request.photo_id, described_by=by, prompt_version=prompt_version, **described.model_dump()
    )


# Three calls of at most 400 s each fit.
stage = Stage("curate", curate.Request, curate.Result, one_by_one(handle), deadline_seconds=1400)
