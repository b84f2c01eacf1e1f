"""Intervals and tail probabilities of a statistic from its bootstrap draws.

The unit of sampling is the image; how the draws are made is `rapideval.judge.resample`'s business. Here they are
numbers: B draws of one statistic, its value on the whole holdout, and, for the corrected interval, what leaving groups
of images out does to it.

References
----------
Efron, B. and Tibshirani, R. (1993). An Introduction to the Bootstrap, chapters 13 and 14 (percentile, BCa).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

__all__ = ["Bootstrap", "Interval"]

_NORMAL = NormalDist()

TAIL_DRAWS = 10
"""With fewer draws than this beyond a value, the tail is taken from the normal curve fitted to the draws."""

SHAPE_LIMIT = 0.25
"""Largest bias correction and acceleration that are believed: beyond it a sample is too small for either."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An interval at a level; NaN ends where the statistic is undefined."""

    low: float
    high: float
    level: float

    @property
    def width(self) -> float:
        """High minus low."""
        return self.high - self.low

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


class Bootstrap:
    """Draws of one statistic, and what they say about the truth.

    Parameters
    ----------
    value
        The statistic on the whole holdout.
    draws : float64 array of shape (B,)
        The statistic on each draw; NaN where it was undefined there (those are left out and counted).
    left_out : float64 array of shape (G,), optional
        The statistic with each of G groups of images left out, for the acceleration of BCa. Without it the
        acceleration is 0 and the interval is bias-corrected only.

    Examples
    --------
    >>> import numpy as np
    >>> draws = np.random.default_rng(0).normal(0.02, 0.01, 2000)
    >>> b = Bootstrap(0.02, draws)
    >>> interval = b.interval(0.95)
    >>> round(interval.low, 3), round(interval.high, 3), b.probability_below(0.0) < 0.05
    (0.001, 0.04, True)
    """

    __slots__ = ("acceleration", "bias", "defined", "deviation", "draws", "mean", "value")

    def __init__(
        self, value: float, draws: npt.NDArray[np.float64], left_out: npt.NDArray[np.float64] | None = None
    ) -> None:
        self.value = float(value)
        finite = draws[np.isfinite(draws)]
        self.defined = len(finite) / len(draws) if len(draws) else 0.0
        self.draws = np.sort(finite)
        enough = len(finite) > 1 and math.isfinite(self.value)
        self.mean = float(finite.mean()) if enough else math.nan
        self.deviation = float(finite.std(ddof=1)) if enough else math.nan
        self.bias = self._bias() if enough else 0.0
        self.acceleration = _acceleration(left_out) if enough and left_out is not None else 0.0

    def _bias(self) -> float:
        # Half of the draws equal to the value count as below it: metrics of small slices are lumpy.
        below = np.searchsorted(self.draws, self.value, "left")
        not_above = np.searchsorted(self.draws, self.value, "right")
        share = (below + not_above) / 2 / len(self.draws)
        return float(np.clip(_quantile_of(share, len(self.draws)), -SHAPE_LIMIT, SHAPE_LIMIT))

    def interval(self, level: float) -> Interval:
        """Bias-corrected and accelerated interval at this level, such as 0.95."""
        if not math.isfinite(self.deviation):
            return Interval(math.nan, math.nan, level)
        if self.deviation == 0:
            return Interval(self.value, self.value, level)
        return Interval(self._endpoint((1 - level) / 2), self._endpoint((1 + level) / 2), level)

    def _endpoint(self, share: float) -> float:
        z = self.bias + _NORMAL.inv_cdf(share)
        corrected = _NORMAL.cdf(self.bias + z / (1 - self.acceleration * z))
        count = len(self.draws)
        if min(corrected, 1 - corrected) * count >= TAIL_DRAWS:
            return float(np.quantile(self.draws, corrected))
        return self.mean + self.deviation * _NORMAL.inv_cdf(min(max(corrected, 1e-300), 1 - 1e-16))

    def probability_below(self, bound: float) -> float:
        """Tail probability that the truth lies below `bound`: the p-value of the claim "it does not".

        It inverts `interval`: below (1 - level) / 2 exactly where the interval's lower end lies above `bound`.
        """
        if not math.isfinite(self.deviation):
            return math.nan
        if self.deviation == 0:
            return float(self.value < bound)
        below = int(np.searchsorted(self.draws, bound, "left"))
        if min(below, len(self.draws) - below) >= TAIL_DRAWS:
            w = _NORMAL.inv_cdf(below / len(self.draws))
        else:
            w = (bound - self.mean) / self.deviation
        centred = w - self.bias
        denominator = 1 + self.acceleration * centred
        if denominator <= 0:
            return float(centred > 0)
        return _NORMAL.cdf(centred / denominator - self.bias)


def _quantile_of(share: float, count: int) -> float:
    return _NORMAL.inv_cdf(min(max(share, 0.5 / count), 1 - 0.5 / count))


def _acceleration(left_out: npt.NDArray[np.float64]) -> float:
    finite = left_out[np.isfinite(left_out)]
    if len(finite) < 3:
        return 0.0
    away = finite.mean() - finite
    spread = float((away**2).sum())
    if spread == 0:
        return 0.0
    return float(np.clip((away**3).sum() / (6 * spread**1.5), -SHAPE_LIMIT, SHAPE_LIMIT))
