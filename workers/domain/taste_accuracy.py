"""How well predicted stars agree with given ones."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class PairOrder:
    """The share of pairs with different ratings that are ordered right, a tie of the predictions counting half.

    `deviation` is its standard error for predictions of one fixed model and n photos drawn anew.
    """

    share: float
    deviation: float
    n: int

    def interval(self, folds: int) -> tuple[float, float]:
        """The 95 % one for predictions by models of the other folds, within 0 to 1.

        Those models share most of their ratings, so they err together. The correction of Nadeau and Bengio (2003)
        allows for it. Measured, the truth scatters 1.25 to 1.4 times as widely as the plain error says, and this allows
        for 1.43 to 1.5 times.
        """
        widening = np.sqrt(1 + folds / max(1, folds - 1))
        # Student's quantile for few photos, by the first term of its expansion around the normal one.
        quantile = 1.96 + 2.37 / max(1, self.n - 1)
        reach = float(widening * quantile * self.deviation)
        return max(0.0, self.share - reach), min(1.0, self.share + reach)


def spearman(predicted: NDArray[Any], ratings: NDArray[Any]) -> float:  # Any: any float type
    """Rank correlation; 0 when either side is all equal."""
    first, second = (_ranks(values) - (len(values) - 1) / 2 for values in (predicted, ratings))
    norm = np.sqrt((first @ first) * (second @ second))
    return float(np.clip(first @ second / norm, -1, 1)) if norm > 0 else 0.0


def _ranks(values: NDArray[Any]) -> Doubles:  # Any: any float type
    """From 0; equal values share the mean of their ranks."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts + 1) / 2)[places])


def r2(predicted: NDArray[Any], ratings: NDArray[Any]) -> float:  # Any: any float type
    """1 less the squared error over that of the mean of these ratings, which must not be all equal."""
    return float(1 - ((ratings - predicted) ** 2).sum() / ((ratings - ratings.mean()) ** 2).sum())


def pair_order(predicted: NDArray[Any], ratings: NDArray[Any]) -> PairOrder:  # Any: any float type
    """Of n predictions and ratings that are not all equal. Sorts once for each different rating.

    Pairs share photos, so the error is not that of n(n-1)/2 draws: it is the one of a ratio of U-statistics, from each
    photo's own share of right pairs (Hoeffding 1948).
    """
    right, pairs = np.zeros(len(ratings)), np.zeros(len(ratings))
    for rating in np.unique(ratings):
        here = ratings == rating
        below, above = np.sort(predicted[ratings < rating]), np.sort(predicted[ratings > rating])
        right[here] = _share_below(below, predicted[here]) * len(below)
        right[here] += (1 - _share_below(above, predicted[here])) * len(above)
        pairs[here] = len(below) + len(above)
    share = right.sum() / pairs.sum()
    influence = 2 * (right - share * pairs) / pairs.mean()
    return PairOrder(float(share), float(influence.std(ddof=1) / np.sqrt(len(ratings))), len(ratings))


def _share_below(ordered: Doubles, values: Doubles) -> Doubles:
    """For each value, the share of `ordered` that is less, with half of what is equal; 0 of nothing."""
    places = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    return np.asarray(places / 2 / max(1, len(ordered)))
