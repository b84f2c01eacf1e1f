"""One row a label: how much there is of it, and how well it is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.metrics.detection import Curves
from rapideval.metrics.label_table import LabelTable
from rapideval.metrics.matches import Matches
from rapideval.metrics.operating import best_f1, operating_point, ratio
from rapideval.model.columns import distinct

__all__ = ["per_label"]


def per_label(matches: Matches, curves: Curves, score: float = 0.5, iou: float | None = None) -> LabelTable:
    """Table of all labels; those that only the predictions have are in it, with their false positives.

    Parameters
    ----------
    matches, curves
        Of one evaluation.
    score, iou
        The operating point: detections of at least this score count, objects are found from this IoU on (the
        protocol's reference where None).

    Returns
    -------
    LabelTable
        Columns ``label``; ``objects`` (that count), ``ignored_objects``, ``images`` (with objects that count),
        ``detections``; ``AP``, ``AP50``, ``AP75`` (as far as the protocol has them), ``AP_<size>``, ``AR``; at the
        operating point ``true_positives``, ``false_positives``, ``false_negatives``, ``precision``, ``recall``,
        ``F1``, and ``mean_iou`` of its true positives with the objects they are matched to at the protocol's
        reference; ``best_score``, ``best_precision``, ``best_recall``, ``best_F1``.
    """
    protocol = matches.protocol
    point, best = operating_point(matches, score, iou), best_f1(matches, iou)
    counting = matches.object_counts()
    blocks = len(matches.label_offsets) - 1
    label = np.zeros(len(counting), np.int64) if protocol.class_agnostic else matches.objects.label.astype(np.int64)
    pairs = distinct(label[counting] * len(matches.images) + matches.objects.image[counting])
    columns: dict[str, npt.NDArray[Any]] = {
        "label": np.array(curves.labels.names, object),
        "objects": np.bincount(label[counting], minlength=blocks),
        "ignored_objects": np.bincount(label[~counting], minlength=blocks),
        "images": np.bincount(pairs // max(len(matches.images), 1), minlength=blocks),
        "detections": np.diff(matches.label_offsets),
        "AP": curves.by_label("AP"),
    }
    for percent in (50, 75):
        if any(abs(threshold - percent / 100) < 1e-12 for threshold in protocol.iou_thresholds):
            columns[f"AP{percent}"] = curves.by_label("AP", iou=percent / 100)
    for area in protocol.area_ranges[1:]:
        columns[f"AP_{area.name}"] = curves.by_label("AP", area=area.name)
    columns |= {
        "AR": curves.by_label("AR"),
        "true_positives": point.true_positives,
        "false_positives": point.false_positives,
        "false_negatives": point.false_negatives,
        "precision": point.precision,
        "recall": point.recall,
        "F1": point.f1,
        "mean_iou": _mean_iou(matches, score, iou),
        "best_score": best.score,
        "best_precision": best.precision,
        "best_recall": best.recall,
        "best_F1": best.f1,
    }
    threshold = protocol.iou_thresholds[protocol.threshold_place(iou)]
    return LabelTable(columns, f"at score {score:g} and IoU {threshold:g}")


def _mean_iou(matches: Matches, score: float, iou: float | None) -> npt.NDArray[np.float64]:
    """Mean IoU of the true positives at the operating point with the objects they are matched to at the reference."""
    right = matches.is_true(iou) & (matches.score >= score) & (matches.matched_row >= 0)
    sums = np.concatenate([[0.0], np.cumsum(np.where(right, matches.matched_iou, 0.0))])
    counts = np.concatenate([[0], np.cumsum(right)])
    offsets = matches.label_offsets
    return ratio(np.diff(sums[offsets]), np.diff(counts[offsets]))
