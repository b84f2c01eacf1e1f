"""What can be measured on weighted draws of the images: names of metrics and how each is counted.

Every quantity is a function of an evaluation's table and of how often each image counts. Detection metrics by average
precision and recall come from one kernel; those at an operating point, calibration, and all of semantic segmentation
are sums over images, so a draw is a matrix product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import InputError, Problem
from rapideval.judge.policy import nearest
from rapideval.metrics import DetectionEvaluation, Evaluation, SemanticEvaluation
from rapideval.metrics.operating import ratio

if TYPE_CHECKING:
    from rapideval.metrics.matches import Matches

__all__ = ["Quantity", "less_is_better", "measure", "metric_names"]

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.uint16]

POINT_METRICS = ("precision", "recall", "F1")
CALIBRATION_METRICS = ("ECE",)
SEMANTIC_LABEL_METRICS = ("IoU", "Dice", "accuracy")
ECE_BINS = 10
DRAWS_AT_ONCE = 128
"""Draws held in memory together: 80 labels, 4 sizes and 10 thresholds take 3 MB for each hundred."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number to be measured.

    Attributes
    ----------
    metric
        Its name, as in `Evaluation.summary`; or ``precision``, ``recall``, ``F1``, ``ECE``; of a label of pixels
        ``IoU``, ``Dice``, ``accuracy``.
    label
        One label; None over all.
    area
        Name of an area range; None for all sizes.
    scores
        For metrics at an operating point: the score threshold of each label, or one for all.
    iou
        For those: the IoU from which a detection is right; None: the protocol's reference.
    """

    metric: str
    label: str | None = None
    area: str | None = None
    scores: tuple[float, ...] | None = None
    iou: float | None = None


def metric_names(evaluation: Evaluation, per_label: bool = False) -> list[str]:
    """Metrics that can be measured on an evaluation."""
    if isinstance(evaluation, SemanticEvaluation):
        return list(SEMANTIC_LABEL_METRICS) if per_label else list(evaluation.summary_names)
    names = list(evaluation.summary_names)
    if evaluation.protocol.class_agnostic and per_label:
        return []
    return [*names, *POINT_METRICS, *CALIBRATION_METRICS]


def less_is_better(metric: str) -> bool:
    """Whether a smaller value is the better one."""
    return metric in CALIBRATION_METRICS


def check_metric(evaluation: Evaluation, metric: str, per_label: bool) -> None:
    """Refuse a metric that there is not, with the nearest names."""
    known = metric_names(evaluation, per_label)
    if metric not in known:
        what = "no such metric" + (" of a label" if per_label else "")
        raise InputError(Problem("metric-unknown", f"metric {metric!r}", what, "a metric", nearest(metric, known)))


def measure(evaluation: Evaluation, quantities: Sequence[Quantity], weights: Weights, threads: int = 0) -> Floats:
    """Values of quantities on weighted draws.

    Parameters
    ----------
    weights : uint16 array of shape (B, I)
        How often each image counts in each draw.

    Returns
    -------
    float64 array of shape (B, Q), NaN where undefined
    """
    if isinstance(evaluation, SemanticEvaluation):
        return _measure_pixels(evaluation, quantities, weights)
    assert isinstance(evaluation, DetectionEvaluation)
    values = np.full((len(weights), len(quantities)), np.nan)
    curve = [q for q, one in enumerate(quantities) if one.metric not in (*POINT_METRICS, *CALIBRATION_METRICS)]
    if curve:
        chosen = [_curve_reader(evaluation, quantities[q]) for q in curve]
        for start in range(0, len(weights), DRAWS_AT_ONCE):
            part = slice(start, start + DRAWS_AT_ONCE)
            precision, recall = weighted(evaluation.matches, weights[part], threads)
            for q, reader in zip(curve, chosen, strict=True):
                values[part, q] = reader(precision, recall)
    points: dict[tuple[tuple[float, ...] | None, float | None, str | None], _PointCounts] = {}
    drawn = weights.astype(np.float64) if len(curve) < len(quantities) else np.empty((0, 0))
    for q, one in enumerate(quantities):
        if one.metric in POINT_METRICS:
            key = (one.scores, one.iou, one.area)
            if key not in points:
                points[key] = _PointCounts(evaluation.matches, *key)
            values[:, q] = points[key].values(one, evaluation, drawn)
        elif one.metric in CALIBRATION_METRICS:
            values[:, q] = _calibration_error(evaluation.matches, one, drawn)
    return values


def weighted(matches: Matches, weights: Weights, threads: int = 0) -> tuple[Floats, Floats]:
    """AP (B, K, A, T) and recall (B, K, A + M - 1, T) of weighted draws; see `_core.accumulate_weighted`."""
    protocol, objects = matches.protocol, matches.objects
    label = np.zeros(len(objects), np.int32) if protocol.class_agnostic else objects.label
    return _core.accumulate_weighted(
        matches.label_offsets,
        matches.score,
        matches.rank,
        matches.matched,
        matches.ignored,
        len(protocol.iou_thresholds),
        len(protocol.area_ranges),
        matches.image,
        objects.image,
        label,
        objects.ignored,
        np.array(protocol.recall_thresholds),
        np.array(protocol.limits, np.int64),
        weights,
        threads,
    )


_NAME = re.compile(r"(AP|AR)(\d+)?(?:_(.+))?$")


def _curve_reader(evaluation: DetectionEvaluation, quantity: Quantity) -> Callable[[Floats, Floats], Floats]:
    """Function of (precision, recall) of some draws that gives the quantity's values."""
    protocol = evaluation.protocol
    match = _NAME.fullmatch(quantity.metric)
    if match is None:
        raise InputError(Problem("metric-unknown", f"metric {quantity.metric!r}", "no such metric", "AP, AR, ..."))
    kind, number, area = match.groups()
    place = protocol.area_place(area or quantity.area)
    thresholds: slice | list[int] = slice(None)
    if kind == "AP" and number:
        thresholds = [protocol.threshold_place(int(number) / 100)]
    elif kind == "AR":
        limit = protocol.limit_place(int(number)) if number else len(protocol.limits) - 1
        if limit < len(protocol.limits) - 1:
            if place:
                problem = Problem(
                    "metric-size", f"metric {quantity.metric!r}", "a size", f"AR{protocol.limits[-1]} in it"
                )
                raise InputError(problem)
            place = len(protocol.area_ranges) + limit
    label = None if quantity.label is None else evaluation.labels.index(quantity.label)

    def read(precision: Floats, recall: Floats) -> Floats:
        source = (precision if kind == "AP" else recall)[:, :, place, thresholds]
        by_label: Floats = source.mean(axis=2)
        return by_label[:, label] if label is not None else _mean(by_label)

    return read


