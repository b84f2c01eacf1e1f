"""Precision, recall and F1 at an operating point: detections of at least some score count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.metrics.matches import Matches
from rapideval.model.columns import distinct

__all__ = ["BestPoints", "OperatingPoint", "best_f1", "operating_point", "precision_thresholds", "ratio"]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


class OperatingPoint(NamedTuple):
    """Counts of every label, (K,); one for all where the matching is class-agnostic.

    Attributes
    ----------
    score
        The score from which detections count, of each label.
    true_positives, false_positives, false_negatives
        Detections that are right and wrong, and objects that are not found.

    Examples
    --------
    >>> point = OperatingPoint(np.array([0.5]), np.array([3]), np.array([1]), np.array([2]))
    >>> point.precision.tolist(), point.recall.tolist(), point.f1.round(3).tolist()
    ([0.75], [0.6], [0.667])
    >>> point.total.f1.round(3).tolist()
    [0.667]
    """

    score: Floats
    true_positives: Counts
    false_positives: Counts
    false_negatives: Counts

    @property
    def precision(self) -> Floats:
        """Share of the detections that are right; NaN where there are none."""
        return ratio(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> Floats:
        """Share of the objects that are found; NaN where there are none."""
        return ratio(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def f1(self) -> Floats:
        """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); NaN where there is nothing at all."""
        twice = 2 * self.true_positives
        return ratio(twice, twice + self.false_positives + self.false_negatives)

    @property
    def total(self) -> OperatingPoint:
        """All labels together: their counts summed, (1,). The score is NaN where they differ."""
        score = self.score[:1] if len(distinct(self.score)) == 1 else np.array([np.nan])
        return OperatingPoint(score, *(np.array([counts.sum()]) for counts in self[1:]))


class BestPoints(NamedTuple):
    """The score of best F1 of every label, (K,), and what it gives; NaN for a label without objects or detections."""

    score: Floats
    precision: Floats
    recall: Floats
    f1: Floats


def operating_point(
    matches: Matches, score: float | Floats = 0.5, iou: float | None = None, area: str | None = None
) -> OperatingPoint:
    """Count right and wrong detections from some score on, and objects not found.

    Detections are matched by falling score, so those below the score have no part in it.

    Parameters
    ----------
    matches
        The table.
    score
        Detections of at least this score count: one for all labels, or (K,) one for each.
    iou, area
        As in `Matches.is_true`.
    """
    blocks = len(matches.label_offsets) - 1
    scores = np.broadcast_to(np.asarray(score, np.float64), (blocks,))
    counts = matches.score >= np.repeat(scores, np.diff(matches.label_offsets))
    right = _per_block(matches, matches.is_true(iou, area) & counts)
    wrong = _per_block(matches, matches.is_false(iou, area) & counts)
    positives = matches.positives()[:, matches.protocol.area_place(area)]
    return OperatingPoint(scores, right, wrong, positives - right)


def best_f1(matches: Matches, iou: float | None = None, area: str | None = None) -> BestPoints:
    """The score threshold of best F1, label by label; the highest such where several are equal.

    Counted at real thresholds: all detections of one score count, or none. The interpolated precision-recall curve
    would promise more than any threshold gives.
    """
    best = np.full((4, len(matches.label_offsets) - 1), np.nan)
    for block, points in enumerate(_thresholds(matches, iou, area)):
        if points is not None:
            at = int(points.f1.argmax())
            best[:, block] = points.score[at], points.precision[at], points.recall[at], points.f1[at]
    return BestPoints(*best)


def precision_thresholds(
    matches: Matches, target: float, iou: float | None = None, area: str | None = None
) -> BestPoints:
    """The lowest score threshold that gives at least a target precision, label by label: the most recall it costs.

    NaN for a label that reaches it at no threshold.

    Parameters
    ----------
    target
        Precision to be reached, above 0 and at most 1.
    iou, area
        As in `Matches.is_true`.
    """
    if not 0 < target <= 1:
        raise UsageError(f"a target precision of {target:g}: it is above 0 and at most 1")
    best = np.full((4, len(matches.label_offsets) - 1), np.nan)
    for block, points in enumerate(_thresholds(matches, iou, area)):
        if points is None:
            continue
        reached = np.flatnonzero(points.precision >= target)
        if len(reached):
            at = int(reached[-1])
            best[:, block] = points.score[at], points.precision[at], points.recall[at], points.f1[at]
    return BestPoints(*best)


def _thresholds(matches: Matches, iou: float | None, area: str | None) -> Iterator[BestPoints | None]:
    """What each threshold of each label gives, from the highest on; None for a label without objects or detections.

    Counted at real thresholds: all detections of one score count, or none.
    """
    right = np.concatenate([[0], np.cumsum(matches.is_true(iou, area))])
    wrong = np.concatenate([[0], np.cumsum(matches.is_false(iou, area))])
    positives = matches.positives()[:, matches.protocol.area_place(area)]
    for block, count in enumerate(positives.tolist()):
        begin, end = matches.label_offsets[block : block + 2].tolist()
        if not count or begin == end:
            yield None
            continue
        score = matches.score[begin:end]
        last = np.flatnonzero(np.append(score[1:] < score[:-1], True))  # of each run of equal scores
        tp = right[begin + 1 + last] - right[begin]
        fp = wrong[begin + 1 + last] - wrong[begin]
        yield BestPoints(score[last], ratio(tp, tp + fp), tp / count, 2 * tp / (tp + fp + count))


def ratio(part: npt.NDArray[Any], whole: npt.NDArray[np.int64]) -> Floats:
    """Part / whole, NaN where the whole is 0."""
    result = np.full(np.broadcast(part, whole).shape, np.nan)
    np.divide(part, whole, out=result, where=whole > 0)
    return result


def _per_block(matches: Matches, rows: npt.NDArray[np.bool_]) -> Counts:
    before = np.concatenate([[0], np.cumsum(rows)])
    counts: Counts = np.diff(before[matches.label_offsets])
    return counts
