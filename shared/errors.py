"""Every error of Keepers. A class's docstring is its default message."""

from datetime import datetime
from typing import Any


class KeepersError(Exception):
    """Something went wrong in Keepers."""

    def __init__(self, message: str | None = None, **context: Any) -> None:  # Any: shown as JSON
        super().__init__(message or (self.__doc__ or "").strip())
        self.context = context

    @property
    def message(self) -> str:
        """The sentence a person reads."""
        return str(self.args[0])


class Verdict(KeepersError):
    """What a handler raises when it has no result. A closed set: Reject, Retry, Hold."""


class Reject(Verdict):
    """This photo can never pass this stage."""


class Retry(Verdict):
    """This attempt failed; another may pass."""

    def __init__(self, message: str | None = None, *, after_seconds: float | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.after_seconds = after_seconds


class Hold(Verdict):
    """The environment is down, not this photo. No attempt is used up.

    `key` names what is down (`root:3`, `claims`, `model:clip`): everything behind the same key waits,
    one message at a time probes whether it is back, not before `until`.
    """

    def __init__(self, message: str, *, key: str, until: datetime | None = None, **context: Any) -> None:
        super().__init__(message, **context)
        self.key = key
        self.until = until


class DecoderCrashed(Reject):
    """The decoder crashed on this file twice, so it is left alone."""


class UnsupportedFile(Reject):
    """This kind of file cannot be read as a photograph."""


class CorruptFile(Reject):
    """This file is broken and shows no picture."""


class TooLarge(Reject):
    """This file has more pixels than the limit allows."""


class FileVanished(Reject):
    """The file is not there any more."""


class OutsideRoots(Reject):
    """The path lies outside the photo folders that Keepers may read."""


class ImageTooLarge(Reject):
    """The vision model takes no image of this size."""


class RequestRefused(Reject):
    """The vision model refuses this photo."""


class InvalidReply(Reject):
    """The vision model gave no description that can be used."""


class VisionBusy(Retry):
    """The vision model is busy or in trouble."""


class VisionTimeout(Retry):
    """The vision model did not answer in time."""


class ConnectionDropped(Retry):
    """The vision model's answer broke off."""


class NobodyThere(Hold):
    """No vision model answers."""


class NoSpace(Hold):
    """The disk that holds Keepers' previews is full."""


class ClaimsAway(Hold):
    """The place that holds Keepers' previews cannot be reached."""


class BucketAway(Hold):
    """The object store cannot be reached, or refuses."""


class RootOffline(Hold):
    """The drive with this photo is not connected."""


class XmpBroken(KeepersError):
    """This XMP cannot be read."""
