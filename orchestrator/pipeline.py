"""Which stage follows which. Adding a stage is its file in workers/stages, its contract, and one row here."""

from dataclasses import dataclass

from shared.contracts import Message, convert, embed


@dataclass(frozen=True)
class Step:
    """One stage as the orchestrator sees it.

    `after` is the stage whose result leads to this one. `window_seconds` of measured throughput may be in the
    broker at once; `batch` is how many requests a worker takes together.
    """

    stage: str
    request: type[Message]
    result: type[Message]
    after: str | None = None
    batch: int = 1


Pipeline = tuple[Step, ...]

PIPELINE: Pipeline = (
    Step("convert", convert.Request, convert.Result),
    Step("embed", embed.Request, embed.Result, after="convert", batch=16),
)


def stages(pipeline: Pipeline) -> tuple[str, ...]:
    return tuple(step.stage for step in pipeline)
