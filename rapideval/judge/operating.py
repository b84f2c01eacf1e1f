"""Operating points with their uncertainty: which threshold production should use, and what a new version does to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.judge.intervals import Bootstrap
from rapideval.judge.quantities import POINT_METRICS, Quantity
from rapideval.judge.resample import measure_pair
from rapideval.metrics import DetectionEvaluation, best_f1
from rapideval.metrics.document import LabelPoint, Range
from rapideval.metrics.numbers import Number
from rapideval.metrics.operating import BestPoints, operating_point, precision_thresholds

if TYPE_CHECKING:
    from rapideval.metrics.matches import Matches

__all__ = ["PointChange", "label_points", "point_changes"]

Floats = npt.NDArray[np.float64]
DRAWS = 200


class PointChange(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a label if production keeps the baseline's threshold, and what its own would give."""

    label: str
    score: Number
    """The baseline's threshold of best F1."""
    baseline_precision: Number
    baseline_recall: Number
    baseline_f1: Number
    precision: Number
    """Of the candidate at the baseline's threshold, as the two that follow."""
    recall: Number
    f1: Number
    f1_difference: Range
    """Candidate minus baseline, both at the baseline's threshold."""
    own_score: Number
    """The candidate's threshold of best F1."""
    own_f1: Number
    """What the candidate reaches there."""


def label_points(
    evaluation: DetectionEvaluation,
    *,
    target_precision: float | None = None,
    iou: float | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
    threads: int = 0,
) -> list[LabelPoint]:
    """The operating point of each label of the ground truth, with bootstrap intervals over images.

    Parameters
    ----------
    evaluation
        Of boxes or masks.
    target_precision
        The lowest threshold that reaches this precision; that of best F1 where None.
    iou
        From which a detection is right; the protocol's reference where None.
    draws, seed, level
        Of the intervals.
    """
    matches = evaluation.matches

    def chosen(table: Matches) -> BestPoints:
        return best_f1(table, iou) if target_precision is None else precision_thresholds(table, target_precision, iou)

    best = chosen(matches)
    labels = evaluation.labels.names[: len(best.score)]
    known = min(evaluation.truth_labels, len(labels))
    moved = _moved_thresholds(matches, target_precision, iou, draws, seed)
    scores = tuple(1.0 if np.isnan(value) else value for value in best.score[:known].tolist()) or (1.0,)
    wanted = [Quantity(metric, label, None, scores, iou) for label in labels[:known] for metric in POINT_METRICS]
    measured = measure_pair(evaluation, evaluation, wanted, draws=max(draws, 200), seed=seed, threads=threads)
    points = []
    for k in range(known):
        ranges = [_own_range(measured[3 * k + m].baseline, measured[3 * k + m].baseline_draws, level) for m in range(3)]
        if np.isnan(best.score[k]):
            ranges = [Range(np.nan, np.nan, np.nan)] * 3
        points.append(
            LabelPoint(
                label=labels[k],
                score=_own_range(float(best.score[k]), moved[:, k], level),
                precision=ranges[0],
                recall=ranges[1],
                f1=ranges[2],
            )
        )
    return points


def _own_range(value: float, draws: Floats, level: float) -> Range:
    """With the interval of draws; scores and shares lie between 0 and 1, and so do its ends."""
    interval = Bootstrap(value, draws).interval(level)
    return Range(value, max(interval.low, 0.0), min(interval.high, 1.0))


def _moved_thresholds(matches: Matches, target: float | None, iou: float | None, draws: int, seed: int) -> Floats:
    """Threshold of each label on each draw of the images, (B, K)."""
    weights = _core.bootstrap_weights(seed, 0, draws, len(matches.images)).astype(np.float64)
    right, wrong = matches.is_true(iou), matches.is_false(iou)
    objects = matches.objects
    there = matches.object_counts()
    block_of = np.zeros(len(objects), np.int64) if matches.protocol.class_agnostic else objects.label
    moved = np.full((draws, len(matches.label_offsets) - 1), np.nan)
    for block in range(moved.shape[1]):
        begin, end = matches.label_offsets[block : block + 2].tolist()
        mine = there & (block_of == block)
        if begin == end or not mine.any():
            continue
        score = matches.score[begin:end]
        last = np.flatnonzero(np.append(score[1:] < score[:-1], True))
        count = weights[:, objects.image[mine]].sum(axis=1)
        image = matches.image[begin:end]
        for draw in range(draws):
            drawn = weights[draw, image]
            tp = np.cumsum(drawn * right[begin:end])[last]
            fp = np.cumsum(drawn * wrong[begin:end])[last]
            moved[draw, block] = _threshold(score[last], tp, fp, count[draw], target)
    return moved


def _threshold(score: Floats, tp: Floats, fp: Floats, count: float, target: float | None) -> float:
    if not count or not tp[-1]:
        return np.nan
    if target is None:
        return float(score[int((2 * tp / (tp + fp + count)).argmax())])
    reached = np.flatnonzero((tp >= target * (tp + fp)) & (tp + fp > 0))
    return float(score[reached[-1]]) if len(reached) else np.nan


def point_changes(
    baseline: DetectionEvaluation,
    candidate: DetectionEvaluation,
    *,
    iou: float | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    level: float = 0.95,
    threads: int = 0,
) -> list[PointChange]:
    """What the candidate gives at the baseline's thresholds of best F1, label by label, and at its own."""
    if baseline.protocol.class_agnostic:
        return []
    before, own = best_f1(baseline.matches, iou), best_f1(candidate.matches, iou)
    known = baseline.truth_labels
    kept = np.where(np.isnan(before.score[:known]), 0.5, before.score[:known])
    labels = baseline.labels.names[:known]
    if not known:
        return []
    wanted: Sequence[Quantity] = [Quantity("F1", label, None, tuple(kept.tolist()), iou) for label in labels]
    measured = measure_pair(baseline, candidate, wanted, draws=max(draws, 200), seed=seed, threads=threads)
    at = [operating_point(e.matches, _filled(kept, e), iou) for e in (baseline, candidate)]
    changes = []
    for k, label in enumerate(labels):
        interval = measured[k].gain().interval(level)
        changes.append(
            PointChange(
                label=label,
                score=float(before.score[k]),
                baseline_precision=float(at[0].precision[k]),
                baseline_recall=float(at[0].recall[k]),
                baseline_f1=float(at[0].f1[k]),
                precision=float(at[1].precision[k]),
                recall=float(at[1].recall[k]),
                f1=float(at[1].f1[k]),
                f1_difference=Range(measured[k].candidate - measured[k].baseline, interval.low, interval.high),
                own_score=float(own.score[k]),
                own_f1=float(own.f1[k]),
            )
        )
    return changes


def _filled(kept: Floats, evaluation: DetectionEvaluation) -> Floats:
    """A threshold for every label: those that only this version has stand under the last one."""
    blocks = len(evaluation.matches.label_offsets) - 1
    return np.concatenate([kept, np.full(blocks - len(kept), kept[-1])])
