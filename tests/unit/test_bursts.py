"""Bursts are found by time and likeness alone: pure properties, on frames that are made up."""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pytest

from tests.frames import NAN, frames, looks
from workers.domain.bursts import MOST_FRAMES, MOST_SECONDS, Burst, Frames, find_bursts

LIKE = 0.9


def groups(found: Sequence[Burst], of: Frames) -> list[list[int]]:
    """Photo ids of each burst."""
    return [of.photo_ids[list(burst.rows)].tolist() for burst in found]


def found(of: Frames, gap_seconds: float = 5, least_cosine: float = LIKE) -> list[list[int]]:
    return groups(find_bursts(of, gap_seconds, least_cosine), of)


def test_two_alike_frames_within_the_gap_are_a_burst_and_a_third_one_later_is_not() -> None:
    assert found(frames([0, 3, 60])) == [[1, 2]]


def test_frames_that_look_different_are_no_burst_however_close_they_are() -> None:
    assert found(frames([0, 0.1, 0.2], looks(0, 90, 180))) == []


def test_nothing_and_a_single_frame_are_no_burst() -> None:
    assert found(frames([])) == []
    assert found(frames([7])) == []


@pytest.mark.parametrize(("gap", "is_burst"), [(5, True), (4.999, False), (0, False)])
def test_a_frame_exactly_at_the_gap_belongs(gap: float, is_burst: bool) -> None:
    assert bool(found(frames([1_700_000_000.1, 1_700_000_005.1]), gap)) is is_burst


@pytest.mark.parametrize(("degrees", "is_burst"), [(25.8, True), (26.5, False)])
def test_frames_at_the_threshold_of_likeness_belong(degrees: float, is_burst: bool) -> None:
    """The cosine of 25.84 degrees is .9."""
    assert bool(found(frames([0, 1], looks(0, degrees)))) is is_burst


def test_equal_frames_are_alike_at_the_highest_threshold() -> None:
    alike = np.random.default_rng(3).normal(size=768)
    assert found(frames([0, 1], np.tile(alike / np.linalg.norm(alike), (2, 1))), least_cosine=1.0) == [[1, 2]]


def test_equal_times_count_as_no_time_apart() -> None:
    assert found(frames([8, 8, 8]), gap_seconds=0) == [[1, 2, 3]]


def test_the_order_in_which_frames_are_given_changes_nothing() -> None:
    random = np.random.default_rng(5)
    seconds = np.sort(random.uniform(0, 2_000, 400)).round(1)
    degrees = np.cumsum(random.normal(0, 12, 400))
    sharpness = random.choice([40.0, 60.0, 80.0, NAN], 400)
    ordered = frames(seconds.tolist(), looks(*degrees), sharpness=sharpness)
    expected = find_bursts(ordered, 5, LIKE)
    mixed = random.permutation(400)
    shuffled = Frames(**{name: column[mixed] for name, column in vars(ordered).items()})
    again = find_bursts(shuffled, 5, LIKE)
    assert len(expected) > 20
    assert groups(again, shuffled) == groups(expected, ordered)
    assert [shuffled.photo_ids[burst.best] for burst in again] == [ordered.photo_ids[burst.best] for burst in expected]


def test_every_frame_is_in_one_burst_at_most_and_no_burst_has_fewer_than_two() -> None:
    random = np.random.default_rng(6)
    made = frames(
        np.sort(random.uniform(0, 900, 500)).tolist(),
        looks(*np.cumsum(random.normal(0, 15, 500))),
        cameras=random.integers(0, 2, 500).astype(np.int32),
    )
    bursts = found(made, gap_seconds=20)
    named = [photo for burst in bursts for photo in burst]
    assert len(named) == len(set(named))
    assert min(map(len, bursts)) >= 2


def test_two_cameras_at_once_make_two_bursts() -> None:
    made = frames([0, 0.5, 1, 1.5], cameras=np.array([1, 2, 1, 2], np.int32))
    assert found(made) == [[1, 3], [2, 4]]


def test_two_photographers_with_the_same_camera_are_told_apart_by_what_they_saw() -> None:
    assert found(frames([0, 0.5, 1, 1.5, 2], looks(0, 90, 2, 91, 4))) == [[1, 3, 5], [2, 4]]


def test_one_spoilt_frame_does_not_part_a_burst() -> None:
    assert found(frames([0, 1, 2, 3], looks(0, 2, 80, 3))) == [[1, 2, 4]]


def test_a_frame_between_that_is_like_the_best_only_still_belongs() -> None:
    """A bracket's frames: the dark one and the bright one are each like the middle one, not like each other."""
    made = frames([0, 1, 2], looks(0, -20, 20), sharpness=np.array([80, 40, 40], np.float32))
    assert found(made) == [[1, 2, 3]]


# The best


def test_the_sharpest_is_the_best_and_the_earlier_one_of_equals() -> None:
    made = frames([0, 1, 2, 3], sharpness=np.array([50, 70, 70, 20], np.float32))
    assert find_bursts(made, 5, LIKE)[0].best == 1


def test_a_missing_score_is_the_worst() -> None:
    made = frames([0, 1, 2], sharpness=np.array([NAN, 0, NAN], np.float32))
    assert find_bursts(made, 5, LIKE)[0].best == 1


def test_without_any_score_the_first_is_the_best() -> None:
    assert find_bursts(frames([0, 1, 2]), 5, LIKE)[0].best == 0


