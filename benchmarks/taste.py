"""How well stars are foretold after n ratings, beside plain ridges on the same splits of the same people.

It starts no services: `python -m benchmarks.taste` alone is enough.
"""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from workers.domain.taste_accuracy import pair_order, spearman
from workers.domain.taste_ridge import fit
from workers.domain.taste_space import space_of

MATERIAL = Path(os.environ.get("KEEPERS_TEST_DATA", "test-material"))
NUMBERS = (10, 20, 50, 100, 150)
ALPHAS = np.logspace(-1, 5, 25)  # a wider choice than RidgeCV's own of three, which is worse at 100 and more ratings

# From the places of the rated photos, their stars and the places of others to the stars of these
Foretell = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], NDArray[Any]]  # Any: places and stars


def run(_: object, options: argparse.Namespace) -> None:
    path = MATERIAL / "taste" / "beauty_ratings.npz"
    if not path.exists():
        print(f"taste: left out, {path} is not there (KEEPERS_TEST_DATA names the folder of the material)", flush=True)
        return
    with np.load(path, allow_pickle=False) as data, threadpool_limits(limits=1, user_api="blas"):
        methods = _methods(data["embeddings"].astype(np.float32))
        people = list(_people(data["rater"], data["photo"], data["rating_1to7"], options.people))
        measured = {
            name: np.mean([_measure(foretell, *p) for p in people], axis=0) for name, foretell in methods.items()
        }
    print(f"taste, {len(people)} people, each measured on the photos beyond their first {NUMBERS[-1]} ratings")
    for place, what in enumerate(("Spearman", "pair order")):
        print(f"  {what + ' after n ratings':32}" + "".join(f"{n:8}" for n in NUMBERS))
        for name, figures in measured.items():
            print(f"    {name:30}" + "".join(f"{figure:8.3f}" for figure in figures[:, place]), flush=True)


def _methods(embeddings: NDArray[np.float32]) -> dict[str, Foretell]:
    features = space_of(embeddings).features(embeddings).astype(np.float64)
    vectors = embeddings.astype(np.float64)

    def ours(known: NDArray[Any], stars: NDArray[Any], unseen: NDArray[Any]) -> NDArray[Any]:
        return fit(features[known], stars).predict(features[unseen])

    def plain(ridge: Any) -> Foretell:  # Any: scikit-learn has no types
        def foretell(known: NDArray[Any], stars: NDArray[Any], unseen: NDArray[Any]) -> NDArray[Any]:
            model = make_pipeline(StandardScaler(), ridge).fit(vectors[known], stars)
            return np.asarray(model.predict(vectors[unseen]))

        return foretell

    return {
        "Keepers": ours,
        "StandardScaler, RidgeCV": plain(RidgeCV(ALPHAS)),
        "StandardScaler, Ridge(1.0)": plain(Ridge(1.0)),
    }


def _people(
    rater: NDArray[Any], photo: NDArray[Any], rating: NDArray[Any], most: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """Photos and stars (1 to 5, made of seven steps) of each person, in one random order for all methods."""
    for person in np.random.default_rng(0).permutation(np.unique(rater))[:most]:
        [places] = np.nonzero(rater == person)
        places = np.random.default_rng(int(person)).permutation(places)
        yield photo[places], 1 + (rating[places] - 1) * 4 / 6


def _measure(foretell: Foretell, photos: NDArray[Any], stars: NDArray[Any]) -> list[tuple[float, float]]:
    unseen = slice(NUMBERS[-1], None)
    foretold = [foretell(photos[:n], stars[:n], photos[unseen]) for n in NUMBERS]
    return [(spearman(given, stars[unseen]), pair_order(given, stars[unseen]).share) for given in foretold]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=120)
    run(None, parser.parse_args())
