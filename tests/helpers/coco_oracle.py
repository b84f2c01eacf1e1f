"""pycocotools as the oracle: small detection problems as plain columns, and what the reference makes of them."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

AREAS = [[0.0, 1e10], [0.0, 30.0], [30.0, 80.0], [80.0, 1e10]]


@dataclass
class Problem:
    """Objects and detections as rows: (image, label, x, y, width, height, ...)."""

    images: int
    labels: int
    truth: list[dict] = field(default_factory=list)
    found: list[dict] = field(default_factory=list)
    image_ids: list[int] = field(default_factory=list)
    label_ids: list[int] = field(default_factory=list)

    def __post_init__(self):
        self.image_ids = self.image_ids or [10 + 3 * i for i in range(self.images)]
        self.label_ids = self.label_ids or [1 + 2 * k for k in range(self.labels)]

    def column(self, side, name, dtype):
        return np.array([row[name] for row in getattr(self, side)], dtype)

    def boxes(self, side):
        return np.array([row["bbox"] for row in getattr(self, side)], np.float64).reshape(-1, 4)

    def masks(self, side):
        return [row["mask"] for row in getattr(self, side)]


SIDE = 16  # of the images of drawn problems


def _paint(box, notch):
    x, y, w, h = box
    dense = np.zeros((SIDE, SIDE), np.uint8)
    dense[y : y + h, x : x + w] = 1
    if notch:
        dense[y, x] = 0
    return dense


@st.composite
def problems(draw, max_truth=14, max_found=24):
    """Few images and labels, small whole-numbered boxes: overlaps, ties of IoU and score, crowds, one-sided labels."""
    images, labels = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    corner, side = st.integers(0, 9), st.integers(1, 7)
    shape = st.tuples(corner, corner, side, side)
    scores = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.5000000001, 0.75, 0.9, 1.0]) | st.floats(0, 1)

    def row():
        box = draw(shape)
        made = {"image": draw(st.integers(0, images - 1)), "label": draw(st.integers(0, labels - 1))}
        return made | {"bbox": [float(v) for v in box], "mask": _paint(box, draw(st.booleans()))}

    truth = []
    for _ in range(draw(st.integers(0, max_truth))):
        made = row()
        area = draw(st.sampled_from(["box", "given"]))
        made["area"] = (
            made["bbox"][2] * made["bbox"][3] if area == "box" else draw(st.sampled_from([0.0, 30.0, 80.0, 500.0]))
        )
        made["crowd"] = draw(st.integers(0, 4)) == 0
        truth.append(made)
    found = []
    for _ in range(draw(st.integers(0, max_found))):
        made = row()
        if truth and draw(st.booleans()):  # near an object, so that something matches
            model = truth[draw(st.integers(0, len(truth) - 1))]
            x, y, w, h = (int(v) for v in model["bbox"])
            box = (x + draw(st.integers(0, 1)), y, w, h + draw(st.integers(0, 1)))
            made |= {"image": model["image"], "label": model["label"], "bbox": [float(v) for v in box]}
            made["mask"] = _paint(box, draw(st.booleans()))
        made["score"] = draw(scores)
        found.append(made)
    return Problem(images, labels, truth, found)


def coco_pair(problem, kind):
    """COCO objects of the ground truth and of the results (None where there are no detections)."""
    dataset = {
        "info": {},
        "images": [{"id": i, "height": SIDE, "width": SIDE} for i in problem.image_ids],
        "categories": [{"id": k, "name": f"label {k}"} for k in problem.label_ids],
        "annotations": [
            {
                "id": n + 1,
                "image_id": problem.image_ids[row["image"]],
                "category_id": problem.label_ids[row["label"]],
                "bbox": row["bbox"],
                "area": row["area"],
                "iscrowd": int(row["crowd"]),
                "segmentation": coco_mask.encode(np.asfortranarray(row["mask"])),
            }
            for n, row in enumerate(problem.truth)
        ],
    }
    results = []
    for row in problem.found:
        made = {
            "image_id": problem.image_ids[row["image"]],
            "category_id": problem.label_ids[row["label"]],
            "score": row["score"],
        }
        if kind == "bbox":
            made["bbox"] = list(row["bbox"])
        else:
            made["segmentation"] = coco_mask.encode(np.asfortranarray(row["mask"]))
        results.append(made)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = dataset
        truth.createIndex()
        if results:
            found = truth.loadRes(results)
        else:  # loadRes fails on none
            found = COCO()
            found.dataset = dataset | {"annotations": []}
            found.createIndex()
    return truth, found


def coco_eval(problem, kind, areas=AREAS, limits=(1, 10, 100), thresholds=None, recalls=None, use_cats=True):
    """A COCOeval that has evaluated and accumulated; its precision, recall and scores are the oracle's."""
    truth, found = coco_pair(problem, kind)
    with contextlib.redirect_stdout(io.StringIO()):
        evaluation = COCOeval(truth, found, kind)
        evaluation.params.areaRng = areas
        evaluation.params.areaRngLbl = ["all", "small", "medium", "large"][: len(areas)]
        evaluation.params.maxDets = list(limits)
        evaluation.params.useCats = int(use_cats)
        if thresholds is not None:
            evaluation.params.iouThrs = np.asarray(thresholds)
        if recalls is not None:
            evaluation.params.recThrs = np.asarray(recalls)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation
