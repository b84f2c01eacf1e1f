"""Average precision as Pascal VOC defines it: at one IoU threshold, over eleven points or over every point."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.metrics.matches import Matches

__all__ = ["VocAP", "voc_average_precision"]

Method = Literal["every point", "11 points"]


class VocAP(NamedTuple):
    """AP of each label, and their mean.

    Attributes
    ----------
    ap : float64 array of shape (K,)
        NaN for a label without objects.
    mean : float
        Over the labels that have objects.
    """

    ap: npt.NDArray[np.float64]
    mean: float


def voc_average_precision(matches: Matches, iou: float = 0.5, method: Method = "every point") -> VocAP:
    """Pascal VOC's AP, from the match table.

    VOC assigns a detection to the object it overlaps best, taken or not: where a surer detection has it already, the
    second is a false positive, while COCO's matching would give it the next best object. The table tells every
    detection's best object, so both can be counted from it. What COCO's matching gives to an ignored object (a crowd,
    VOC's difficult) and what does not reach another one is left out.

    Parameters
    ----------
    matches
        Its protocol's highest limit should not cut detections off: VOC has none.
    iou
        Any threshold from the protocol's `iou_floor` on.
    method
        ``"every point"``: the area under the envelope of the curve (VOC 2010 and later); ``"11 points"``: the mean of
        the envelope at recall 0, 0.1, ..., 1 (VOC 2007).

    References
    ----------
    Everingham, M. et al. (2010). The Pascal Visual Object Classes (VOC) challenge. IJCV 88.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> from rapideval.metrics import match
    >>> images, labels = Images(["a.jpg"]), Labels(["cat"])
    >>> truth = Dataset(images, labels, Annotations([0, 0], [0, 0], [[0, 0, 10, 10], [50, 50, 10, 10]]))
    >>> boxes = [[0, 0, 10, 10], [80, 0, 10, 10], [50, 50, 10, 8]]
    >>> table = match(truth, Dataset(images, labels, Annotations([0] * 3, [0] * 3, boxes, [0.9, 0.8, 0.7])))
    >>> round(voc_average_precision(table).mean, 4), round(voc_average_precision(table, method="11 points").mean, 4)
    (0.8333, 0.8485)
    """
    if matches.protocol.class_agnostic:
        raise UsageError("VOC's AP is an average over labels: evaluate with labels")
    if iou < matches.protocol.iou_floor:
        raise UsageError(f"IoU {iou:g} is below the floor of {matches.protocol.iou_floor:g}: evaluate with a lower one")
    if method not in ("every point", "11 points"):
        raise UsageError(f"no method {method!r}: there are 'every point' and '11 points'")
    right, counts = _assign(matches, iou)
    positives = np.bincount(matches.objects.label[matches.object_counts()], minlength=len(matches.labels))
    average = _area if method == "every point" else _eleven_points
    ap = np.full(len(matches.labels), np.nan)
    for label in np.flatnonzero(positives).tolist():
        rows = slice(int(matches.label_offsets[label]), int(matches.label_offsets[label + 1]))
        hits = right[rows][counts[rows]]
        recall = np.cumsum(hits) / positives[label]
        precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
        envelope = np.maximum.accumulate(precision[::-1])[::-1]
        ap[label] = average(recall, envelope)
    defined = ap[~np.isnan(ap)]
    return VocAP(ap, float(defined.mean()) if len(defined) else float("nan"))


def _assign(matches: Matches, iou: float) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Which detections are right, and which count at all, (D,)."""
    reaches = (matches.iou >= iou) & (matches.iou_row >= 0)
    rows = np.flatnonzero(reaches)
    # Rows of a label stand by falling score, so the first of an object's rows is its surest.
    _, first = np.unique(matches.iou_row[rows], return_index=True)
    right = np.zeros(len(matches), np.bool_)
    right[rows[first]] = True
    on_ignored = matches.is_matched() & matches.is_ignored() & (matches.matched_iou >= iou)
    return right, reaches | ~on_ignored


def _area(recall: npt.NDArray[np.float64], envelope: npt.NDArray[np.float64]) -> float:
    return float((np.diff(recall, prepend=0.0) * envelope).sum())


def _eleven_points(recall: npt.NDArray[np.float64], envelope: npt.NDArray[np.float64]) -> float:
    # recall >= k / 10, free of the rounding of both: the reference's arange(0, 1.1, 0.1) would miss some.
    place = np.searchsorted(recall + 1e-12, np.arange(11) / 10)
    return float(np.append(envelope, 0.0)[place].sum() / 11)
