"""One row a label: how much there is of it, and how well it is found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rapideval.metrics.detection import Curves
from rapideval.metrics.matches import Matches
from rapideval.metrics.operating import best_f1, operating_point, ratio
from rapideval.model.columns import Frozen

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LabelTable", "per_label"]


class LabelTable(Frozen):
    """Columns of one row a label, in the order of the evaluation's labels.

    Attributes
    ----------
    columns : dict of str to array of shape (K,)
        ``label``; ``objects`` (that count), ``ignored_objects``, ``images`` (with objects that count), ``detections``;
        ``AP``, ``AP50``, ``AP75`` (as far as the protocol has them), ``AP_<size>``, ``AR``; at the operating point
        ``true_positives``, ``false_positives``, ``false_negatives``, ``precision``, ``recall``, ``F1``, and
        ``mean_iou`` of its true positives with their objects; ``best_score``, ``best_precision``, ``best_recall``,
        ``best_F1``. Undefined values are NaN.
    score, iou
        The operating point.
    """

    __slots__ = ("columns", "iou", "score")
    columns: dict[str, npt.NDArray[Any]]
    score: float
    iou: float

    def __init__(self, columns: dict[str, npt.NDArray[Any]], score: float, iou: float) -> None:
        self._set(columns=columns, score=score, iou=iou)

    def __len__(self) -> int:
        return len(self.columns["label"])

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self.columns[name]

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as dictionaries of plain values."""
        for values in zip(*(column.tolist() for column in self.columns.values()), strict=True):
            yield dict(zip(self.columns, values, strict=True))

    def to_pandas(self) -> pd.DataFrame:
        """A data frame, indexed by label."""
        import pandas as pd

        return pd.DataFrame(self.columns).set_index("label")

    def __repr__(self) -> str:
        return f"LabelTable({len(self):,} labels, at score {self.score:g} and IoU {self.iou:g})"

    def _repr_html_(self) -> str:
        return str(self.to_pandas().to_html())


def per_label(matches: Matches, curves: Curves, score: float = 0.5, iou: float | None = None) -> LabelTable:
    """Table of all labels; those that only the predictions have are in it, with their false positives.

    Parameters
    ----------
    matches, curves
        Of one evaluation.
    score, iou
        The operating point: detections of at least this score count, objects are found from this IoU on (the
        protocol's reference where None).
    """
    protocol = matches.protocol
    point, best = operating_point(matches, score, iou), best_f1(matches, iou)
    counting = matches.object_counts()
    blocks = len(matches.label_offsets) - 1
    label = np.zeros(len(counting), np.int64) if protocol.class_agnostic else matches.objects.label.astype(np.int64)
    pairs = np.unique(label[counting] * len(matches.images) + matches.objects.image[counting])
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
    return LabelTable(columns, score, protocol.iou_thresholds[protocol.threshold_place(iou)])


def _mean_iou(matches: Matches, score: float, iou: float | None) -> npt.NDArray[np.float64]:
    """Mean IoU of the true positives at the operating point with the objects they are matched to at the reference."""
    right = matches.is_true(iou) & (matches.score >= score) & (matches.matched_row >= 0)
    sums = np.concatenate([[0.0], np.cumsum(np.where(right, matches.matched_iou, 0.0))])
    counts = np.concatenate([[0], np.cumsum(right)])
    offsets = matches.label_offsets
    return ratio(np.diff(sums[offsets]), np.diff(counts[offsets]))