def _mean(values: Floats) -> Floats:
    """Mean over the last axis of what is defined; NaN where nothing is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1))


class _PointCounts:
    """True and false positives, and objects, by image and label, at an operating point, for one set of draws."""

    def __init__(self, matches: Matches, scores: tuple[float, ...] | None, iou: float | None, area: str | None) -> None:
        blocks, images = len(matches.label_offsets) - 1, len(matches.images)
        per_block = np.full(blocks, np.nan)
        given = (0.5,) if scores is None else scores
        # Labels that only this version has follow the ground truth's; they stand under the last threshold given.
        per_block[:] = given[-1]
        per_block[: len(given)] = given[:blocks]
        block = np.repeat(np.arange(blocks), np.diff(matches.label_offsets))
        counts = matches.score >= per_block[block]
        cell = matches.image.astype(np.int64) * blocks + block

        def table(rows: npt.NDArray[np.bool_]) -> Floats:
            return np.bincount(cell[rows], minlength=images * blocks).reshape(images, blocks).astype(np.float64)

        self.right = table(matches.is_true(iou, area) & counts)
        self.wrong = table(matches.is_false(iou, area) & counts)
        objects = matches.objects
        label = np.zeros(len(objects), np.int64) if matches.protocol.class_agnostic else objects.label.astype(np.int64)
        there = matches.object_counts(area)
        places = objects.image[there].astype(np.int64) * blocks + label[there]
        self.objects = np.bincount(places, minlength=images * blocks).reshape(images, blocks).astype(np.float64)
        self._drawn: list[Floats] | None = None

    def values(self, quantity: Quantity, evaluation: DetectionEvaluation, weights: Floats) -> Floats:
        """A quantity on each draw, (B,); weights (B, I)."""
        if self._drawn is None:
            self._drawn = [weights @ table for table in (self.right, self.wrong, self.objects)]
        if quantity.label is None:
            right, wrong, objects = (sums.sum(axis=1) for sums in self._drawn)
        else:
            place = evaluation.labels.index(quantity.label)
            right, wrong, objects = (sums[:, place] for sums in self._drawn)
        if quantity.metric == "precision":
            return ratio(right, right + wrong)
        if quantity.metric == "recall":
            return ratio(right, objects)
        return ratio(2 * right, right + wrong + objects)


def _calibration_error(matches: Matches, quantity: Quantity, weights: Floats) -> Floats:
    """Expected calibration error over ten equal bins of score, (B,)."""
    counts = ~matches.is_ignored(quantity.iou, quantity.area)
    if quantity.label is not None:
        counts &= matches.label == matches.labels.index(quantity.label)
    bins = np.clip((matches.score[counts] * ECE_BINS).astype(np.int64), 0, ECE_BINS - 1)
    cell = matches.image[counts].astype(np.int64) * ECE_BINS + bins
    shape = (len(matches.images), ECE_BINS)

    def table(values: npt.NDArray[np.float64] | None) -> Floats:
        flat = np.bincount(cell, values, minlength=shape[0] * shape[1]).reshape(shape)
        return weights @ flat

    number = table(None)
    gap = np.abs(
        table(matches.score[counts]) - table(matches.is_true(quantity.iou, quantity.area)[counts].astype(float))
    )
    return ratio(gap.sum(axis=1), number.sum(axis=1))


def _measure_pixels(evaluation: SemanticEvaluation, quantities: Sequence[Quantity], weights: Weights) -> Floats:
    matches = evaluation.matches
    values = np.full((len(weights), len(quantities)), np.nan)
    for start in range(0, len(weights), DRAWS_AT_ONCE):
        part = slice(start, start + DRAWS_AT_ONCE)
        drawn = weights[part].astype(np.float64)
        summary = matches.summary(drawn)
        truth, predicted, both = matches.totals(drawn)
        for q, one in enumerate(quantities):
            if one.label is None:
                values[part, q] = summary[one.metric]
                continue
            k = evaluation.labels.index(one.label)
            t, p, b = truth[:, k], predicted[:, k], both[:, k]
            whole = {"IoU": t + p - b, "Dice": (t + p) / 2, "accuracy": t}[one.metric]
            with np.errstate(invalid="ignore", divide="ignore"):
                values[part, q] = np.where(whole > 0, b / whole, np.nan)
    return values
