"""A taste as values: exact parts, honest numbers, a file that is whole or refused."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from shared.taste_model import TasteModel, TasteModelBroken, score_of
from tests.tastes import a_person, npz, some_photos
from workers.domain.taste import Learned
from workers.domain.taste_accuracy import pair_order, r2, spearman
from workers.domain.taste_ridge import ALPHAS, fit


@pytest.fixture(scope="module")
def learned() -> Learned:
    return a_person(120).learned(version=4)


def test_the_pulls_of_the_rated_photos_add_up_to_the_prediction(learned: Learned) -> None:
    model, photos = learned.model, some_photos(20, seed=3)
    for photo, stars in zip(photos, model.predict(photos), strict=True):
        assert model.intercept + model.pulls(photo).sum() == pytest.approx(stars, abs=1e-3)


def test_a_pull_is_what_the_prediction_loses_without_that_photo_s_weight(learned: Learned) -> None:
    model, [photo] = learned.model, some_photos(1, seed=4)
    without = replace(model, dual=np.where(np.arange(120) == 17, 0, model.dual).astype(np.float32))
    lost = model.predict(photo)[0] - without.predict(photo)[0]
    assert model.pulls(photo)[17] == pytest.approx(lost, abs=1e-3)
    assert abs(lost) > 0.001


def test_what_is_liked_is_foretold_for_photos_that_were_never_rated() -> None:
    person, everything = a_person(120), a_person(300)
    foretold = person.learned().model.predict(everything.vectors[120:])
    assert spearman(foretold, everything.ratings[120:]) > 0.4


def test_the_numbers_are_those_of_the_out_of_fold_predictions_and_not_of_the_fit(learned: Learned) -> None:
    model, accuracy = learned.model, learned.accuracy
    assert accuracy is not None
    assert accuracy.spearman == pytest.approx(spearman(model.out_of_fold, model.ratings), abs=1e-3)
    assert spearman(model.predict(model.vectors), model.ratings) > accuracy.spearman + 0.1
    assert accuracy.interval[0] < accuracy.pair_order < accuracy.interval[1]
    assert (model.out_of_fold_scores() == score_of(model.out_of_fold)).all()


def test_ratings_without_a_taste_are_not_better_than_guessing() -> None:
    found = []
    for seed in range(20):
        person = a_person(40, seed, archive=100)
        shuffled = np.random.default_rng(seed).permutation(person.ratings)
        accuracy = replace(person, ratings=shuffled).learned().accuracy
        assert accuracy is not None
        found.append(accuracy.interval[0] <= 0.5 <= accuracy.interval[1])
    assert sum(found) >= 17


def test_the_curve_rises_to_the_number_of_all_ratings() -> None:
    learned = a_person(260).learned()
    assert [point.n for point in learned.curve] == [10, 20, 50, 100, 200, 260]
    assert learned.curve[-1].spearman > learned.curve[0].spearman + 0.2
    assert learned.accuracy is not None
    assert learned.curve[-1].pair_order == learned.accuracy.pair_order


def test_the_same_ratings_give_the_same_file(learned: Learned) -> None:
    assert a_person(120).learned(version=4).model.to_bytes() == learned.model.to_bytes()


def test_more_ratings_than_landmarks_are_learned_too() -> None:
    person = a_person(600, archive=600)
    learned = person.learned()
    assert learned.accuracy is not None
    assert learned.accuracy.spearman > 0.5
    pulls = learned.model.pulls(person.vectors[3])
    expected = learned.model.predict(person.vectors[3])[0]
    assert learned.model.intercept + pulls.sum() == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("n", [1, 2, 3, 19])
def test_few_ratings_still_give_a_model(n: int) -> None:
    learned = a_person(n).learned()
    assert np.isfinite(learned.model.predict(some_photos(5, seed=9))).all()
    assert TasteModel.from_bytes(learned.model.to_bytes()).out_of_fold_scores().shape == (n,)
    assert learned.accuracy is None or 0 <= learned.accuracy.interval[0] <= learned.accuracy.interval[1] <= 1


def test_equal_ratings_give_a_model_of_their_mean_and_no_numbers() -> None:
    learned = replace(a_person(30), ratings=np.full(30, 4, np.float32)).learned()
    assert (learned.accuracy, learned.curve) == (None, ())
    assert (learned.model.scores(some_photos(5, seed=9)) == 75).all()
    assert (learned.model.out_of_fold_scores() == 75).all()


def test_photos_that_are_all_alike_are_foretold_their_mean() -> None:
    person = a_person(30)
    alike = np.repeat(person.vectors[:1], 30, axis=0)
    learned = replace(person, vectors=alike, archive=alike).learned()
    assert learned.model.predict(alike[:1])[0] == pytest.approx(person.ratings.mean(), abs=1e-3)
    assert learned.accuracy is not None
    assert learned.accuracy.interval[0] <= 0.5 <= learned.accuracy.interval[1]


def test_an_archive_of_none_but_rated_photos_is_enough() -> None:
    person = a_person(40)
    assert replace(person, archive=person.archive[:0]).learned().accuracy is not None


def test_scores_stay_between_0_and_100() -> None:
    assert score_of(np.array([-3, 1, 2.5, 3.8, 5, 9.0])).tolist() == [0, 0, 38, 70, 100, 100]


def test_a_taste_survives_its_file(learned: Learned) -> None:
    model, photos = learned.model, some_photos(50, seed=5)
    read = TasteModel.from_bytes(model.to_bytes())
    assert (read.version, read.embedding_model, read.intercept) == (4, "starter:test", model.intercept)
    assert (read.predict(photos) == model.predict(photos)).all()
    assert (read.pulls(photos[0]) == model.pulls(photos[0])).all()
    assert (read.photo_ids == model.photo_ids).all()
    assert (read.out_of_fold == model.out_of_fold).all()


def test_a_file_cut_anywhere_is_refused(learned: Learned) -> None:
    data = learned.model.to_bytes()
    for end in [*range(0, 2_000, 37), *range(2_000, len(data), len(data) // 150), *range(len(data) - 200, len(data))]:
        with pytest.raises(TasteModelBroken):
            TasteModel.from_bytes(data[:end])


def test_a_bit_that_fell_over_never_changes_a_score(learned: Learned) -> None:
    data, photos, random = learned.model.to_bytes(), some_photos(5, seed=6), np.random.default_rng(0)
    scores = learned.model.scores(photos)
    for place in [*random.integers(0, len(data), 100), *random.integers(len(data) - 1_500, len(data), 100)]:
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(random.integers(8))
        try:
            assert (TasteModel.from_bytes(bytes(damaged)).scores(photos) == scores).all()
        except TasteModelBroken:
            continue


def test_nothing_is_unpickled_from_a_file(learned: Learned) -> None:
    pickled = npz(format=np.array(1), dual=np.array([print], dtype=object))
    with pytest.raises(TasteModelBroken):
        TasteModel.from_bytes(pickled)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x80\x04N.", b"no taste at all" * 99, npz(a=np.zeros(3))])
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(TasteModelBroken):
        TasteModel.from_bytes(data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dual": np.zeros(119, np.float32)},
        {"dual": np.zeros(120)},
        {"dual": np.full(120, np.nan, np.float32)},
        {"vectors": np.zeros((120, 767), np.float16)},
        {"centre": np.zeros((), np.float32)},
        {"photo_ids": np.zeros(0, np.int64)},
        {"out_of_fold": np.full(120, np.inf, np.float32)},
    ],
    ids="-".join,
)
def test_a_file_whose_parts_do_not_fit_is_refused(learned: Learned, wrong: dict[str, np.ndarray]) -> None:
    with pytest.raises(TasteModelBroken):
        TasteModel.from_bytes(replace(learned.model, **wrong).to_bytes())


def test_leave_one_out_is_what_leaving_one_out_gives() -> None:
    """The penalty of least error, found the long way, for so many ratings that the usual one has no say."""
    random = np.random.default_rng(1)
    features = random.normal(size=(400, 6)) / np.sqrt(6)
    ratings = features @ random.normal(size=6) + 0.8 * random.normal(size=400)

    def error(alpha: float) -> float:
        errors = []
        for place in range(400):
            kept = np.arange(400) != place
            centre, mean = features[kept].mean(axis=0), ratings[kept].mean()
            centred = features[kept] - centre
            weights = np.linalg.solve(centred.T @ centred + alpha * np.eye(6), centred.T @ (ratings[kept] - mean))
            errors.append(ratings[place] - mean - (features[place] - centre) @ weights)
        return float(np.square(errors).mean())

    near = ALPHAS[(ALPHAS > 0.1) & (ALPHAS < 100)]
    cost = [400 * np.log(error(alpha)) + 4 * np.log10(alpha / 2) ** 2 for alpha in near]
    assert fit(features, ratings).alpha == pytest.approx(near[int(np.argmin(cost))])


def test_both_ways_to_fit_agree() -> None:
    """Fewer photos than features go through one matrix, more through the other; a feature of zeros changes nothing."""
    random = np.random.default_rng(2)
    features, ratings = random.normal(size=(40, 39)), random.normal(size=40)
    wide, narrow = fit(np.pad(features, ((0, 0), (0, 5))), ratings), fit(features, ratings)
    assert wide.alpha == narrow.alpha
    assert wide.predict(np.pad(features, ((0, 0), (0, 5)))) == pytest.approx(narrow.predict(features))


def test_pair_order_counts_pairs_and_halves_ties() -> None:
    random = np.random.default_rng(3)
    predicted, ratings = random.integers(0, 6, 40).astype(float), random.integers(1, 6, 40).astype(float)
    right = [
        0.5 if predicted[i] == predicted[j] else float((predicted[i] < predicted[j]) == (ratings[i] < ratings[j]))
        for i, j in itertools.combinations(range(40), 2)
        if ratings[i] != ratings[j]
    ]
    assert pair_order(predicted, ratings).share == pytest.approx(np.mean(right))


def test_the_error_of_pair_order_is_that_of_drawing_photos_anew() -> None:
    random = np.random.default_rng(4)
    shares, deviations = [], []
    for _ in range(300):
        ratings = random.integers(1, 6, 80).astype(float)
        order = pair_order(ratings + 2 * random.normal(size=80), ratings)
        shares.append(order.share)
        deviations.append(order.deviation)
    assert np.mean(deviations) == pytest.approx(np.std(shares), rel=0.15)


def test_spearman_and_r2_are_the_usual_ones() -> None:
    random = np.random.default_rng(5)
    predicted, ratings = random.normal(size=50).round(1), random.integers(1, 6, 50).astype(float)
    assert spearman(predicted, ratings) == pytest.approx(stats.spearmanr(predicted, ratings).statistic)
    assert spearman(np.zeros(50), ratings) == 0
    assert r2(np.full(50, ratings.mean()), ratings) == pytest.approx(0)
    assert r2(ratings, ratings) == 1
