"""Semantic segmentation: which label stands at each pixel, compared on run lengths.

The masks of an image are painted in the order of their rows, a later one covers an earlier one; with scores, in rising
order of score, so that the surest is seen. How many pixels were painted more than once is counted and kept.

References
----------
Long, J., Shelhamer, E. and Darrell, T. (2015). Fully convolutional networks for semantic segmentation. CVPR
(pixel accuracy, mean accuracy, mean IoU, frequency-weighted IoU).
Dice, L. R. (1945). Measures of the amount of ecologic association between species. Ecology 26.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import EvaluationError, InputError, Problem
from rapideval.metrics.label_table import LabelTable
from rapideval.model import Dataset, Labels, Masks
from rapideval.model.columns import Frozen, column, refuse

__all__ = ["SemanticMatches", "match_semantic"]

Unlabelled = Literal["background", "ignore"]


class SemanticMatches(Frozen):
    """Pixels by image and label, on which every semantic metric rests.

    Parameters
    ----------
    labels
        The K labels. In ``label`` and ``confusion``, place K stands for background: pixels without a label.
    images
        Number of images I.
    image, label : int32 array of shape (R,)
        A row for each image and label that stands in it, on either side; rising by image, then label.
    truth, predicted, intersection : int64 array of shape (R,)
        Pixels of the label in the ground truth, in the predictions, in both.
    confusion : int64 array of shape (K + 1, K + 1)
        Pixels by label in the ground truth and in the predictions.
    ignored : int64 array of shape (I,)
        Pixels left out.
    covered : int64 array of shape (I, 2)
        Pixels painted more than once, in the ground truth and in the predictions.
    """

    __slots__ = (
        "confusion",
        "covered",
        "ignored",
        "image",
        "images",
        "intersection",
        "label",
        "labels",
        "predicted",
        "truth",
    )
    labels: Labels
    images: int
    image: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    truth: npt.NDArray[np.int64]
    predicted: npt.NDArray[np.int64]
    intersection: npt.NDArray[np.int64]
    confusion: npt.NDArray[np.int64]
    ignored: npt.NDArray[np.int64]
    covered: npt.NDArray[np.int64]

    def __init__(
        self,
        labels: Labels,
        images: int,
        image: npt.ArrayLike,
        label: npt.ArrayLike,
        truth: npt.ArrayLike,
        predicted: npt.ArrayLike,
        intersection: npt.ArrayLike,
        confusion: npt.ArrayLike,
        ignored: npt.ArrayLike,
        covered: npt.ArrayLike,
    ) -> None:
        rows = column(image, np.int32, "image")
        for name, places, count in (("image", rows, images), ("label", np.asarray(label), len(labels) + 1)):
            if len(places) and (places.min() < 0 or places.max() >= count):
                refuse("column-range", name, f"{places.min()} to {places.max()}", f"from 0 to below {count}")
        self._set(
            labels=labels,
            images=images,
            image=rows,
            label=column(label, np.int32, "label", len(rows)),
            truth=column(truth, np.int64, "truth", len(rows)),
            predicted=column(predicted, np.int64, "predicted", len(rows)),
            intersection=column(intersection, np.int64, "intersection", len(rows)),
            confusion=column(confusion, np.int64, "confusion", len(labels) + 1, len(labels) + 1),
            ignored=column(ignored, np.int64, "ignored", images),
            covered=column(covered, np.int64, "covered", images, 2),
        )

    def totals(
        self, weights: npt.NDArray[np.float64] | None = None
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Pixels by label, background last: truth, predicted, intersection.

        Parameters
        ----------
        weights : float64 array of shape (I,) or (B, I), optional
            How often each image counts, for one or B draws.

        Returns
        -------
        Three float64 arrays of shape (K + 1,) or (B, K + 1), exact up to 2**53 pixels.
        """
        weights = np.ones(self.images) if weights is None else np.asarray(weights, np.float64)
        places = len(self.labels) + 1
        per_row = weights[..., self.image]
        # Rows of one label laid together, so that a draw is a sum over each label's slice.
        order = np.argsort(self.label, kind="stable")
        starts = np.searchsorted(self.label[order], np.arange(places))
        sums = []
        for values in (self.truth, self.predicted, self.intersection):
            weighted = (per_row * values)[..., order]
            padded = np.concatenate([np.zeros((*weighted.shape[:-1], 1)), np.cumsum(weighted, axis=-1)], axis=-1)
            ends = np.append(starts[1:], len(order))
            sums.append(padded[..., ends] - padded[..., starts])
        return sums[0], sums[1], sums[2]

    def iou(self, weights: npt.NDArray[np.float64] | None = None) -> npt.NDArray[np.float64]:
        """IoU of each label (K,), or (B, K) for B draws; NaN for a label that stands nowhere."""
        truth, predicted, both = (part[..., :-1] for part in self.totals(weights))
        return _ratio(both, truth + predicted - both)

    def summary(self, weights: npt.NDArray[np.float64] | None = None) -> dict[str, Any]:
        """Metrics over all labels; floats, or float64 arrays (B,) for B draws.

        - ``mIoU``, ``mDice``: means over the labels that stand anywhere, on either side;
        - ``fwIoU``: IoU weighted by the ground truth's pixels of the label;
        - ``pixel accuracy``: share of pixels, background among them, that bear the right label;
        - ``mean accuracy``: mean over the ground truth's labels of the share of their pixels found.
        """
        truth, predicted, both = self.totals(weights)
        known, guessed, right = truth[..., :-1], predicted[..., :-1], both[..., :-1]
        iou = _ratio(right, known + guessed - right)
        values = {
            "mIoU": _mean(iou),
            "mDice": _mean(_ratio(2 * right, known + guessed)),
            "fwIoU": _ratio((np.nan_to_num(iou) * known).sum(axis=-1), known.sum(axis=-1)),
            "pixel accuracy": _ratio(both.sum(axis=-1), truth.sum(axis=-1)),
            "mean accuracy": _mean(_ratio(right, known)),
        }
        return {name: float(value) if np.ndim(value) == 0 else value for name, value in values.items()}

    def per_label(self) -> LabelTable:
        """A row per label: IoU, Dice, accuracy (recall), precision, images of the label, and pixels of each kind."""
        truth, predicted, both = (part[:-1] for part in self.totals())
        images = np.bincount(self.label[self.truth > 0], minlength=len(self.labels) + 1)
        columns: dict[str, npt.NDArray[Any]] = {
            "label": np.array(self.labels.names, object),
            "IoU": _ratio(both, truth + predicted - both),
            "Dice": _ratio(2 * both, truth + predicted),
            "accuracy": _ratio(both, truth),
            "precision": _ratio(both, predicted),
            "images": images[:-1],
            "truth": truth.astype(np.int64),
            "predicted": predicted.astype(np.int64),
            "intersection": both.astype(np.int64),
        }
        return LabelTable(columns, "pixels")

    def image_iou(self) -> npt.NDArray[np.float64]:
        """Mean IoU of the labels that stand in each image, (I,); NaN for an image without any."""
        known = self.label < len(self.labels)
        image = self.image[known]
        union = (self.truth + self.predicted - self.intersection)[known]
        iou = _ratio(self.intersection[known].astype(np.float64), union.astype(np.float64))
        sums = np.bincount(image, iou, minlength=self.images).astype(np.float64)
        return _ratio(sums, np.bincount(image, minlength=self.images).astype(np.float64))

    def __repr__(self) -> str:
        return f"SemanticMatches({self.images:,} images, {len(self.labels)} labels, mIoU {self.summary()['mIoU']:.4f})"


