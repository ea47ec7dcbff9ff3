"""What a vision model may answer, and what is made of what it does answer."""

import json
from collections.abc import Iterable
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from shared.contracts import storable
from shared.contracts.curate import ContentType

MOST_TAGS = 7
MOST_TAG_CHARACTERS = 40
MOST_SUBJECT_CHARACTERS = 300
MOST_CHARACTERS = 400

_CONTENT_TYPES = frozenset(get_args(ContentType))
# Words that fit every photograph, or that judge it.
_GENERIC_WORDS = """
a an and the of in on with this that is it its there shows showing shown depicts depicting featuring some photo photos
photograph photographs photography photographer picture pictures image images pic snapshot shot scene view subject
object thing things something content description untitled unknown none null n/a na other various art artistic artwork
beautiful beauty nice good great amazing stunning lovely pretty gorgeous perfect excellent professional quality
high-quality hd 4k 8k hdr masterpiece aesthetic camera lens digital color colour capture
"""
_GENERIC = frozenset(_GENERIC_WORDS.split())


def _plain(value: Any) -> str:  # Any: whatever the model put there
    """One line of text that can be stored. Markup stays the text that it is; what is no text is dropped."""
    if isinstance(value, list):
        value = ", ".join(part for part in value if isinstance(part, str))
    return " ".join(storable(value).split()) if isinstance(value, str) else ""


def _cut(text: str, most: int) -> str:
    """At most so many characters, ending with a whole word where that is possible."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return (head.rpartition(" ")[0] or head) + "…"


def _content_type(value: Any) -> str:  # Any: as above
    name = _plain(value).lower().replace(" ", "_").replace("-", "_")
    return name if name in _CONTENT_TYPES else "other"


def specific_tags(values: Iterable[str], most: int = MOST_TAGS) -> tuple[str, ...]:
    """The first so many that say something, each once, in lower case."""
    tags: dict[str, None] = {}
    for value in values:
        tag = " ".join(value.strip("#*-•.,;:\"' ").replace("_", " ").lower().split())
        if tag and len(tag) <= MOST_TAG_CHARACTERS and not _is_generic(tag):
            tags[tag] = None
        if len(tags) == most:
            break
    return tuple(tags)


def _is_generic(text: str) -> bool:
    words = text.lower().replace(",", " ").replace(".", " ").split()
    return not any(character.isalnum() for character in text) or all(word in _GENERIC for word in words)


def _tags(value: Any) -> tuple[str, ...]:  # Any: as above
    if isinstance(value, str):
        value = value.replace("\n", ",").split(",")
    return specific_tags(_plain(tag) for tag in value) if isinstance(value, list | tuple) else ()


Line = Annotated[str, BeforeValidator(lambda value: _cut(_plain(value), MOST_CHARACTERS))]


_ASKED_FOR = ["subject", "content_type", "lighting_critique", "artistic_mood", "suggested_tags"]


class PhotoMetadata(BaseModel):
    """What can be seen on one photograph."""  # the model reads this

    # All is asked for, and only the subject is needed: small models drop fields, and add others.
    model_config = ConfigDict(extra="ignore", json_schema_extra={"required": [*_ASKED_FOR]})

    subject: Line = Field(description="Who or what is shown and what is going on, in one specific sentence")
    content_type: Annotated[ContentType, BeforeValidator(_content_type)] = "other"
    lighting_critique: Line = Field("", description="One sentence about where the light comes from and how hard it is")
    artistic_mood: Line = Field("", description="Two to four words for the mood")
    suggested_tags: Annotated[tuple[str, ...], BeforeValidator(_tags)] = Field(
        (), description="Five to seven specific words to search by"
    )

    @field_validator("subject")
    @classmethod
    def _must_be_specific(cls, subject: str) -> str:
        if _is_generic(subject):
            raise ValueError("say what this photograph shows, not that it is one")
        return _cut(subject, MOST_SUBJECT_CHARACTERS)

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> "PhotoMetadata":
        """Also takes an object in a Markdown fence or with words around it, and line breaks inside texts.
        Raises ValidationError."""
        found = _object_in(json_data)
        try:
            return cls.model_validate(json.loads(found, strict=False), **options)
        except RecursionError:
            return super().model_validate_json("", **options)
        except json.JSONDecodeError:
            return super().model_validate_json(found, **options)  # which says what is wrong with it, to be told so


def _object_in(reply: str | bytes | bytearray) -> str:
    text = reply if isinstance(reply, str) else bytes(reply).decode("utf-8", "replace")
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else text
