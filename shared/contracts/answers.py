"""What a worker answers on the `results` queue: done, failed or held."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import BeforeValidator, Field, TypeAdapter

from shared.contracts import Message, Text, storable_json


class Upstream(Message):
    """What a service that we called said."""

    kind: ClassVar[str] = "upstream"
    status_code: int | None = None
    message: Text = ""


Context = Annotated[dict[str, Any], BeforeValidator(storable_json)]  # Any: shown as JSON, never read by code


class Failure(Message):
    """Why an attempt failed, in a form that a page can show and a filter can group."""

    kind: ClassVar[str] = "failure"
    op: Text
    error_type: Text
    message: Text
    context: Context = Field(default_factory=dict)
    upstream: Upstream | None = None
    traceback: Text | None = None


class Done(Message):
    kind: ClassVar[str] = "answer.done"
    outcome: Literal["done"] = "done"
    stage: str
    run_id: UUID
    attempt: int
    work_ms: float = 0
    result: dict[str, Any]  # Any: the stage's Result, decoded by whoever applies it


class Failed(Message):
    """`final` says that no further attempt follows."""

    kind: ClassVar[str] = "answer.failed"
    outcome: Literal["failed"] = "failed"
    stage: str
    run_id: UUID
    attempt: int
    max_attempts: int
    final: bool
    failure: Failure


class Held(Message):
    """The environment is down: the run waits behind `key`, no attempt is used up."""

    kind: ClassVar[str] = "answer.held"
    outcome: Literal["held"] = "held"
    stage: str
    run_id: UUID
    attempt: int
    key: Text
    cause: Text
    until: datetime | None = None


Answer = Annotated[Done | Failed | Held, Field(discriminator="outcome")]
answer_adapter: TypeAdapter[Done | Failed | Held] = TypeAdapter(Answer)
