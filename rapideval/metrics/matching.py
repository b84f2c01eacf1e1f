"""From ground truth and predictions to the match table."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import EvaluationError, Problem, UsageError
from rapideval.metrics.matches import Matches, Objects
from rapideval.metrics.protocol import Protocol
from rapideval.model import Aligned, Annotations, Dataset, Masks, align

__all__ = ["match", "match_aligned", "prediction_areas", "ranks"]


def match(ground_truth: Dataset, predictions: Dataset, protocol: Protocol | None = None, threads: int = 0) -> Matches:
    """Match predictions to ground truth, for all thresholds and area ranges of the protocol.

    Matching is greedy, as COCO defines it: in each image and label the detections are taken by falling score (ties in
    the order of the predictions), and each takes the free object of the highest IoU; an ignored object only where no
    other is left. The result has the bits of pycocotools' ``COCOeval`` [1]_.

    Parameters
    ----------
    ground_truth, predictions
        Joined by image and label first (`rapideval.model.align`), unless they are already.
    protocol
        COCO's boxes by default.
    threads
        0: all of the machine. The result is the same for any number.

    Raises
    ------
    EvaluationError
        For predictions without scores or, in an instance task, without masks; for boxes whose area is no number.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", 2014; pycocotools 2.0, ``cocoeval.py``.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> images, labels = Images(["a.jpg"]), Labels(["cat"])
    >>> truth = Dataset(images, labels, Annotations([0], [0], [[0, 0, 10, 10]]))
    >>> found = Dataset(images, labels, Annotations([0, 0], [0, 0], [[0, 0, 10, 8], [50, 50, 9, 9]], [0.9, 0.6]))
    >>> table = match(truth, found)
    >>> table.iou.tolist(), table.is_true(iou=0.75).tolist(), table.is_true(iou=0.9).tolist()
    ([0.8, 0.0], [True, False], [False, False])
    """
    aligned = align(ground_truth, predictions)
    return match_aligned(aligned, protocol or Protocol(), len(ground_truth.labels), threads)


def match_aligned(aligned: Aligned, protocol: Protocol, truth_labels: int, threads: int = 0) -> Matches:
    """The match table of datasets that `align` has joined; `truth_labels` labels are the ground truth's own."""
    if protocol.task == "semantic":
        raise UsageError("a semantic task has no detections to match: evaluate it")
    truth, found = aligned.ground_truth, aligned.predictions
    if found.annotations.score is None:
        hint = "are ground truth and predictions swapped?"
        raise EvaluationError(
            Problem("score-missing", "predictions", "annotations without scores", "a score for each", hint)
        )
    try:
        columns: Any = _core.match(
            **match_columns(aligned, protocol, threads),
            max_detections=protocol.limits[-1],
            reference=protocol.threshold_place(None),
            iou_floor=protocol.iou_floor,
            class_agnostic=protocol.class_agnostic,
            iou_thresholds=protocol.ious,
            area_ranges=protocol.areas,
            threads=threads,
        )
    except _core.CoreError as error:
        raise refused(error, aligned) from None
    return Matches(
        protocol=protocol,
        images=truth.images,
        labels=truth.labels,
        truth_labels=truth_labels,
        label=found.annotations.label[columns["row"]] if protocol.class_agnostic else None,
        objects=Objects(
            truth.annotations.image,
            truth.annotations.label,
            columns.pop("object_ignored"),
            columns.pop("object_matched"),
        ),
        **columns,
    )


def ranks(ids: npt.NDArray[np.int64] | None, count: int) -> npt.NDArray[np.int32]:
    """Place of each row in the order of ids, in which pycocotools walks images and labels; as they stand without."""
    if ids is None or (ids[1:] > ids[:-1]).all():
        return np.arange(count, dtype=np.int32)
    order = np.argsort(ids, kind="stable")
    places = np.empty(count, np.int32)
    places[order] = np.arange(count, dtype=np.int32)
    return places


def prediction_areas(rows: Annotations, source: str) -> npt.NDArray[np.float64]:
    """What decides a detection's size: see `Protocol`."""
    if source == "given":
        return rows.area
    if source == "coco":
        source = "mask" if "box" in rows.derived and rows.masks is not None else "box"
    if source == "box":
        return rows.box[:, 2] * rows.box[:, 3]
    if rows.masks is None:
        hint = "area_source='box' goes by the boxes"
        raise EvaluationError(
            Problem("mask-missing", "predictions", "no masks", "masks, whose areas decide the size", hint)
        )
    return rows.masks.area.astype(np.float64)


def match_columns(aligned: Aligned, protocol: Protocol, threads: int) -> dict[str, Any]:
    """What every matching kernel takes: both sides' columns, and the order of images."""
    truth, found = aligned.ground_truth, aligned.predictions
    if protocol.task == "instance":
        truth, found = truth.with_masks(threads), found.with_masks(threads)
    wanted, given = truth.annotations, found.annotations
    places = ranks(truth.labels.ids, len(truth.labels)) if protocol.class_agnostic else None
    return {
        "prediction_image": given.image,
        "prediction_label": given.label if places is None else places[given.label],
        "prediction_score": given.score,
        "prediction_area": prediction_areas(given, protocol.area_source),
        "prediction_shapes": _shapes(given, protocol.task, "predictions"),
        "truth_image": wanted.image,
        "truth_label": wanted.label if places is None else places[wanted.label],
        "truth_area": wanted.area,
        "truth_shapes": _shapes(wanted, protocol.task, "ground truth"),
        "truth_crowd": wanted.crowd,
        "truth_ignore": None,
        "image_rank": ranks(truth.images.ids, len(truth.images)),
        "labels": len(truth.labels),
    }


def _shapes(rows: Annotations, task: str, side: str) -> Any:
    if task == "detection":
        return rows.box
    if rows.masks is None:
        if len(rows):
            hint = "evaluate the task 'detection', or give masks" if side == "predictions" else ""
            raise EvaluationError(Problem("mask-missing", side, "boxes alone", "masks or polygons", hint))
        return Masks.empty(0).counts, Masks.empty(0).offsets, Masks.empty(0).sizes
    return rows.masks.counts, rows.masks.offsets, rows.masks.sizes


def refused(error: _core.CoreError, aligned: Aligned) -> EvaluationError:
    """The error a user sees for what a kernel refused: with the place in the document of the row."""
    side, _, column = error.path.partition(".")
    where = error.path
    if error.row is not None and side in ("predictions", "ground_truth"):
        rows = (aligned.predictions if side == "predictions" else aligned.ground_truth).annotations
        name = side.replace("_", " ")
        where = f"{name}: {rows.where(error.row)}" if rows.source is None else rows.where(error.row)
        where += f": {column}" if column else ""
    return EvaluationError(Problem(error.rule, where, error.found, error.expected, error.hint))
