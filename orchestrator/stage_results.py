"""What a slice gets to apply: the result of a run."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from orchestrator.models import StageRun
from shared.contracts import Message


@dataclass(frozen=True)
class Applied:
    """A result of the run that is in force; the run is marked done already."""

    run: StageRun
    result: Message


# Writes the results of one stage and returns the ids of the photos that later stages should look at.
Apply = Callable[[AsyncSession, Sequence[Applied]], Awaitable[Sequence[int]]]
# The requests of a stage for photos whose previous stage has just been applied.
Follow = Callable[[AsyncSession, Sequence[int]], Awaitable[Sequence[tuple[int, Message]]]]
