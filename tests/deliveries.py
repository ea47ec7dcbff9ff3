"""Requests handed to a stage as its worker does, without a broker, and what the answer says."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from shared.contracts import Message
from shared.contracts.answers import Done, Failed, Failure
from shared.settings import Settings
from workers.runner import Delivery, Outcome, run
from workers.stage import Stage
from workers.tools import Tools

Result = TypeVar("Result", bound=Message)


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    """Of a home with an empty folder of claims."""
    tools = Tools(Settings(keepers_home=tmp_path))
    tools.claims.folder.mkdir()
    yield tools
    tools.close()


def delivered(stage: Stage, request: Message, tools: Tools, attempt: int = 1) -> Outcome:
    return run(stage, Delivery(request.model_dump_json().encode(), uuid.uuid4(), attempt), tools)


def done(outcome: Outcome, kind: type[Result]) -> Result:
    """The result in the answer."""
    assert isinstance(outcome.answer, Done), outcome.answer
    return kind.model_validate(outcome.answer.result)


def failure_of(outcome: Outcome) -> Failure:
    """Why it cannot succeed at any attempt."""
    assert isinstance(outcome.answer, Failed), outcome.answer
    assert outcome.answer.final
    return outcome.answer.failure
