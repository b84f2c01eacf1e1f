"""What two answers to one image have in common: their annotations, paired one to one by overlap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import UsageError
from rapideval.model import Annotations, Dataset

__all__ = ["Pairs", "pair"]


class Pairs(NamedTuple):
    """Annotations of two datasets that are about one image.

    Attributes
    ----------
    left, right
        Rows of each pair.
    iou
        Overlap of each pair.
    same_label
        Whether both have one label.
    only_left, only_right
        Rows without a counterpart.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    iou: npt.NDArray[np.float64]
    same_label: npt.NDArray[np.bool_]
    only_left: npt.NDArray[np.int64]
    only_right: npt.NDArray[np.int64]


def pair(left: Dataset, right: Dataset, iou: float = 0.5) -> Pairs:
    """Pair the annotations of two answers to one image, those of one label first, the largest overlap first.

    Masks are compared where all annotations have one, else boxes. What is left over is then paired across labels, so
    that an object that only changed its label is told from one that is new.

    Parameters
    ----------
    left, right
        Answers to the same image; labels are joined by name.
    iou
        The least overlap of a pair, above 0 and at most 1.

    Examples
    --------
    >>> from rapideval import Annotations, Images, Labels
    >>> image, labels = Images(["a.jpg"]), Labels(["cat", "dog"])
    >>> one = Dataset(image, labels, Annotations([0, 0], [0, 1], [[0, 0, 10, 10], [50, 0, 10, 10]]))
    >>> two = Dataset(image, labels, Annotations([0, 0], [0, 0], [[1, 0, 10, 10], [90, 0, 10, 10]]))
    >>> found = pair(one, two)
    >>> found.left.tolist(), found.right.tolist(), found.only_left.tolist(), found.only_right.tolist()
    ([0], [0], [1], [1])
    """
    if not 0 < iou <= 1:
        raise UsageError(f"an iou of {iou}: it is above 0 and at most 1")
    overlap = _overlap(left.annotations, right.annotations)
    names = {name: place for place, name in enumerate(dict.fromkeys((*left.labels.names, *right.labels.names)))}
    label_left, label_right = (
        np.array([names[name] for name in side.labels.names], np.int64)[side.annotations.label]
        if len(side)
        else np.empty(0, np.int64)
        for side in (left, right)
    )
    same = label_left[:, None] == label_right[None, :]
    free_left, free_right = np.ones(len(left), np.bool_), np.ones(len(right), np.bool_)
    pairs: list[tuple[int, int]] = []
    for wanted in (same, ~same):
        rows, columns = np.nonzero(wanted & (overlap >= iou))
        for place in np.argsort(-overlap[rows, columns], kind="stable").tolist():
            row, column = int(rows[place]), int(columns[place])
            if free_left[row] and free_right[column]:
                free_left[row] = free_right[column] = False
                pairs.append((row, column))
    rows, columns = np.array(pairs, np.int64).reshape(-1, 2).T
    return Pairs(
        rows,
        columns,
        overlap[rows, columns],
        same[rows, columns],
        np.flatnonzero(free_left),
        np.flatnonzero(free_right),
    )


def _overlap(left: Annotations, right: Annotations) -> npt.NDArray[np.float64]:
    """IoU of every annotation with every other (N, M)."""
    if left.masks is not None and right.masks is not None:
        there = left.masks.present.all() and right.masks.present.all()
        sizes = {tuple(size) for side in (left.masks, right.masks) for size in side.sizes.tolist()}
        if there and len(sizes) <= 1:
            return left.masks.iou(right.masks)
    return _core.box_iou_matrix(left.box, right.box, np.zeros(len(right), np.bool_))
