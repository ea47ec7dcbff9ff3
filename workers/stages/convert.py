"""Stage `convert`: an original becomes a preview, a thumbnail, measurements and Exif."""

from shared.contracts import convert
from workers.stage import Stage, one_by_one
from workers.tools import Tools


def handle(request: convert.Request, tools: Tools) -> convert.Result:
    """All of it happens in the decode child; see workers.engines.conversion."""
    return tools.decoder.convert(request, tools.attempt)


stage = Stage("convert", convert.Request, convert.Result, one_by_one(handle), deadline_seconds=900)