def test_what_the_person_chose_is_the_best_however_soft_it_is() -> None:
    made = frames([0, 1, 2], sharpness=np.array([90, NAN, 80], np.float32), is_chosen=np.array([False, True, False]))
    assert find_bursts(made, 5, LIKE)[0].best == 1


def test_two_frames_that_the_person_chose_are_the_best_of_two_bursts() -> None:
    chosen = np.array([True, False, False, True, False])
    assert found(frames([0, 1, 2, 3, 4], is_chosen=chosen)) == [[1, 2, 3], [4, 5]]


# Drift and long series


def test_frames_that_each_look_like_the_one_before_drift_no_farther_than_thirty_frames() -> None:
    drifting = frames([0.1 * i for i in range(100)], looks(*(3.0 * i for i in range(100))))
    bursts = found(drifting)
    assert [photo for burst in bursts for photo in burst] == list(range(1, 101))
    assert len(bursts) > 3
    assert all(len(burst) == MOST_FRAMES for burst in bursts[:-1])


def test_frames_that_drift_slowly_part_after_a_minute() -> None:
    drifting = frames([4.0 * i for i in range(32)], looks(*(6.0 * i for i in range(32))))
    first, second = found(drifting)[:2]
    assert 4.0 * (len(first) - 1) <= MOST_SECONDS < 4.0 * len(first)
    assert second[0] == len(first) + 1


def test_a_long_series_from_a_tripod_is_one_burst() -> None:
    still = frames([0.5 * i for i in range(600)], looks(*(float(i % 7) for i in range(600))))
    assert [len(burst) for burst in found(still)] == [600]


def test_a_sports_series_of_ten_minutes_is_cut_where_the_picture_has_moved_on() -> None:
    """Ten frames a second, following a player: the picture turns at a varying pace, stands still, and turns again."""
    random = np.random.default_rng(9)
    pace = np.repeat(random.uniform(0.0, 3.0, 60), 100)
    pace[2_000:2_600] = 0.0  # a minute of waiting for a free kick
    sharpness = random.uniform(20, 90, 6_000).astype(np.float32)
    degrees = np.cumsum(pace)
    series = frames([0.1 * i for i in range(6_000)], looks(*degrees), sharpness=sharpness)
    bursts = find_bursts(series, 5, LIKE)
    assert sum(len(burst.rows) for burst in bursts) >= 5_990, "hardly a frame is alone"
    assert 20 < len(bursts) <= 6_000 / MOST_FRAMES
    for burst in bursts:
        best = burst.rows[0]
        for place, row in enumerate(burst.rows):
            apart = degrees[row] - degrees[best]
            is_late = place >= MOST_FRAMES or 0.1 * (row - burst.rows[0]) > MOST_SECONDS
            assert not is_late or np.cos(np.radians(apart)) >= LIKE - 0.001, "a late frame looks like the best so far"
            best = row if sharpness[row] > sharpness[best] else best
        assert burst.best == best
    assert max(len(burst.rows) for burst in bursts) >= 600, "the minute of waiting stays together"


def test_one_long_wait_does_not_hide_what_comes_after() -> None:
    """A series goes on in the burst it belongs to, also when a stranger walks through for a moment."""
    made = frames([float(i) for i in range(40)], looks(*[0.0] * 20, *[90.0] * 3, *[0.0] * 17))
    assert found(made) == [[*range(1, 21), *range(24, 41)], [21, 22, 23]]


# Brackets


def test_a_varying_exposure_bias_makes_a_bracket() -> None:
    made = frames([0, 1, 2], exposure_bias_ev=np.array([0, -1, 1], np.float32))
    assert find_bursts(made, 5, LIKE)[0].kind == "bracket"


def test_a_varying_focus_distance_makes_a_bracket() -> None:
    made = frames([0, 1, 2], focus_distance_m=np.array([0.5, 0.6, 0.7], np.float32))
    assert find_bursts(made, 5, LIKE)[0].kind == "bracket"


def test_the_jitter_of_a_focus_motor_and_the_rounding_of_a_bias_make_no_bracket() -> None:
    made = frames(
        [0, 1, 2],
        focus_distance_m=np.array([2.51, 2.49, 2.5], np.float32),
        exposure_bias_ev=np.array([0.33, 1 / 3, 0.3333], np.float32),
    )
    assert find_bursts(made, 5, LIKE)[0].kind == "burst"


def test_frames_of_which_the_camera_says_nothing_make_no_bracket() -> None:
    made = frames([0, 1, 2], exposure_bias_ev=np.array([NAN, 0.7, NAN], np.float32))
    assert find_bursts(made, 5, LIKE)[0].kind == "burst"


# Time


def test_the_hour_that_summer_time_takes_away_parts_no_burst_of_camera_time() -> None:
    """Cameras write local time and jump only when they are set: frames around two at night are as far apart as they
    say, also on the night when no clock on the wall showed those times."""
    night = [datetime(2024, 3, 31, 1, 59, 59, 500_000, UTC), datetime(2024, 3, 31, 2, 0, 0, 250_000, UTC)]
    assert found(frames([moment.timestamp() for moment in night]), gap_seconds=1) == [[1, 2]]


def test_times_before_1970_are_times_too() -> None:
    assert found(frames([-3e9, -3e9 + 2, -3e9 + 900])) == [[1, 2]]


def test_a_vector_without_direction_is_like_nothing() -> None:
    assert found(frames([0, 1], np.zeros((2, 768)))) == []
