"""Datasets of the small problems that the oracle scores too."""

from __future__ import annotations

import numpy as np

from rapideval import Annotations, Dataset, Images, Labels, Masks
from tests.helpers.coco_oracle import SIDE
from tests.helpers.masks import columns, runs_of


def _masks(rows):
    return Masks(*columns([runs_of(row["mask"]) for row in rows], [row["mask"].shape for row in rows]))


def datasets(problem, kind, shuffle=None):
    """Ground truth and predictions; with `shuffle` (a numpy Generator) images and labels stand in another order.

    Predictions of masks carry no boxes, as the oracle's results do.
    """
    image_order = np.arange(problem.images) if shuffle is None else shuffle.permutation(problem.images)
    label_order = np.arange(problem.labels) if shuffle is None else shuffle.permutation(problem.labels)
    image_place, label_place = np.argsort(image_order), np.argsort(label_order)
    images = Images(ids=np.array(problem.image_ids)[image_order], sizes=np.full((problem.images, 2), SIDE))
    names = [f"label {problem.label_ids[k]}" for k in label_order]
    labels = Labels(names, ids=np.array(problem.label_ids)[label_order])
    made = []
    for side in ("truth", "found"):
        rows = getattr(problem, side)
        made.append(
            Dataset(
                images,
                labels,
                Annotations(
                    image=image_place[problem.column(side, "image", np.int64)].astype(np.int32),
                    label=label_place[problem.column(side, "label", np.int64)].astype(np.int32),
                    box=problem.boxes(side) if kind == "bbox" or side == "truth" else None,
                    score=None if side == "truth" else problem.column(side, "score", np.float64),
                    area=problem.column(side, "area", np.float64) if side == "truth" else None,
                    crowd=problem.column(side, "crowd", np.bool_) if side == "truth" else None,
                    masks=None if kind == "bbox" else _masks(rows),
                ),
            )
        )
    return made
