"""The same evaluation by pycocotools itself: the reference, for whoever wants to see it agree."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any, NamedTuple

import numpy as np

from rapideval.errors import UsageError
from rapideval.metrics.detection import Curves
from rapideval.metrics.matching import match_columns
from rapideval.metrics.protocol import Protocol
from rapideval.model import Aligned, Annotations, Labels

__all__ = ["Audit", "audit", "pycocotools_curves"]


class Audit(NamedTuple):
    """An evaluation beside pycocotools' own.

    Attributes
    ----------
    equal
        Whether all values of precision, recall and scores have the same bits.
    summary, reference
        The numbers here, and pycocotools'.
    """

    equal: bool
    summary: dict[str, float]
    reference: dict[str, float]

    @property
    def differences(self) -> dict[str, tuple[float, float]]:
        """Numbers that are not the same: name -> (here, pycocotools)."""
        pairs = {name: (value, self.reference[name]) for name, value in self.summary.items()}
        return {name: (a, b) for name, (a, b) in pairs.items() if a != b and not (math.isnan(a) and math.isnan(b))}


def audit(curves: Curves, aligned: Aligned, protocol: Protocol, truth_labels: int) -> Audit:
    """Hold curves against those that pycocotools finds for the same joined datasets."""
    theirs = pycocotools_curves(aligned, protocol, truth_labels)
    names = ("precision", "recall", "scores")
    ours = curves.to_pycocotools()
    reference = theirs.to_pycocotools()
    equal = all(ours[name].tobytes() == reference[name].tobytes() for name in names)
    return Audit(equal, curves.summary(), theirs.summary())


def pycocotools_curves(aligned: Aligned, protocol: Protocol, truth_labels: int) -> Curves:
    """Precision, recall and scores that pycocotools finds for joined datasets.

    Objects get ids from 1, because pycocotools takes the id 0 for no match. Labels that only the predictions have are
    unknown to it: undefined, and left out of a class-agnostic evaluation, which counts them here.

    Raises
    ------
    UsageError
        For a semantic task, which pycocotools does not know.
    """
    if protocol.task == "semantic":
        raise UsageError("pycocotools knows no semantic task")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth, found = COCO(), COCO()
        truth.dataset, found.dataset = _datasets(aligned, protocol, truth_labels)
        truth.createIndex()
        found.createIndex()
        run = COCOeval(truth, found, "bbox" if protocol.task == "detection" else "segm")
        run.params.iouThrs = protocol.ious
        run.params.recThrs = np.array(protocol.recall_thresholds)
        run.params.areaRng = protocol.areas.tolist()
        run.params.areaRngLbl = [area.name for area in protocol.area_ranges]
        run.params.maxDets = list(protocol.limits)
        run.params.useCats = int(not protocol.class_agnostic)
        run.evaluate()
        run.accumulate()
    labels = Labels(["all labels"]) if protocol.class_agnostic else aligned.ground_truth.labels
    arrays = (run.eval["precision"], run.eval["recall"], run.eval["scores"])
    precision, recall, scores = (_as_ours(array, labels, truth_labels) for array in arrays)
    return Curves(protocol, labels, precision, recall, scores)


def _datasets(aligned: Aligned, protocol: Protocol, truth_labels: int) -> tuple[dict[str, Any], dict[str, Any]]:
    truth, found = aligned.ground_truth, aligned.predictions
    columns = match_columns(aligned, protocol, 0)
    # Ids in the order in which the labels and images are walked.
    image_ids = (columns["image_rank"] + 1).tolist()
    label_ids = (np.argsort(_order(truth.labels), kind="stable") + 1).tolist()
    common = {
        "info": {},
        # pycocotools asks for sizes that it does not use: all masks are run lengths.
        "images": [{"id": i, "height": 0, "width": 0} for i in image_ids],
        "categories": [{"id": k} for k in label_ids[:truth_labels]],
    }
    sides = []
    for name, rows in (("truth", truth.annotations), ("prediction", found.annotations)):
        annotations = _annotations(rows, columns[f"{name}_area"], image_ids, label_ids, protocol.task)
        shapes = columns[f"{name}_shapes"]
        if protocol.task == "instance":
            for i, (annotation, mask) in enumerate(zip(annotations, _masks(shapes), strict=True)):
                annotations[i] = annotation | {"segmentation": mask}
        sides.append(common | {"annotations": annotations})
    return sides[0], sides[1]


def _order(labels: Labels) -> Any:
    return np.arange(len(labels)) if labels.ids is None else np.argsort(labels.ids, kind="stable")


def _annotations(
    rows: Annotations, area: Any, image_ids: list[int], label_ids: list[int], task: str
) -> list[dict[str, Any]]:
    score = [0.0] * len(rows) if rows.score is None else rows.score.tolist()
    columns = (rows.image.tolist(), rows.label.tolist(), rows.box.tolist(), area.tolist(), rows.crowd.tolist(), score)
    return [
        {
            "id": i + 1,
            "image_id": image_ids[image],
            "category_id": label_ids[label],
            "bbox": box,
            "area": size,
            "iscrowd": int(crowd),
            "score": confidence,
        }
        for i, (image, label, box, size, crowd, confidence) in enumerate(zip(*columns, strict=True))
    ]


def _masks(shapes: Any) -> list[dict[str, Any]]:
    from rapideval import _core

    counts, offsets, sizes = shapes
    text, places = _core.rle_to_strings(counts, offsets)
    bounds = places.tolist()
    return [
        {"size": [int(height), int(width)], "counts": bytes(text[bounds[i] : bounds[i + 1]])}
        for i, (height, width) in enumerate(sizes.tolist())
    ]


def _as_ours(array: Any, labels: Labels, truth_labels: int) -> Any:
    """(T, [R,] K, A, M) of the ground truth's labels by id, as (A, M, T, [R,] K) of all labels as they stand."""
    moved = np.moveaxis(array, (-2, -1), (0, 1))
    if len(labels) == moved.shape[-1] == 1:
        return np.ascontiguousarray(moved)
    order = _order(labels)
    whole = np.full((*moved.shape[:-1], len(labels)), -1.0)
    whole[..., order[order < truth_labels]] = moved
    return whole
