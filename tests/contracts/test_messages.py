"""Messages are for ever: what was once on the wire still decodes, and the page about them is current."""

import importlib
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from shared.contracts import answers, embed

REPOSITORY = Path(__file__).parents[2]
GOLDEN = sorted(Path(__file__).with_name("golden").glob("*.json"))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_a_message_from_an_earlier_version_still_decodes(file: Path) -> None:
    stage, kind, _ = file.stem.split(".")  # convert.request.v1
    body = file.read_text()
    if stage == "answer":
        answer = answers.answer_adapter.validate_json(body)
        assert answer.kind == f"answer.{kind}"
        return
    message = getattr(importlib.import_module(f"shared.contracts.{stage}"), kind.capitalize())
    decoded = message.model_validate_json(body)
    assert _known_parts(json.loads(decoded.model_dump_json()), json.loads(body)) == json.loads(body)


def _known_parts(decoded: Any, body: Any) -> Any:  # Any: JSON
    """What was decoded, without the fields that the body has not: they came later, or have defaults."""
    if isinstance(decoded, dict) and isinstance(body, dict):
        return {name: _known_parts(value, body[name]) for name, value in decoded.items() if name in body}
    return decoded


def test_every_message_has_a_golden_file() -> None:
    stages = [path.stem for path in (REPOSITORY / "shared/contracts").glob("*.py")]
    stages = [stage for stage in stages if stage not in ("__init__", "answers")]
    wanted = {f"{stage}.{kind}.v1" for stage in stages for kind in ("request", "result")}
    wanted |= {"answer.done.v1", "answer.failed.v1", "answer.held.v1"}
    assert wanted <= {file.stem for file in GOLDEN}


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_unknown_fields_are_ignored(file: Path) -> None:
    stage, kind, _ = file.stem.split(".")
    body = {**json.loads(file.read_text()), "from_the_future": [1, 2]}
    if stage == "answer":
        assert answers.answer_adapter.validate_python(body)
    else:
        message = getattr(importlib.import_module(f"shared.contracts.{stage}"), kind.capitalize())
        assert message.model_validate_json(json.dumps(body))


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_fields_that_a_sender_one_version_behind_does_not_know_may_be_missing(file: Path) -> None:
    """A field that was added later has a default. Without all that have one, the message still decodes."""
    stage, kind, _ = file.stem.split(".")
    body = json.loads(file.read_text())
    if stage == "answer":
        message: type[BaseModel] = {"done": answers.Done, "failed": answers.Failed, "held": answers.Held}[kind]
    else:
        message = getattr(importlib.import_module(f"shared.contracts.{stage}"), kind.capitalize())
    assert message.model_validate_json(json.dumps(_needed(message, body)))


def _needed(message: type[BaseModel], body: dict[str, Any]) -> dict[str, Any]:  # Any: JSON
    """The parts without which nothing of this kind can be understood."""
    needed = {name: body[name] for name, field in message.model_fields.items() if field.is_required()}
    for name, value in needed.items():
        inner = message.model_fields[name].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            needed[name] = _needed(inner, value)
    return needed


def test_text_that_postgresql_cannot_hold_is_cleaned_when_it_is_decoded() -> None:
    failure = answers.Failure(op="convert", error_type="X", message="a\x00b\ud800c" + "d" * 5000)
    assert failure.message.startswith("abcd")
    assert len(failure.message) == 2_000


def test_a_vector_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(ValueError, match="768 finite numbers"):
        embed.Result(photo_id=1, model="m", vector="AAAAAAAA")


def test_the_page_about_messages_is_current() -> None:
    spec = importlib.util.spec_from_file_location("generate_messages", REPOSITORY / "docs/generate_messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (REPOSITORY / "docs/messages.md").read_text() == module.page(), "run python docs/generate_messages.py"
