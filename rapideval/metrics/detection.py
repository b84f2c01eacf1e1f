"""Average precision and average recall, as COCO defines them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.metrics.matches import Matches
from rapideval.metrics.matching import ranks
from rapideval.metrics.protocol import Protocol
from rapideval.model import Labels
from rapideval.model.columns import Frozen

__all__ = ["Curves", "accumulate"]


class Curves(Frozen):
    """Precision and recall of every label, threshold, area range and limit; the numbers of COCO are means of these.

    Undefined values (a label without objects in an area range) are NaN.

    Attributes
    ----------
    protocol, labels
        What they were counted with. A class-agnostic evaluation has one label, ``"all labels"``.
    precision : float64 array of shape (T, R, K, A, M)
        Best precision at each recall threshold or beyond; 0 where that recall is not reached.
    recall : float64 array of shape (T, K, A, M)
        Share of the objects that are found.
    scores : float64 array of shape (T, R, K, A, M)
        Score at which the recall threshold is reached; 0 where it is not.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> from rapideval.metrics import accumulate, match
    >>> images, labels = Images(["a.jpg"]), Labels(["cat", "dog"])
    >>> truth = Dataset(images, labels, Annotations([0], [0], [[0, 0, 10, 10]]))
    >>> found = Dataset(images, labels, Annotations([0, 0], [0, 1], [[0, 0, 10, 8], [50, 50, 9, 9]], [0.9, 0.6]))
    >>> curves = accumulate(match(truth, found))
    >>> [round(ap, 3) for ap in (curves.average_precision(), curves.average_precision(iou=0.9))]
    [0.7, 0.0]
    >>> curves.average_precision(label="dog")
    nan
    """

    __slots__ = ("_order", "_precision", "_recall", "_scores", "labels", "protocol")
    protocol: Protocol
    labels: Labels
    _precision: npt.NDArray[np.float64]  # (A, M, T, R, K), -1 where undefined: as the kernel gives them
    _recall: npt.NDArray[np.float64]  # (A, M, T, K)
    _scores: npt.NDArray[np.float64]
    _order: npt.NDArray[np.int32] | None  # labels by id, where they do not stand so: the order of pycocotools' means

    def __init__(
        self,
        protocol: Protocol,
        labels: Labels,
        precision: npt.NDArray[np.float64],
        recall: npt.NDArray[np.float64],
        scores: npt.NDArray[np.float64],
    ) -> None:
        order = np.argsort(ranks(labels.ids, len(labels)), kind="stable")
        in_order = bool((order == np.arange(len(order))).all())
        self._set(
            protocol=protocol,
            labels=labels,
            _precision=precision,
            _recall=recall,
            _scores=scores,
            _order=None if in_order else order,
        )

    @property
    def precision(self) -> npt.NDArray[np.float64]:
        """(T, R, K, A, M), NaN where undefined."""
        return _nan_where_undefined(self._precision).transpose(2, 3, 4, 0, 1)

    @property
    def recall(self) -> npt.NDArray[np.float64]:
        """(T, K, A, M), NaN where undefined."""
        return _nan_where_undefined(self._recall).transpose(2, 3, 0, 1)

    @property
    def scores(self) -> npt.NDArray[np.float64]:
        """(T, R, K, A, M), NaN where undefined."""
        return _nan_where_undefined(self._scores).transpose(2, 3, 4, 0, 1)

    # --- means -----------------------------------------------------------------------------------

    def average_precision(
        self, iou: float | None = None, area: str | None = None, limit: int | None = None, label: str | None = None
    ) -> float:
        """Mean precision over recall thresholds and labels: AP; NaN where nothing is defined.

        Parameters
        ----------
        iou
            One threshold; the mean over all where None.
        area
            Name of an area range; the first where None.
        limit
            Detections of an image and label that count; the highest limit where None.
        label
            One label; the mean over all that have objects where None.
        """
        return self._mean(self._precision, iou, area, limit, label)

    def average_recall(
        self, iou: float | None = None, area: str | None = None, limit: int | None = None, label: str | None = None
    ) -> float:
        """Mean recall over labels: AR; NaN where nothing is defined. Parameters as `average_precision`."""
        return self._mean(self._recall, iou, area, limit, label)

    def _mean(
        self, values: npt.NDArray[np.float64], iou: float | None, area: str | None, limit: int | None, label: str | None
    ) -> float:
        chosen = values[self.protocol.area_place(area), self.protocol.limit_place(limit)]
        if iou is not None:
            chosen = chosen[self.protocol.threshold_place(iou)]
        if label is not None:
            chosen = chosen[..., self.labels.index(label)]
        elif self._order is not None:
            chosen = chosen[..., self._order]
        # The same values in the same order as pycocotools takes the mean of, so that it rounds alike.
        defined = chosen[chosen > -1]
        return float(np.mean(defined)) if len(defined) else float("nan")

    def by_label(
        self, metric: str = "AP", iou: float | None = None, area: str | None = None, limit: int | None = None
    ) -> npt.NDArray[np.float64]:
        """AP or AR of every label, (K,); NaN for a label without objects. Parameters as `average_precision`."""
        values = {"AP": self._precision, "AR": self._recall}[metric]
        chosen = values[self.protocol.area_place(area), self.protocol.limit_place(limit)]
        if iou is not None:
            chosen = chosen[self.protocol.threshold_place(iou)]
        flat = np.ascontiguousarray(chosen.reshape(-1, chosen.shape[-1]).T)
        # A label is defined or not at all thresholds alike.
        means = flat.mean(axis=1) if flat.shape[1] else np.full(len(flat), np.nan)
        return np.where(flat[:, 0] > -1, means, np.nan) if flat.size else means

    def summary(self) -> dict[str, float]:
        """The numbers that COCO reports, by name (`Protocol.summary_metrics`).

        Means are over the labels that have objects.
        """
        of = {"AP": self.average_precision, "AR": self.average_recall}
        return {
            name: of[one.kind](one.iou, one.area, one.limit) for name, one in self.protocol.summary_metrics().items()
        }

    def to_pycocotools(self, truth_labels: int | None = None) -> dict[str, Any]:
        """What pycocotools' ``COCOeval.eval`` holds: counts, precision, recall, scores, -1 where undefined.

        Labels stand by id; those after the first `truth_labels`, which pycocotools does not know, are left out.
        """
        order = np.arange(len(self.labels)) if self._order is None else self._order
        if truth_labels is not None:
            order = order[order < truth_labels]
        precision = np.ascontiguousarray(self._precision[..., order].transpose(2, 3, 4, 0, 1))
        return {
            "counts": list(precision.shape),
            "precision": precision,
            "recall": np.ascontiguousarray(self._recall[..., order].transpose(2, 3, 0, 1)),
            "scores": np.ascontiguousarray(self._scores[..., order].transpose(2, 3, 4, 0, 1)),
        }

    def __repr__(self) -> str:
        areas, limits, thresholds, recalls, labels = self._precision.shape
        return (
            f"Curves({labels:,} labels, {thresholds} IoU thresholds, {recalls} recalls, {areas} sizes, {limits} limits)"
        )


def accumulate(matches: Matches, threads: int = 0) -> Curves:
    """Precision and recall from a match table, the values bit-equal to pycocotools' ``COCOeval.accumulate``."""
    protocol = matches.protocol
    precision, recall, scores = _core.accumulate(
        matches.label_offsets,
        matches.score,
        matches.rank,
        matches.matched,
        matches.ignored,
        len(protocol.iou_thresholds),
        matches.positives(),
        np.array(protocol.recall_thresholds),
        np.array(protocol.limits, np.int64),
        threads,
    )
    labels = Labels(["all labels"]) if protocol.class_agnostic else matches.labels
    return Curves(protocol, labels, precision, recall, scores)


def _nan_where_undefined(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(values < 0, np.nan, values)
