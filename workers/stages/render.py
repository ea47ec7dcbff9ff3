"""Stage `render`: a photo in more pixels than its preview has."""

from shared.contracts import render
from workers.stage import Stage, one_by_one
from workers.tools import Tools


def handle(request: render.Request, tools: Tools) -> render.Result:
    """All of it happens in the decode child; see workers.engines.rendition."""
    return tools.decoder.render(request, tools.attempt)


stage = Stage("render", render.Request, render.Result, one_by_one(handle), deadline_seconds=900)
