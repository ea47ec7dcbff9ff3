"""The numbers that a training reports, beside what real people think of photos that the training never saw."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.contracts import train
from shared.taste_model import TasteModel
from tests.deliveries import delivered, done
from tests.material import MATERIAL
from tests.tastes import EMBEDDING_MODEL, npz
from workers.domain.taste_accuracy import spearman
from workers.stages.train import stage
from workers.tools import Tools

RATINGS = MATERIAL / "taste" / "beauty_ratings.npz"
PEOPLE = 40
KNOWN = 150  # ratings of each that are learned from; the rest is held out

pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not RATINGS.exists(), reason=f"{RATINGS} is not there: set KEEPERS_TEST_DATA to the material"),
]


@dataclass(frozen=True)
class Rater:
    """Stars from 1 to 5, made of a scale of seven steps."""

    photos: NDArray[np.int64]
    stars: NDArray[np.float32]


def test_a_training_is_as_good_as_it_says(tools: Tools) -> None:
    with np.load(RATINGS, allow_pickle=False) as data:
        archive, raters = data["embeddings"], list(_raters(data["rater"], data["photo"], data["rating_1to7"]))
    differences, held_out = [], []
    for rater in raters:
        known, unseen = slice(KNOWN), slice(KNOWN, None)
        result = _trained(tools, archive, rater.photos[known], rater.stars[known])
        model = TasteModel.from_bytes(tools.claims.path(result.artifact).read_bytes())
        held_out.append(spearman(model.predict(archive[rater.photos[unseen]]), rater.stars[unseen]))
        assert result.accuracy is not None
        differences.append(result.accuracy.spearman - held_out[-1])
    assert len(differences) == PEOPLE
    assert abs(np.mean(differences)) <= 0.03
    assert np.mean(held_out) > 0.44


def _raters(rater: NDArray[np.int64], photo: NDArray[np.int64], rating: NDArray[np.float64]) -> Iterator[Rater]:
    """Every so many-eth person, with their photos in a random order."""
    people = np.unique(rater)
    for person in people[:: len(people) // PEOPLE][:PEOPLE]:
        [places] = np.nonzero(rater == person)
        places = np.random.default_rng(int(person)).permutation(places)
        yield Rater(photo[places].astype(np.int64), (1 + (rating[places] - 1) * 4 / 6).astype(np.float32))


def _trained(
    tools: Tools, archive: NDArray[np.float16], photos: NDArray[np.int64], stars: NDArray[np.float32]
) -> train.Result:
    claim = tools.claims.put(
        f"{uuid.uuid4().hex}.npz", npz(photo_ids=photos, ratings=stars, vectors=archive[photos], archive=archive)
    )
    request = train.Request(version=1, model=EMBEDDING_MODEL, file_path=claim)
    return done(delivered(stage, request, tools), train.Result)
