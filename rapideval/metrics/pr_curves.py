"""Precision-recall curves at every threshold of score that there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.metrics.matches import Matches
from rapideval.metrics.operating import ratio

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PrecisionRecall", "precision_recall"]


class PrecisionRecall(NamedTuple):
    """One curve: a point for each distinct score, from the highest to the lowest.

    Attributes
    ----------
    score : float64 array of shape (P,)
        Detections of at least this score count.
    precision, recall : float64 array of shape (P,)
        NaN where undefined.
    true_positives, false_positives : int64 array of shape (P,)
    positives : int
        Objects that count.

    Examples
    --------
    >>> counts = np.array([1, 1, 2]), np.array([0, 1, 1])
    >>> score, precision, recall = np.array([0.9, 0.8, 0.3]), np.array([1, 0.5, 2 / 3]), np.array([0.5, 0.5, 1])
    >>> curve = PrecisionRecall(score, precision, recall, *counts, 2)
    >>> curve.envelope.round(3).tolist()
    [1.0, 0.667, 0.667]
    """

    score: npt.NDArray[np.float64]
    precision: npt.NDArray[np.float64]
    recall: npt.NDArray[np.float64]
    true_positives: npt.NDArray[np.int64]
    false_positives: npt.NDArray[np.int64]
    positives: int

    @property
    def envelope(self) -> npt.NDArray[np.float64]:
        """Best precision at this recall or beyond, (P,): what average precision is the area under."""
        return np.fmax.accumulate(self.precision[::-1])[::-1]

    @property
    def f1(self) -> npt.NDArray[np.float64]:
        """Harmonic mean of precision and recall, (P,)."""
        twice = 2 * self.true_positives
        return ratio(twice, self.true_positives + self.false_positives + self.positives)

    def to_pandas(self) -> pd.DataFrame:
        """A data frame with a row a point."""
        import pandas as pd

        columns = {name: getattr(self, name) for name in ("score", "precision", "recall", "envelope", "f1")}
        counts = {name: getattr(self, name) for name in ("true_positives", "false_positives")}
        return pd.DataFrame(columns | counts)

    def thinned(self, points: int = 200) -> PrecisionRecall:
        """At most about so many points, for drawing: ends and all steps of recall that can be seen stay."""
        if len(self.score) <= points:
            return self
        bins = np.floor(self.recall * points)
        keep = np.flatnonzero(np.diff(bins, append=np.inf) != 0)
        keep = np.union1d(keep, np.linspace(0, len(self.score) - 1, points // 4).astype(np.int64))
        kept: list[npt.NDArray[Any]] = [column[keep] for column in self[:5]]
        return PrecisionRecall(kept[0], kept[1], kept[2], kept[3], kept[4], self.positives)


def precision_recall(
    matches: Matches, label: str | None = None, iou: float | None = None, area: str | None = None
) -> PrecisionRecall:
    """Precision and recall at every score threshold.

    Parameters
    ----------
    matches
        The table.
    label
        One label; all detections and objects together where None (large labels then weigh more than small ones).
    iou, area
        As in `Matches.is_true`.
    """
    right, wrong = matches.is_true(iou, area), matches.is_false(iou, area)
    counting = matches.object_counts(area)
    rows: npt.NDArray[np.intp] | slice
    if label is None:
        rows = np.argsort(-matches.score, kind="stable")
        positives = int(counting.sum())
    else:
        place = matches.labels.index(label)
        if matches.protocol.class_agnostic:
            rows = np.flatnonzero(matches.label == place)
        else:
            rows = slice(int(matches.label_offsets[place]), int(matches.label_offsets[place + 1]))
        positives = int((counting & (matches.objects.label == place)).sum())
    score = matches.score[rows]
    last = np.flatnonzero(np.append(score[1:] < score[:-1], True)) if len(score) else np.empty(0, np.int64)
    tp: npt.NDArray[np.int64] = np.cumsum(right[rows], dtype=np.int64)[last]
    fp: npt.NDArray[np.int64] = np.cumsum(wrong[rows], dtype=np.int64)[last]
    return PrecisionRecall(score[last], ratio(tp, tp + fp), ratio(tp, np.full(len(last), positives)), tp, fp, positives)
