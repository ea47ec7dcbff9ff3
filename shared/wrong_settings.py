"""Reading the settings, with a sentence about each that cannot be used."""

from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo

from shared.errors import KeepersError
from shared.settings import Settings

STATUS = 2  # with which a command ends that was given them
_MOST_SHOWN = 60  # characters


class WrongSettings(KeepersError):
    """A setting cannot be used."""


def read_settings() -> Settings:
    """From the environment. Raises WrongSettings."""
    try:
        return Settings()
    except ValidationError as exc:
        wrong = {str(error["loc"][0]): error["input"] for error in reversed(exc.errors(include_url=False))}
        raise WrongSettings("\n".join(_sentence(*one) for one in sorted(wrong.items()))) from exc
    except KeepersError as exc:
        raise WrongSettings(exc.message) from exc


def _sentence(name: str, given: object) -> str:
    field = Settings.model_fields[name]
    types = _types(field.annotation)
    said = "cannot be used" if SecretStr in types else f"is {str(given)[:_MOST_SHOWN]!r}"
    return f"{name.upper()} {said}. It must be {_expected(field, types)}."


def _expected(field: FieldInfo, types: tuple[object, ...]) -> str:
    for type_ in types:
        if get_origin(type_) is Literal:
            return " or ".join(get_args(type_))
        if get_origin(type_) is tuple:
            return f"a list of whole numbers, 1 or more, as {list(field.default)}"
        if type_ in _KINDS:
            return _KINDS[type_] + _bounds(field)
    return "text"


_KINDS: dict[object, str] = {bool: "1 or 0", int: "a whole number", float: "a number"}


def _bounds(field: FieldInfo) -> str:
    sayings = {"ge": "{} or more", "gt": "more than {}", "le": "{} at most"}
    said = [
        saying.format(getattr(one, name))
        for one in field.metadata
        for name, saying in sayings.items()
        if hasattr(one, name)
    ]
    return "".join(f", {part}" for part in said)


def _types(annotation: Any) -> tuple[object, ...]:  # Any: whatever a field may be annotated with
    """Of an annotation: `int | None` is of two."""
    return (annotation,) if get_origin(annotation) in (None, Literal, tuple) else get_args(annotation)
