"""Why predictions are wrong, and what each cause costs.

Every false positive is given one cause, every object that was not found is *missed* unless mending a false positive
would find it. The cost of a cause is how much AP would rise if it alone were mended: localisation and label errors
become right (one for each object, the surest), duplicates, background and errors of both kinds vanish, missed objects
no longer count.

References
----------
Bolya, D., Foley, S., Hays, J. and Hoffman, J. (2020). TIDE: A general toolbox for identifying object detection errors.
ECCV. The reference implementation is the package tidecv, with which causes and costs agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import EvaluationError, Problem
from rapideval.model import Dataset, Labels
from rapideval.model.columns import Frozen

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CAUSES", "Causes", "explain"]

CAUSES = ("correct", "localisation", "label", "both", "duplicate", "background")
"""Causes of detections by their code; objects can be ``"missed"``."""

_MENDED = ("localisation", "label", "both", "duplicate", "background", "missed")
_PERFECT_PRECISION = 1 + len(_MENDED)  # its place among the variants
_RECALLS = np.arange(101) / 100


_Variants = tuple[
    npt.NDArray[np.int32],
    npt.NDArray[np.float64],
    npt.NDArray[np.bool_],
    npt.NDArray[np.bool_],
    npt.NDArray[np.int64],
]


class Causes(Frozen):
    """Causes of every detection and fate of every object.

    Attributes
    ----------
    labels
        The labels of both sides.
    row : int32 array of shape (D,)
        Row of each kept detection (the surest 100 of an image) in the predictions, by image, then falling score.
    cause : uint8 array of shape (D,)
        Place in `CAUSES`.
    ignored : bool array of shape (D,)
        Inside a crowd of its label: counts neither way.
    object : int32 array of shape (D,)
        Row of the object that was found, or that the cause speaks of; -1 for none.
    iou : float64 array of shape (D,)
        With that object.
    found_by, mended_by : int32 array of shape (G,)
        Row of the detection that found the object, or whose mending would; -1 for none.
    image, label, score
        Columns of the kept detections, (D,).
    object_label, object_counts
        Of the objects, (G,): their label, and whether they count (no crowd).
    """

    __slots__ = (
        "cause",
        "found_by",
        "ignored",
        "image",
        "iou",
        "label",
        "labels",
        "mended_by",
        "object",
        "object_counts",
        "object_label",
        "row",
        "score",
    )
    labels: Labels
    row: npt.NDArray[np.int32]
    cause: npt.NDArray[np.uint8]
    ignored: npt.NDArray[np.bool_]
    object: npt.NDArray[np.int32]
    iou: npt.NDArray[np.float64]
    found_by: npt.NDArray[np.int32]
    mended_by: npt.NDArray[np.int32]
    image: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    score: npt.NDArray[np.float64]
    object_label: npt.NDArray[np.int32]
    object_counts: npt.NDArray[np.bool_]

    def __init__(self, ground_truth: Dataset, predictions: Dataset, columns: _core.CauseColumns) -> None:
        rows = columns["row"]
        assert predictions.annotations.score is not None
        self._set(
            labels=ground_truth.labels,
            row=rows,
            cause=columns["cause"],
            ignored=columns["ignored"].view(np.bool_),
            object=columns["object"],
            iou=columns["iou"],
            found_by=columns["found_by"],
            mended_by=columns["mended_by"],
            image=predictions.annotations.image[rows],
            label=predictions.annotations.label[rows],
            score=predictions.annotations.score[rows],
            object_label=ground_truth.annotations.label,
            object_counts=~ground_truth.annotations.crowd,
        )

    @property
    def missed(self) -> npt.NDArray[np.bool_]:
        """Objects that no detection found and no mending would, (G,)."""
        return self.object_counts & (self.found_by < 0) & (self.mended_by < 0)

    def counts(self) -> pd.DataFrame:
        """A data frame with a row per label and a column per cause: how many detections, and objects missed."""
        import pandas as pd

        kinds = len(CAUSES)
        codes = self.label.astype(np.int64)[~self.ignored] * kinds + self.cause[~self.ignored]
        table = np.bincount(codes, minlength=len(self.labels) * kinds).reshape(-1, kinds)
        frame = pd.DataFrame(table, index=pd.Index(self.labels.names, name="label"), columns=list(CAUSES))
        frame["missed"] = np.bincount(self.object_label[self.missed], minlength=len(self.labels))
        return frame

    def cost(self, over: Literal["all", "truth"] = "all") -> dict[str, float]:
        """How much AP at the IoU threshold would rise, were one cause mended; not additive.

        Parameters
        ----------
        over
            Labels in the mean: ``"all"`` that stand on either side (a label only the predictions have counts with AP 0,
            as tidecv counts it), or only those of the ``"truth"``.

        Returns
        -------
        dict
            Cause -> rise of AP, in [0, 1], for the six causes; and two sums of causes: ``"false positives"`` (AP with
            perfect precision) and ``"false negatives"`` (with every object that was not found taken out).
        """
        aps = _mean_ap(*self._variants(), over)
        names = (*_MENDED, "false positives", "false negatives")
        return {name: max(0.0, ap - aps[0]) for name, ap in zip(names, aps[1:], strict=True)}

    def ap(self, over: Literal["all", "truth"] = "all") -> float:
        """AP at the IoU threshold, as the costs are reckoned from."""
        label, score, keeps, rights, objects = self._variants()
        return _mean_ap(label, score, keeps[:1], rights[:1], objects[:1], over)[0]

    def _variants(self) -> _Variants:
        """Labels and scores of detections; for each variant what counts, what is right, and objects by label.

        The variants: as is, each cause mended in turn, the two sums.
        """
        mends = np.zeros(len(self.row), np.bool_)
        about = (self.object >= 0) & (self.cause != 0)
        mends[about] = self.mended_by[self.object[about]] == self.row[about]
        # A mended label error is another detection: it stands under the label of its object.
        moved = mends & (self.cause == CAUSES.index("label"))
        label = np.concatenate([self.label, self.object_label[self.object[moved]]])
        score = np.concatenate([self.score, self.score[moved]])
        extra = np.zeros(int(moved.sum()), np.bool_)
        cause = np.concatenate([self.cause, np.full(len(extra), CAUSES.index("label"), np.uint8)])

        correct = np.concatenate([self.cause == 0, extra])
        as_is = np.concatenate([~self.ignored, extra])
        keeps, rights = [as_is], [correct]
        for name in _MENDED[:-1]:
            fixed = np.zeros(len(label), np.bool_)
            if name == "localisation":
                fixed[: len(mends)] = mends & (self.cause == CAUSES.index(name))
            elif name == "label":
                fixed[len(mends) :] = True
            keeps.append((as_is & (cause != CAUSES.index(name))) | fixed)
            rights.append(correct | fixed)
        keeps += [as_is, as_is & correct, as_is]
        rights += [correct, correct, correct]

        def per_label(rows: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
            return np.bincount(self.object_label[rows], minlength=len(self.labels)).astype(np.int64)

        everything = per_label(self.object_counts)
        lost = self.object_counts & (self.found_by < 0)
        objects = [everything] * len(_MENDED) + [everything - per_label(self.missed), everything]
        objects.append(everything - per_label(lost))
        return label, score, np.array(keeps), np.array(rights), np.array(objects)

    def __repr__(self) -> str:
        costs = ", ".join(f"{name} {value:.3f}" for name, value in self.cost().items() if name in _MENDED)
        return f"Causes({len(self.row):,} detections; AP lost to {costs})"


def _mean_ap(
    label: npt.NDArray[np.int32],
    score: npt.NDArray[np.float64],
    keeps: npt.NDArray[np.bool_],
    rights: npt.NDArray[np.bool_],
    objects: npt.NDArray[np.int64],
    over: str,
) -> list[float]:
    """Mean AP over labels of V variants of the same detections: keeps, rights (V, D); objects (V, K)."""
    order = np.lexsort((-score, label))
    count = objects.shape[1]
    offsets = np.searchsorted(label[order], np.arange(count + 1)).astype(np.int64)
    bits = np.uint64(1) << np.arange(len(keeps), dtype=np.uint64)[:, None]
    matched = np.bitwise_or.reduce(np.where(rights[:, order], bits, np.uint64(0)), axis=0)
    ignored = np.bitwise_or.reduce(np.where(keeps[:, order], np.uint64(0), bits), axis=0)
    precision, _, _ = _core.accumulate(
        offsets,
        score[order],
        np.zeros(len(order), np.int32),
        matched[:, None],
        ignored[:, None],
        1,
        np.ascontiguousarray(objects.T),
        _RECALLS,
        np.array([1], np.int64),
    )
    # (A, M, T, R, K): a variant stands where an area range would.
    ap = precision[:, 0, 0].mean(axis=1)
    result = []
    for variant in range(len(keeps)):
        has_objects = objects[variant] > 0
        # With perfect precision false positives are still there, only last: their labels stay in the mean.
        there = keeps[0] if variant == _PERFECT_PRECISION else keeps[variant]
        has_any = has_objects | (np.bincount(label[there], minlength=count) > 0)
        chosen = has_any if over == "all" else has_objects
        values = np.where(has_objects, ap[variant], 0.0)[chosen]
        result.append(float(values.mean()) if len(values) else 0.0)
    return result


def explain(
    ground_truth: Dataset,
    predictions: Dataset,
    *,
    task: Literal["detection", "instance"] = "detection",
    found: float = 0.5,
    background: float = 0.1,
    max_detections: int = 100,
    threads: int = 0,
) -> Causes:
    """Give each false positive a cause, and each object that was not found.

    Parameters
    ----------
    ground_truth, predictions
        Aligned (`rapideval.model.align`): the same images and labels.
    task
        Whether boxes or masks are compared.
    found
        IoU from which an object counts as found.
    background
        IoU up to which there is nothing near.
    max_detections
        Of each image, over all labels.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> images, labels = Images(["a"]), Labels(["cat", "dog"])
    >>> truth = Dataset(images, labels, Annotations([0, 0], [0, 0], [[0, 0, 10, 10], [50, 0, 10, 10]]))
    >>> boxes = [[0, 0, 10, 10], [1, 0, 10, 10], [50, 0, 10, 10], [54, 0, 10, 10], [90, 90, 5, 5]]
    >>> found = Dataset(images, labels, Annotations([0] * 5, [0, 0, 1, 0, 0], boxes, [0.9, 0.8, 0.7, 0.6, 0.5]))
    >>> [CAUSES[code] for code in explain(truth, found).cause]
    ['correct', 'duplicate', 'label', 'localisation', 'background']
    """
    if predictions.annotations.score is None:
        raise EvaluationError(Problem("score-missing", "predictions", "no scores", "a score for each prediction"))
    shapes: list[Any] = []
    for dataset in (predictions, ground_truth):
        if task == "instance":
            masks = dataset.with_masks(threads).annotations.masks
            if masks is None:
                raise EvaluationError(Problem("mask-missing", "", "no masks", "masks on both sides"))
            shapes.append((masks.counts, masks.offsets, masks.sizes))
        else:
            shapes.append(dataset.annotations.box)
    found_rows, truth = predictions.annotations, ground_truth.annotations
    columns = _core.explain(
        found_rows.image,
        found_rows.label,
        predictions.annotations.score,
        shapes[0],
        truth.image,
        truth.label,
        shapes[1],
        truth.crowd,
        np.arange(len(ground_truth.images), dtype=np.int32),
        found,
        background,
        max_detections,
        threads,
    )
    return Causes(ground_truth, predictions, columns)
