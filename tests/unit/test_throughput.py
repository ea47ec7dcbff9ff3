"""How fast a stage answers, by a clock that the test moves."""

import pytest

from orchestrator.throughput import Throughput


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def measured(clock: Clock, answers: int, every_seconds: float) -> Throughput:
    throughput = Throughput(clock)
    for _ in range(answers):
        throughput.add("curate", 1)
        clock.now += every_seconds
    clock.now -= every_seconds
    return throughput


def test_a_slow_stage_is_measured_over_minutes() -> None:
    throughput = measured(clock := Clock(), answers=5, every_seconds=60)
    assert throughput.lately("curate") == pytest.approx(1 / 60)
    clock.now += 6
    assert throughput.per_second("curate") == 0


def test_nothing_is_said_too_early_or_about_another_stage() -> None:
    throughput = measured(Clock(), answers=2, every_seconds=1)
    assert throughput.lately("curate") is None
    assert throughput.lately("embed") is None


def test_a_rest_is_not_counted_as_slowness() -> None:
    throughput = measured(clock := Clock(), answers=10, every_seconds=1)
    throughput.rest("curate")
    clock.now += 200
    for _ in range(11):
        throughput.add("curate", 2)
        clock.now += 1
    clock.now -= 1
    assert throughput.lately("curate") == pytest.approx(2)


def test_what_was_long_ago_is_forgotten() -> None:
    throughput = measured(clock := Clock(), answers=10, every_seconds=1)
    clock.now += 10_000
    assert throughput.lately("curate") is None
