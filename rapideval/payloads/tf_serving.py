"""TensorFlow Serving with a model of the TensorFlow Object Detection API.

``{"predictions": [{"detection_boxes": [[0.1, 0.2, 0.5, 0.6], ...], "detection_scores": [0.9, ...],
"detection_classes": [1.0, ...], "num_detections": 3.0}]}``; in columns, ``{"outputs": {"detection_boxes": ..., ...}}``

=========== ======================================================================================================
coordinates **ymin, xmin, ymax, xmax**, relative to the image's size (which must be given: ``sizes=``)
masks       ``detection_masks``: of the image's size, or cut to the box (33 x 33 by default), which are drawn into it as
            the API's ``reframe_box_masks_to_image_masks`` does; probabilities above 0.5 are foreground
scores      in [0, 1]
labels      whole numbers from 1, written as floats: ``labels=`` gives names (a mapping, or a list whose entry 0 is
            background)
padding     results beyond ``num_detections`` are left out
=========== ======================================================================================================

Source: TensorFlow Serving's REST API guide; ``exporter_lib_v2`` and ``ops.reframe_box_masks_to_image_masks`` of the
Object Detection API; ``tf.image.crop_and_resize`` for the sampling.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.model import Masks
from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.rows import Rows
from rapideval.payloads.text import Tree, shown

__all__ = ["read", "recognises", "split"]

_LISTS = ("detection_boxes", "detection_scores", "detection_classes")
_MASK_KEYS = ("detection_masks_reframed", "detection_masks")


def recognises(tree: Tree) -> bool:
    """Whether this is a detection model's answer, in rows or in columns."""
    if not isinstance(tree, dict):
        return False
    predictions, outputs = tree.get("predictions"), tree.get("outputs")
    if isinstance(predictions, list):
        return bool(predictions) and all(isinstance(row, dict) and "detection_boxes" in row for row in predictions)
    return isinstance(outputs, dict) and "detection_boxes" in outputs


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """The images: rows as they are, columns turned into rows."""
    del options
    if not recognises(tree):
        return refuse("M22", place, shown(tree), "predictions, or outputs, with detection_boxes")
    if isinstance(tree.get("predictions"), list):
        where = place["predictions"]
        return [ImageResult(row, where[index]) for index, row in enumerate(tree["predictions"])]
    columns, where = tree["outputs"], place["outputs"]
    boxes = columns["detection_boxes"]
    if not isinstance(boxes, list):
        return refuse("M26", where["detection_boxes"], shown(boxes), "a list of boxes for each image")
    counts = {key: len(value) for key, value in columns.items() if isinstance(value, list) and key in _LISTS}
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{count:,} {key}" for key, count in counts.items())
        return refuse("M24", where, found, "columns of one length, an entry for each image")
    return [
        ImageResult(
            {key: value[index] for key, value in columns.items() if isinstance(value, list) and len(value) > index},
            where,
        )
        for index in range(len(boxes))
    ]


def read(result: ImageResult, context: Context) -> None:
    """Add the objects of one image."""
    tree, place = result.tree, result.place
    lists = {key: tree.get(key) for key in _LISTS}
    for key, value in lists.items():
        if not isinstance(value, list):
            context.problems.add("M25", place[key], shown(value), "a list, one entry for each object")
            return
    counts = {key: len(tree[key]) for key in _LISTS}
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{count:,} {key}" for key, count in counts.items())
        context.problems.add("M24", place, found, "lists of one length, one entry for each object")
        return
    count = _count(tree, counts["detection_boxes"], place, context)
    if count is None:
        return
    boxes = context.boxes(tree["detection_boxes"][:count], place["detection_boxes"], result, "yxyx", True)
    scores = context.scores(tree["detection_scores"][:count], place["detection_scores"])
    classes = [_whole(value) for value in tree["detection_classes"][:count]]
    labels = context.label_names(classes, place["detection_classes"])
    if boxes is None or scores is None or labels is None:
        return
    masks = None
    mask_key = next((key for key in _MASK_KEYS if tree.get(key) is not None), None)
    if mask_key is not None and count:
        masks = _masks(tree[mask_key], tree["detection_boxes"][:count], place[mask_key], result, context)
        if masks is None:
            return
    context.add(result, Rows(labels, boxes, scores, masks, origin=f"{place['detection_boxes']}[{{row}}]"))


def _count(tree: dict[str, Any], length: int, place: Place, context: Context) -> int | None:
    """How many of the padded results are meant."""
    given = tree.get("num_detections")
    given = given[0] if isinstance(given, list) and len(given) == 1 else given
    if given is None:
        return length
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given <= length or given % 1:
        context.problems.add("M24", place["num_detections"], shown(given), f"a whole number from 0 to {length}")
        return None
    return int(given)


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# --- masks -------------------------------------------------------------------------------------------


def _masks(value: Tree, boxes: list[Any], place: Place, result: ImageResult, context: Context) -> Masks | None:
    """Masks of the image's size, from masks of that size or from those of the boxes."""
    try:
        array = np.array(value[: len(boxes)] if isinstance(value, list) else None, np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim != 3 or len(array) != len(boxes) or not array.size:
        context.problems.add("M35", place, shown(value), f"masks [{len(boxes)}, H, W] of numbers, one for each box")
        return None
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        context.problems.add("M33", place, "values outside [0, 1]", "probabilities, or 0 and 1")
        return None
    assert result.size is not None
    height, width = result.size
    if array.shape[1:] == (height, width):
        return Masks.from_dense(array > 0.5)
    relative = np.array(boxes, np.float64)
    return Masks.concat(
        [Masks.from_dense(reframe(mask, box, height, width) > 0.5) for mask, box in zip(array, relative, strict=True)]
    )


def reframe(
    mask: npt.NDArray[np.float64], box: npt.NDArray[np.float64], height: int, width: int
) -> npt.NDArray[np.float64]:
    """Draw a box's mask into its image, as ``crop_and_resize`` samples it: bilinear, 0 outside the box.

    Parameters
    ----------
    mask : array of shape (h, w)
        The mask cut to its box.
    box : array of shape (4,)
        ymin, xmin, ymax, xmax, relative to the image.

    Returns
    -------
    array of shape (height, width)
    """
    rows, row_inside = _samples(box[0], box[2], mask.shape[0], height)
    columns, column_inside = _samples(box[1], box[3], mask.shape[1], width)
    top, left = np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
    bottom, right = np.ceil(rows).astype(np.int64), np.ceil(columns).astype(np.int64)
    down, across = (rows - top)[:, None], (columns - left)[None, :]
    upper = mask[np.ix_(top, left)] * (1 - across) + mask[np.ix_(top, right)] * across
    lower = mask[np.ix_(bottom, left)] * (1 - across) + mask[np.ix_(bottom, right)] * across
    image = upper * (1 - down) + lower * down
    drawn: npt.NDArray[np.float64] = np.where(row_inside[:, None] & column_inside[None, :], image, 0.0)
    return drawn


def _samples(low: float, high: float, length: int, count: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Where in the mask each row (or column) of the image is sampled, and which lie within it."""
    extent = high - low or 1.0
    start, end = (0.0 - low) / extent, (1.0 - low) / extent
    if count > 1:
        places = start * (length - 1) + np.arange(count) * ((end - start) * (length - 1) / (count - 1))
    else:
        places = np.array([0.5 * (start + end) * (length - 1)])
    inside = (places >= 0) & (places <= length - 1)
    return np.clip(places, 0, length - 1), inside
