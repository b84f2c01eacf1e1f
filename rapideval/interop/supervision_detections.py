"""`supervision.Detections`, one object an image.

Boxes are x1, y1, x2, y2 in pixels with continuous edges, as here; masks are dense, (N, H, W); ``class_id`` counts from
0; names stand in ``data["class_name"]``, crowds, areas and ids, as supervision's own reader of COCO has them, in
``data["iscrowd"]``, ``data["area"]`` and ``data["id"]``. Source: https://supervision.roboflow.com/latest/detection/core/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rapideval.errors import Problem
from rapideval.formats.capabilities import Losses
from rapideval.interop.arrays import array, corner_boxes, label_numbers, masks_of
from rapideval.interop.gather import GivenImages, GivenLabels, PerImage, images_of
from rapideval.interop.losses import dense_source, rows_of_images
from rapideval.model import Dataset, Images, Polygons
from rapideval.model.columns import column, refuse

if TYPE_CHECKING:
    import supervision

__all__ = ["from_supervision", "to_supervision"]

_COLUMNS = {"class_name", "iscrowd", "area", "id", "xyxyxyxy"}


def from_supervision(
    detections: Any,
    images: GivenImages | None = None,
    labels: GivenLabels | None = None,
) -> Dataset:
    """Make a dataset of `supervision.Detections`.

    Parameters
    ----------
    detections
        One, a list of them, or a mapping of image names to them.
    images
        Name of the image, or names in the order of the list; images that a mapping is about.
    labels
        Names by ``class_id``. Where not given, ``data["class_name"]`` tells; one name alone is that of all detections
        that have no ``class_id``.

    Returns
    -------
    Dataset
        Corners of oriented boxes (``data["xyxyxyxy"]``) are outlines; tracker ids and further ``data`` are kept
        as further fields.

    Raises
    ------
    InputError
        With object and row, for shapes that do not fit, numbers that are not finite, labels without a name.
    UsageError
        Where images are not named.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> found = SimpleNamespace(xyxy=np.array([[1, 2, 4, 6]]), mask=None, confidence=np.array([0.9]),
    ...                         class_id=np.array([0]), tracker_id=None, data={})
    >>> data = from_supervision(found, "a.jpg", labels=["cat"])
    >>> data[0].label, data[0].box
    ('cat', (1.0, 2.0, 3.0, 4.0))
    """
    if isinstance(detections, Mapping):
        if images is None:
            known = Images(list(detections))
        else:
            known = images.images if isinstance(images, Dataset) else images  # type: ignore[assignment]
            known = known if isinstance(known, Images) else Images([known] if isinstance(known, str) else known)
        items = []
        keys = set(known.keys)
        for name, item in detections.items():
            if name not in keys:
                refuse("image-unknown", f"detections[{name!r}]", repr(name), f"one of {len(known)} images")
            items.append((known.index(name), f"detections[{name!r}]", item))
    else:
        one = hasattr(detections, "xyxy")
        several = [detections] if one else list(detections)
        known = images_of(images, len(several), "detections")
        items = [(n, "detections" if one else f"detections[{n}]", item) for n, item in enumerate(several)]
    made = PerImage(known, labels)
    for image, where, item in items:
        _add(made, image, where, item)
    return made.dataset()


def _add(made: PerImage, image: int, where: str, item: Any) -> None:
    box = corner_boxes(item.xyxy, f"{where}.xyxy")
    data: Mapping[str, Any] = getattr(item, "data", None) or {}
    names = data.get("class_name")
    further: dict[str, list[Any]] = {}
    if item.tracker_id is not None:
        further["tracker_id"] = array(item.tracker_id, f"{where}.tracker_id").tolist()
    for key, value in data.items():
        if key not in _COLUMNS:
            further[key] = np.asarray(value).tolist()
    for key, values in further.items():
        if len(values) != len(box):
            refuse("column-length", f"{where}.data[{key!r}]", f"{len(values)} rows", f"{len(box)} rows")
    metadata = getattr(item, "metadata", None)
    if metadata:
        made.notes.append(
            Problem("field-unknown", f"{where}.metadata", f"{', '.join(map(str, metadata))}, which is left out",
                    severity="warning", count=len(metadata))
        )  # fmt: skip
    corners = data.get("xyxyxyxy")
    polygons = None
    if corners is not None:
        rings = array(corners, f"{where}.data['xyxyxyxy']")
        if rings.shape != (len(box), 4, 2):
            refuse("polygon-points", f"{where}.data['xyxyxyxy']", f"an array of shape {rings.shape}",
                   f"shape ({len(box)}, 4, 2)")  # fmt: skip
        polygons = Polygons.from_rings([[ring] for ring in rings])
    made.add(
        image,
        where,
        numbers=None if item.class_id is None else label_numbers(item.class_id, f"{where}.class_id"),
        names=None if names is None else [str(name) for name in np.asarray(names)],
        label_where=f"{where}.class_id" if names is None else f"{where}.data['class_name']",
        box=box,
        score=None if item.confidence is None else array(item.confidence, f"{where}.confidence"),
        dense=None if item.mask is None else masks_of(item.mask, f"{where}.mask", 0.5),
        polygons=polygons,
        extras=[{key: values[row] for key, values in further.items()} for row in range(len(box))] if further else None,
        crowd=column(array(data["iscrowd"], f"{where}.data['iscrowd']"), np.bool_, "iscrowd")
        if "iscrowd" in data
        else None,
        area=array(data["area"], f"{where}.data['area']") if "area" in data else None,
        ids=array(data["id"], f"{where}.data['id']") if "id" in data else None,
    )


def to_supervision(dataset: Dataset, *, masks: bool | None = None) -> tuple[dict[str, supervision.Detections], Losses]:
    """Make `supervision.Detections` of a dataset, one for each image.

    Parameters
    ----------
    dataset
        What to give out.
    masks
        True: dense masks (N, H, W), which every annotation must have, or an outline; False: none; None: where all
        have one.

    Returns
    -------
    detections
        By the image's name, those of images without annotations too. ``class_id`` is the place among the labels.
    losses
        What they cannot hold.

    Raises
    ------
    UsageError
        For ``masks=True`` where an annotation has neither mask nor outline.
    InputError
        For two images of one name.
    """
    import supervision

    source, lost = dense_source(dataset, "supervision", masks)
    names = dataset.images.keys
    if len(set(names)) < len(names):
        refuse("image-duplicate", "images", "two images of one name", "unique names")
    rows = dataset.annotations
    label_names = np.array(dataset.labels.names, dtype=str)
    given: dict[str, supervision.Detections] = {}
    for image, chosen in enumerate(rows_of_images(dataset)):
        corners = rows.box[chosen].copy()
        corners[:, 2:] += corners[:, :2]
        data: dict[str, Any] = {"class_name": label_names[rows.label[chosen]]}
        if "crowd" not in rows.derived:
            data["iscrowd"] = rows.crowd[chosen].astype(np.int64)
        if "area" not in rows.derived:
            data["area"] = rows.area[chosen]
        if rows.ids is not None:
            data["id"] = rows.ids[chosen]
        dense = None
        if source is not None and source.annotations.masks is not None:
            height, width = dataset.images.sizes[image].tolist()
            dense = (
                source.annotations.masks.take(chosen).to_dense()
                if len(chosen)
                else np.zeros((0, height, width), np.bool_)
            )
        given[names[image]] = supervision.Detections(
            xyxy=corners,
            mask=dense,
            confidence=None if rows.score is None else rows.score[chosen],
            class_id=rows.label[chosen].astype(np.int64),
            data=data,
        )
    return given, lost
