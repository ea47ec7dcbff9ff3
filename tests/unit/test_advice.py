"""Every verdict that can end a run has advice of its own; anything else has a sentence too."""

import pytest

from orchestrator.failures.advice import advice
from shared import errors

GENERAL = advice("SomethingNew", 0)
FINAL = sorted(
    name
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.Verdict) and not issubclass(kind, errors.Hold)
)


@pytest.mark.parametrize("name", [name for name in FINAL if name not in ("Verdict", "Reject")])
def test_every_verdict_has_advice_of_its_own(name: str) -> None:
    assert advice(name, 0) != GENERAL


def test_the_status_tells_more_than_a_plain_retry() -> None:
    assert len({advice("Retry", status) for status in (0, 401, 404, 429, 503)}) == 5
    assert advice("Retry", 500) == advice("Retry", 503)


def test_a_bug_is_said_to_be_one() -> None:
    assert "mistake in Keepers" in advice("KeyError", 0)
