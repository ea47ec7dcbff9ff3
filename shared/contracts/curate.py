"""Stage `curate`: a preview becomes words that say what is on it, never whether it is good."""

from datetime import datetime
from typing import ClassVar, Literal

from shared.claims import ClaimPath
from shared.contracts import Message, Text

BUILT_IN = "built-in"  # described by pixels and Exif alone, without a model
PROMPT_VERSION = 1  # stored with every description; raise it when the words asked with change what comes back

ContentType = Literal["portrait", "street", "family", "landscape", "still_life", "architecture", "abstract", "other"]


class Request(Message):
    """`host` is the only one that the photo may be sent to. Exif facts are for the built-in describer."""

    kind: ClassVar[str] = "curate.request"
    photo_id: int
    file_path: ClaimPath
    host: Text
    may_fall_back: bool = False  # to the built-in describer, when nothing answers at the default address
    captured_at: datetime | None = None  # local to the camera
    focal_length_mm: float | None = None


class Result(Message):
    """Any of the texts may be empty but the subject. All of them are what a model said: never markup."""

    kind: ClassVar[str] = "curate.result"
    photo_id: int
    described_by: Text  # the model, or BUILT_IN
    prompt_version: int
    subject: Text
    content_type: ContentType
    lighting_critique: Text = ""
    artistic_mood: Text = ""
    suggested_tags: tuple[Text, ...] = ()
