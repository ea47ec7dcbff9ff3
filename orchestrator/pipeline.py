"""Which stage follows which. Adding a stage is its file in workers/stages, its contract, and one row here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from orchestrator.bursts import results as found_bursts
from orchestrator.curation import results as curation
from orchestrator.embedding import results as embedding
from orchestrator.photos import results as photos
from orchestrator.placards import results as placards
from orchestrator.placards.results import beside
from orchestrator.renditions import results as renditions
from orchestrator.stage_results import Apply, Follow
from orchestrator.taste import results as taste
from shared.contracts import Message, bursts, convert, curate, embed, render, score, train

RETRY_BUDGET_SECONDS = 2 * 3600  # past this age, and with empty queues, a published run counts as lost


@dataclass(frozen=True)
class Step:
    """One stage as the orchestrator sees it: its messages, what its results change, and what it follows.

    `batch` is how many requests a worker takes together. `concurrency`, when set, is how many are with the broker at
    most, however many workers there are. A `heavy` stage yields while somebody looks through photos: one request at a
    time is with the broker, besides the urgent ones.
    """

    stage: str
    request: type[Message]
    result: type[Message]
    apply: Apply
    after: str | None = None
    follow: Follow | None = None
    batch: int = 1
    concurrency: int | None = None
    is_heavy: bool = False
    retry_budget_seconds: float = RETRY_BUDGET_SECONDS


Pipeline = tuple[Step, ...]

_PICTURES = beside(photos.apply, placards.keep_pictures)
_WORDS = beside(curation.apply, placards.keep_words)

PIPELINE: Pipeline = (
    Step("convert", convert.Request, convert.Result, _PICTURES, is_heavy=True),
    Step("curate", curate.Request, curate.Result, _WORDS, "convert", curation.follow, concurrency=1),
    # One in work and one at hand: what is with the broker cannot be overtaken any more.
    Step("render", render.Request, render.Result, renditions.apply, concurrency=2),
    Step("embed", embed.Request, embed.Result, embedding.apply, "convert", embedding.follow, batch=16, is_heavy=True),
    Step("train", train.Request, train.Result, taste.apply_trainings),
    Step("score", score.Request, score.Result, taste.apply_scores),
    Step("bursts", bursts.Request, bursts.Result, found_bursts.apply),
)


def stages(pipeline: Pipeline) -> tuple[str, ...]:
    return tuple(step.stage for step in pipeline)


def limited(pipeline: Pipeline, concurrency: Mapping[str, int]) -> Pipeline:
    """The same with other limits on how many requests of these stages are with the broker."""
    return tuple(replace(step, concurrency=concurrency.get(step.stage, step.concurrency)) for step in pipeline)