def match_semantic(
    ground_truth: Dataset, predictions: Dataset, *, unlabelled: Unlabelled = "background", threads: int = 0
) -> SemanticMatches:
    """Compare label masks pixel by pixel.

    Parameters
    ----------
    ground_truth, predictions
        Aligned (`rapideval.model.align`): the same images, the same labels. Every annotation needs a mask or a polygon.
        Crowd regions of the ground truth are left out of the comparison.
    unlabelled
        Pixels that no mask of the ground truth holds are ``"background"``, on which a predicted label is wrong, or are
        left out (``"ignore"``: the holdout is labelled in part).

    Raises
    ------
    EvaluationError
        Where an annotation has neither mask nor polygon (``mask-missing``), or masks of one image differ in size.

    Examples
    --------
    >>> import numpy as np
    >>> from rapideval import Annotations, Dataset, Images, Labels, Masks
    >>> def side(rows):
    ...     masks = Masks.from_dense(np.array([rows], bool))
    ...     return Dataset(Images(["a"], sizes=[[1, 4]]), Labels(["road"]), Annotations([0], [0], masks=masks))
    >>> matches = match_semantic(side([[1, 1, 1, 0]]), side([[0, 1, 1, 1]]))
    >>> matches.summary()["mIoU"], matches.summary()["pixel accuracy"]
    (0.5, 0.5)
    """
    truth, predicted = ground_truth.with_masks(threads), predictions.with_masks(threads)
    sizes = _sizes(truth, predicted)
    truth_columns, order = _columns(truth, "ground truth")
    predicted_columns, _ = _columns(predicted, "predictions")
    try:
        columns = _core.semantic_compare(
            sizes,
            *truth_columns,
            truth.annotations.crowd[order],
            *predicted_columns,
            len(truth.labels),
            unlabelled == "ignore",
            threads,
        )
    except _core.CoreError as error:
        raise EvaluationError(Problem(error.rule, "", error.found, error.expected, error.hint)) from None
    return SemanticMatches(ground_truth.labels, len(ground_truth.images), **columns)


