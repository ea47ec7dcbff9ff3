"""The answer about a photo that is not there, wherever it is asked for or decided about."""

from orchestrator.answers import Refused

NOT_THERE = "This photo is not in Keepers: it was removed, or never there."


def unknown_photo() -> Refused:
    return Refused(404, "unknown_photo", NOT_THERE)
