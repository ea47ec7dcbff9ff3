"""The honest sentence: how good the learned taste is, before anything else is shown of it."""

from orchestrator.taste.service import LEAST_RATINGS
from orchestrator.taste.views import State, Version


def sentence_of(
    model: Version | None, state: State, learnable: int, rated: int, needed: int, *, is_trusted: bool
) -> str:
    """`learnable` of the `rated` photos have a vector; `needed` more are missing."""
    if model is None:
        return _before_the_first(state, learnable, rated, needed)
    if model.pair_order is None:
        return f"All {_ratings(model.n)} are alike, so there is nothing to tell apart yet. Use more of the five stars."
    picks = f"of two photos it had not seen it picks the one you prefer {_times(model.pair_order)}"
    if not is_trusted:
        return f"Trained on {_ratings(model.n)}, and not yet better than guessing: {picks}. More ratings will help."
    return f"Trained on {_ratings(model.n)}; {picks}."


def _before_the_first(state: State, learnable: int, rated: int, needed: int) -> str:
    if state == "training":
        return f"Learning from {_ratings(learnable)}…"
    if not needed:
        return f"{_ratings(learnable)[:1].upper()}{_ratings(learnable)[1:]}: enough to learn from."
    if waiting := min(rated - learnable, needed):
        still = f" {waiting} {'is' if waiting == 1 else 'are'} here and only {'waits' if waiting == 1 else 'wait'}"
        more = needed - waiting
        to_come = f"{more} more {_word(more)}, and" if more else "Soon"
        return f"{to_come} Keepers begins to learn your taste.{still} to be looked at."
    return f"{needed} more {_word(needed)}, and Keepers begins to learn your taste. It needs {LEAST_RATINGS}."


def _times(share: float) -> str:
    times = 10 if share == 1 else min(9, round(share * 10))  # not always, but for once
    return f"{times} times in 10"


def _ratings(n: int | None) -> str:
    return f"{n or 0:,} {_word(n or 0)}"


def _word(n: int) -> str:
    return "rating" if n == 1 else "ratings"
