"""What objects of other libraries can hold, and what of a dataset they cannot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.formats.capabilities import Capabilities, Loss, Losses, general_losses
from rapideval.formats.registry import get
from rapideval.model import Dataset

__all__ = ["TARGETS", "dense_source", "losses", "rows_of_images"]

_CORNERS = "pixels, boxes x1, y1, x2, y2 with continuous edges, masks (N, H, W)"

TARGETS: dict[str, Capabilities] = {
    "supervision": Capabilities(
        scores=True, crowd=True, areas=True, ids=True, empty_images=True, convention=_CORNERS,
        index_base="class_id from 0", specification="https://supervision.roboflow.com/latest/detection/core/",
    ),
    "torchvision": Capabilities(
        scores=True, crowd=True, areas=True, empty_images=True, image_names=False, image_ids=True, label_names=False,
        label_ids=True, convention=_CORNERS, index_base="labels by their ids, else from 0",
        specification="https://docs.pytorch.org/vision/stable/models.html#object-detection",
    ),
    "geopandas": Capabilities(
        polygons=True, holes=True, parts=True, crowd=True, scores=True, ids=True, areas=True,
        convention="pixels, x to the right, y down; no coordinate reference system",
        specification="https://geopandas.org/en/stable/docs/reference/geodataframe.html",
    ),
    "pandas": Capabilities(
        crowd=True, scores=True, ids=True, areas=True, empty_images=True, unused_labels=True, label_order=True,
        convention="pixels, x, y, width, height", specification="Dataset.to_pandas",
    ),
}  # fmt: skip
"""Name of a target and what it holds; pycocotools holds what the format coco holds."""


def losses(dataset: Dataset, target: str, *, masks: bool | None = None) -> Losses:
    """What a target cannot hold of a dataset, counted by kind, before anything is made.

    Parameters
    ----------
    dataset
        What is to be given out.
    target
        ``"supervision"``, ``"torchvision"``, ``"geopandas"``, ``"pandas"`` (`Dataset.to_pandas`) or ``"pycocotools"``.
    masks
        As `to_supervision` and `to_torchvision` take it.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> data = Dataset(Images(["a.jpg", "b.jpg"]), Labels(["cat"]), Annotations([0], [0], [[0, 0, 1, 1]], [0.5]))
    >>> print(losses(data, "torchvision"))
    the names of 2 images [image_names]
    the names of 1 label [label_names]
    """
    if target == "pycocotools":
        coco = get("coco")
        special = [] if coco.special_losses is None else list(coco.special_losses(dataset))
        return Losses(general_losses(dataset, coco.capabilities) + special)
    if target not in TARGETS:
        raise UsageError(f"no target {target!r}: there are {', '.join([*TARGETS, 'pycocotools'])}")
    if target in ("supervision", "torchvision"):
        return dense_source(dataset, target, masks)[1]
    found = general_losses(dataset, TARGETS[target])
    if target == "geopandas":
        found += _for_shapes(dataset)
    return Losses(found)


def dense_source(dataset: Dataset, target: str, masks: bool | None) -> tuple[Dataset | None, Losses]:
    """Give the dataset with a mask for every annotation, or None where none are given out, and what is lost.

    Such a target has masks for all annotations or for none: an empty mask in place of a missing one would count as a
    wrong one.
    """
    rows = dataset.annotations
    present = np.zeros(len(rows), np.bool_)
    for part in (rows.masks, rows.polygons):
        present |= False if part is None else part.present
    source = None
    if masks is True:
        if not present.all():
            row = int(np.flatnonzero(~present)[0])
            raise UsageError(
                f"masks=True: {rows.where(row)} has neither mask nor outline ({int((~present).sum()):,} such "
                "annotations), expected one for every annotation; masks=None leaves them out and says so"
            )
        source = dataset.with_masks()
    elif masks is None and len(rows) and present.all():
        drawn = np.zeros(len(rows), np.bool_) if rows.masks is None else rows.masks.present
        if dataset.images.sizes_known[rows.image[~drawn]].all():  # else outlines cannot be rasterised
            source = dataset.with_masks()
    capabilities = TARGETS[target]
    if source is not None:
        capabilities = replace(capabilities, masks=True, holes=True, parts=True)
    return source, Losses(general_losses(dataset, capabilities))


def _for_shapes(dataset: Dataset) -> list[Loss]:
    rows = dataset.annotations
    plain = np.ones(len(rows), np.bool_)
    for part in (rows.masks, rows.polygons):
        plain &= True if part is None else ~part.present
    count = int(plain.sum())
    return [Loss("plain_boxes", count, f"{count:,} boxes without an outline: given as rectangles")]


def rows_of_images(dataset: Dataset) -> Sequence[npt.NDArray[np.int64]]:
    """Row numbers of each image, in the order of the dataset."""
    order = np.argsort(dataset.annotations.image, kind="stable")
    bounds = np.searchsorted(dataset.annotations.image[order], np.arange(1, len(dataset.images)))
    return np.split(order, bounds) if len(dataset.images) else []
