"""Calibration: whether detections of score 0.8 are right in eight of ten cases.

References
----------
Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On calibration of modern neural networks. ICML. (ECE)
Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. JASA 22.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from rapideval.errors import UsageError

if TYPE_CHECKING:
    from rapideval.metrics.matches import Matches

__all__ = ["Reliability", "ReliabilityBin", "reliability"]

BINS = 10


class ReliabilityBin(msgspec.Struct, frozen=True, kw_only=True):
    """Detections with a score from `low` on and below `high` (the last bin holds 1 too)."""

    low: float
    high: float
    count: int
    score: float | None
    """Mean score; None in an empty bin, as the rest."""
    precision: float | None
    """Share that is right."""
    precision_low: float | None
    """Lower end of Wilson's interval of the share; detections are taken as independent there."""
    precision_high: float | None


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """How score and precision go together."""

    label: str | None
    """One label; None for all together."""
    iou: float
    """From which a detection is right."""
    count: int
    ece: float | None
    """Expected calibration error: mean distance of score and precision over the bins, weighted by their counts."""
    mce: float | None
    """The largest such distance."""
    bins: list[ReliabilityBin]


def reliability(
    matches: Matches, *, label: str | None = None, bins: int = BINS, iou: float | None = None, level: float = 0.95
) -> Reliability:
    """Score against precision in equal bins of score.

    Parameters
    ----------
    matches
        The table. Detections that are ignored (inside crowds) do not count.
    label
        One label; all where None.
    bins
        How many, 1 to 100.
    iou
        From which a detection is right; the protocol's reference where None.
    level
        Of the intervals of precision.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels, evaluate
    >>> images, labels = Images(["a"]), Labels(["cat"])
    >>> truth = Dataset(images, labels, Annotations([0], [0], [[0, 0, 9, 9]]))
    >>> found = Dataset(images, labels, Annotations([0, 0], [0, 0], [[0, 0, 9, 9], [50, 0, 9, 9]], [0.95, 0.35]))
    >>> table = reliability(evaluate(truth, found).matches)
    >>> [(one.low, one.count, one.precision) for one in table.bins if one.count], round(table.ece, 2)
    ([(0.3, 1, 0.0), (0.9, 1, 1.0)], 0.2)
    """
    if not 1 <= bins <= 100:
        raise UsageError(f"{bins} bins: from 1 to 100 can be made")
    counts = ~matches.is_ignored(iou)
    if label is not None:
        counts &= matches.label == matches.labels.index(label)
    score, right = matches.score[counts], matches.is_true(iou)[counts]
    place = np.clip((score * bins).astype(np.int64), 0, bins - 1)
    number = np.bincount(place, minlength=bins)
    scores = np.bincount(place, score, bins)
    hits = np.bincount(place, right, bins)
    table = [
        _bin(k / bins, (k + 1) / bins, int(number[k]), float(scores[k]), float(hits[k]), level) for k in range(bins)
    ]
    gaps = np.abs(scores - hits)
    there = number > 0
    return Reliability(
        label=label,
        iou=matches.protocol.reference_iou if iou is None else iou,
        count=int(number.sum()),
        ece=float(gaps.sum() / number.sum()) if there.any() else None,
        mce=float((gaps[there] / number[there]).max()) if there.any() else None,
        bins=table,
    )


def _bin(low: float, high: float, count: int, scores: float, hits: float, level: float) -> ReliabilityBin:
    if not count:
        nothing = {"score": None, "precision": None, "precision_low": None, "precision_high": None}
        return ReliabilityBin(low=low, high=high, count=0, **nothing)
    share = hits / count
    below, above = wilson(share, count, level)
    return ReliabilityBin(
        low=low,
        high=high,
        count=count,
        score=scores / count,
        precision=share,
        precision_low=below,
        precision_high=above,
    )


def wilson(share: float, count: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share.

    Examples
    --------
    >>> low, high = wilson(0.5, 10)
    >>> round(low, 3), round(high, 3)
    (0.237, 0.763)
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    # Rounding must not put the share itself outside: at 0 and 1 the ends are these.
    return min(max(0.0, centre - half), share), max(min(1.0, centre + half), share)