_SideColumns = tuple[
    npt.NDArray[np.uint32], npt.NDArray[np.int64], npt.NDArray[np.uint32], npt.NDArray[np.int32], npt.NDArray[np.int32]
]


def _columns(dataset: Dataset, side: str) -> tuple[_SideColumns, npt.NDArray[np.int64]]:
    """Masks, images and labels of one side in the order of painting, and that order."""
    rows = dataset.annotations
    order = np.lexsort((rows.image,) if rows.score is None else (rows.score, rows.image))
    masks = rows.masks if rows.masks is not None else Masks.empty(len(rows))
    missing = np.flatnonzero(~masks.present)
    if len(missing):
        raise EvaluationError(
            Problem(
                "mask-missing",
                rows.where(int(missing[0])),
                f"no mask in the {side} ({len(missing):,} such rows)",
                "a mask or polygon for every row of a semantic task",
            )
        )
    masks = masks.take(order)
    return (masks.counts, masks.offsets, masks.sizes, rows.image[order], rows.label[order]), order


def _sizes(truth: Dataset, predicted: Dataset) -> npt.NDArray[np.uint32]:
    """Heights and widths of the images, from the masks where the images do not say."""
    sizes: npt.NDArray[np.uint32] = np.array(truth.images.sizes)
    for dataset in (truth, predicted):
        rows = dataset.annotations
        unknown = (sizes == 0).any(axis=1)
        if rows.masks is not None and unknown.any():
            mine = unknown[rows.image] & rows.masks.present
            sizes[rows.image[mine]] = rows.masks.sizes[mine]
    for dataset in (truth, predicted):
        rows = dataset.annotations
        if rows.masks is None:
            continue
        wrong = np.flatnonzero((rows.masks.sizes != sizes[rows.image]).any(axis=1) & rows.masks.present)
        if len(wrong):
            row = int(wrong[0])
            found, expected = rows.masks.sizes[row].tolist(), sizes[rows.image[row]].tolist()
            raise InputError(
                Problem("mask-size", rows.where(row), f"a mask of {found} (height, width)", f"{expected}, as its image")
            )
    return sizes


def _ratio(part: npt.NDArray[np.float64], whole: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Part / whole, NaN where the whole is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio: npt.NDArray[np.float64] = np.where(whole > 0, part / whole, np.nan)
    return ratio


def _mean(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Mean over the last axis of what is defined, NaN where nothing is."""
    defined = ~np.isnan(values)
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64))
