"""Dictionaries of torchvision, torchmetrics and transformers, one an image.

torchvision's targets and predictions, and what torchmetrics scores: ``boxes`` x1, y1, x2, y2 in pixels with continuous
edges, ``labels`` whole numbers, ``scores``, ``masks`` (N, H, W) or (N, 1, H, W), ``iscrowd``, ``area``, ``image_id``.
What ``post_process_object_detection`` of transformers returns is the same with ``scores``, ``labels`` and ``boxes``.
Source: https://docs.pytorch.org/vision/stable/models.html#object-detection
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import Problem
from rapideval.formats.capabilities import Loss, Losses
from rapideval.interop.arrays import array, corner_boxes, label_numbers, masks_of
from rapideval.interop.gather import GivenImages, GivenLabels, PerImage, images_of
from rapideval.interop.losses import dense_source, rows_of_images
from rapideval.model import Dataset, Images
from rapideval.model.columns import column, refuse

__all__ = ["from_torchvision", "from_transformers", "to_torchvision"]

_FIELDS = {"boxes", "labels", "scores", "masks", "iscrowd", "area", "image_id", "text_labels"}


def from_torchvision(
    targets: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    images: GivenImages | None = None,
    labels: GivenLabels | None = None,
    *,
    threshold: float = 0.5,
) -> Dataset:
    """Make a dataset of torchvision's or torchmetrics' dictionaries.

    Parameters
    ----------
    targets
        One dictionary an image, or one alone; tensors on any device, or arrays.
    images
        Their images in the same order. Where not given, ``image_id`` tells.
    labels
        Names by number: a list (torchvision's ``weights.meta["categories"]``), a mapping, or `Labels`, which are
        found by their ids where they have ids.
    threshold
        Above it, a pixel of a mask of floats is of the object.

    Returns
    -------
    Dataset
        With a note of fields that were left out.

    Raises
    ------
    InputError
        With dictionary, field and row.
    UsageError
        Where nothing says which images they are of.

    Examples
    --------
    >>> found = [{"boxes": [[1, 2, 4, 6]], "labels": [1], "scores": [0.9]}]
    >>> data = from_torchvision(found, ["a.jpg"], ["background", "cat"])
    >>> data[0].label, data[0].box
    ('cat', (1.0, 2.0, 3.0, 4.0))
    """
    return _read([targets] if isinstance(targets, Mapping) else list(targets), images, labels, threshold, "targets")


def from_transformers(
    results: Mapping[str, Any] | Iterable[Mapping[str, Any]],
    images: GivenImages | None = None,
    id2label: GivenLabels | None = None,
) -> Dataset:
    """Make a dataset of what ``post_process_object_detection`` of transformers returns.

    Parameters
    ----------
    results
        One dictionary an image, with boxes in pixels: ``target_sizes`` was given.
    images
        Their images in the same order.
    id2label
        ``model.config.id2label``; not needed where labels are texts (``text_labels``).

    Examples
    --------
    >>> found = [{"boxes": [[1, 2, 4, 6]], "labels": [17], "scores": [0.9]}]
    >>> from_transformers(found, ["a.jpg"], {16: "bird", 17: "cat"})[0].label
    'cat'
    """
    return _read([results] if isinstance(results, Mapping) else list(results), images, id2label, 0.5, "results")


def _read(
    items: Sequence[Mapping[str, Any]],
    images: GivenImages | None,
    labels: GivenLabels | None,
    threshold: float,
    what: str,
) -> Dataset:
    if images is None and items and all("image_id" in item for item in items):
        ids = [array(item["image_id"], f"{what}[{n}]['image_id']").reshape(-1) for n, item in enumerate(items)]
        for place, number in enumerate(ids):
            if len(number) != 1:
                refuse("image-id", f"{what}[{place}]['image_id']", f"{len(number)} numbers", "one number")
        known = Images(ids=np.concatenate(ids))
    else:
        known = images_of(images, len(items), what)
    made = PerImage(known, labels)
    left_out: dict[str, int] = {}
    for image, item in enumerate(items):
        _add(made, image, f"{what}[{image}]", item, threshold)
        for key in item:
            if key not in _FIELDS:
                left_out[key] = left_out.get(key, 0) + 1
    for key, count in left_out.items():
        made.notes.append(Problem("field-unknown", what, f"the field {key!r}, which is left out", severity="warning",
                                  count=count))  # fmt: skip
    return made.dataset()


def _add(made: PerImage, image: int, where: str, item: Mapping[str, Any], threshold: float) -> None:
    for key in ("boxes", "labels"):
        if key not in item and (key != "boxes" or "masks" not in item):
            refuse("field-missing", where, f"the fields {', '.join(map(repr, item))}", f"{key!r}")
    given = {key: item[key] for key in ("scores", "area") if key in item}
    field = "text_labels" if item.get("text_labels") else "labels"
    names = None  # models that look for what a text names give texts
    if isinstance(item[field], list | tuple) and item[field] and all(isinstance(name, str) for name in item[field]):
        names = list(item[field])
    made.add(
        image,
        where,
        numbers=label_numbers(item[field], f"{where}[{field!r}]") if names is None else None,
        names=names,
        label_where=f"{where}[{field!r}]",
        box=corner_boxes(item["boxes"], f"{where}['boxes']") if "boxes" in item else None,
        score=array(given["scores"], f"{where}['scores']") if "scores" in given else None,
        area=array(given["area"], f"{where}['area']") if "area" in given else None,
        crowd=column(array(item["iscrowd"], f"{where}['iscrowd']"), np.bool_, "iscrowd") if "iscrowd" in item else None,
        dense=masks_of(item["masks"], f"{where}['masks']", threshold) if "masks" in item else None,
    )


def to_torchvision(
    dataset: Dataset, *, tensors: bool = False, masks: bool | None = None, dtype: npt.DTypeLike = np.float64
) -> tuple[list[dict[str, Any]], Losses]:
    """Make torchvision's dictionaries of a dataset, one for each image in the dataset's order.

    Parameters
    ----------
    dataset
        What to give out. Labels are numbered by their ids, where they have ids, else from 0.
    tensors
        torch tensors in place of NumPy arrays.
    masks
        True: ``masks`` (N, H, W) of uint8, which every annotation must have, or an outline; False: none; None: where
        all have one.
    dtype
        Of boxes, scores and areas. torchvision's models want float32; what it rounds is counted.

    Returns
    -------
    targets
        ``boxes``, ``labels``, ``area``, ``iscrowd``, ``image_id`` (the image's id, else its place), ``scores`` of
        predictions, ``masks``.
    losses
        What they cannot hold.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> data = Dataset(Images(ids=[7]), Labels(["cat"], ids=[17]), Annotations([0], [0], [[1, 2, 3, 4]]))
    >>> targets, lost = to_torchvision(data)
    >>> targets[0]["boxes"].tolist(), targets[0]["labels"].tolist(), lost
    ([[1.0, 2.0, 4.0, 6.0]], [17], Losses({'label_names': 1}))
    """
    source, lost = dense_source(dataset, "torchvision", masks)
    rows = dataset.annotations
    numbers = np.arange(len(dataset.labels)) if dataset.labels.ids is None else dataset.labels.ids
    image_ids = range(len(dataset.images)) if dataset.images.ids is None else dataset.images.ids.tolist()
    corners = rows.box.copy()
    corners[:, 2:] += corners[:, :2]
    rounded = int((corners.astype(dtype) != corners).any(axis=1).sum())
    found = [*lost, Loss("precision", rounded, f"digits of {rounded:,} boxes that {np.dtype(dtype)} cannot hold")]

    def give(values: npt.NDArray[Any]) -> Any:
        if not tensors:
            return values
        import torch

        return torch.from_numpy(values.copy())

    targets = []
    for image, chosen in enumerate(rows_of_images(dataset)):
        target: dict[str, Any] = {
            "boxes": give(corners[chosen].astype(dtype)),
            "labels": give(numbers[rows.label[chosen]].astype(np.int64)),
            "area": give(rows.area[chosen].astype(dtype)),
            "iscrowd": give(rows.crowd[chosen].astype(np.int64)),
            "image_id": int(image_ids[image]),
        }
        if rows.score is not None:
            target["scores"] = give(rows.score[chosen].astype(dtype))
        if source is not None and source.annotations.masks is not None:
            height, width = dataset.images.sizes[image].tolist()
            dense = source.annotations.masks.take(chosen).to_dense() if len(chosen) else np.zeros((0, height, width))
            target["masks"] = give(dense.astype(np.uint8))
        targets.append(target)
    return targets, Losses(found)
