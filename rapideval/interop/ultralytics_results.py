"""Results of ultralytics' models, one object an image, taken without importing ultralytics.

Boxes and outlines are in pixels of the original image, as here. ``masks.data`` has the size of the network's padded
input unless the model was asked for ``retina_masks=True``; such masks are not pixels of the image and are refused.
Source: https://docs.ultralytics.com/reference/engine/results/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from rapideval.errors import Problem, UsageError
from rapideval.interop.arrays import array, corner_boxes, label_numbers, masks_of
from rapideval.interop.gather import GivenImages, GivenLabels, PerImage, images_of
from rapideval.model import Dataset, Images, Polygons
from rapideval.model.columns import refuse

__all__ = ["from_ultralytics"]


def from_ultralytics(
    results: Any,
    images: GivenImages | None = None,
    labels: GivenLabels | None = None,
    *,
    masks: Literal["outlines", "pixels"] = "outlines",
) -> Dataset:
    """Make a dataset of ultralytics' ``Results``.

    Parameters
    ----------
    results
        What a model returns: a list of ``Results``, a generator of them, or one.
    images
        Their images in the same order. Where not given, ``path`` tells.
    labels
        Names by number. Where not given, ``names`` tells.
    masks
        ``"outlines"``: ``masks.xy``, one ring an object, which has neither holes nor several parts. ``"pixels"``:
        ``masks.data``, which must be as large as the image (``retina_masks=True``).

    Returns
    -------
    Dataset
        Oriented boxes (``obb``) are outlines of four points; ids of tracks are the further field ``track_id``. Notes
        tell what is left out: keypoints, probabilities of whole images.

    Raises
    ------
    InputError
        For masks that are not as large as the image, shapes that do not fit, labels without a name.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> boxes = SimpleNamespace(xyxy=np.array([[1, 2, 4, 6]]), conf=np.array([0.9]), cls=np.array([0.0]), id=None)
    >>> result = SimpleNamespace(boxes=boxes, masks=None, obb=None, names={0: "cat"}, orig_shape=(9, 9), path="a.jpg")
    >>> data = from_ultralytics([result])
    >>> data[0].label, data[0].box, data.images[0].height
    ('cat', (1.0, 2.0, 3.0, 4.0), 9)
    """
    if masks not in ("outlines", "pixels"):
        raise UsageError(f"masks={masks!r}: found that, expected 'outlines' or 'pixels'")
    items = [results] if hasattr(results, "orig_shape") else list(results)
    known = images_of(images if images is not None else _paths(items), len(items), "results")
    made = PerImage(known, labels if labels is not None else _names(items))
    left_out = {"keypoints": 0, "probs": 0}
    outlines = 0
    for image, item in enumerate(items):
        where = f"results[{image}]"
        made.size(image, (int(item.orig_shape[0]), int(item.orig_shape[1])), f"{where}.orig_shape")
        outlines += _add(made, image, where, item, masks)
        for field in left_out:
            held = getattr(item, field, None)
            left_out[field] += 0 if held is None else (1 if field == "probs" else len(held))
    for field, count in left_out.items():
        if count:
            made.notes.append(Problem("field-unknown", "results", f"{field}, which are left out",
                                      severity="warning", count=count))  # fmt: skip
    if outlines:
        made.notes.append(Problem("mask-outline", "results", "outlines of masks, without their holes",
                                  hint="masks='pixels' takes the masks themselves, of a model asked for "
                                  "retina_masks=True", count=outlines, severity="info"))  # fmt: skip
    return made.dataset(scored=True)


def _paths(items: list[Any]) -> Images:
    paths = [str(item.path) for item in items]
    if len(set(paths)) < len(paths):
        again = next(n for n, path in enumerate(paths) if path in paths[:n])
        refuse("image-duplicate", f"results[{again}].path", f"{paths[again]!r}, as of another result",
               "a path an image", "frames of a video share its path: name them with images=")  # fmt: skip
    return Images(paths)


def _names(items: list[Any]) -> dict[int, str]:
    names: dict[int, str] = {}
    for place, item in enumerate(items):
        given = item.names if isinstance(item.names, Mapping) else dict(enumerate(item.names))
        for number, name in given.items():
            if names.setdefault(int(number), str(name)) != str(name):
                refuse("label-name", f"results[{place}].names[{number}]", repr(name),
                       f"{names[int(number)]!r}, as of other results")  # fmt: skip
    return names


def _add(made: PerImage, image: int, where: str, item: Any, masks: str) -> int:
    """Keep one result, and count its outlines of masks."""
    oriented = getattr(item, "obb", None)
    field = "obb" if oriented is not None else "boxes"
    found = getattr(item, field, None)
    if found is None:
        return 0
    where_found = f"{where}.{field}"
    numbers = label_numbers(found.cls, f"{where_found}.cls")
    count = len(numbers)
    columns: dict[str, Any] = {}
    outlines = 0
    drawn = getattr(item, "masks", None)
    if oriented is not None:
        rings = array(oriented.xyxyxyxy, f"{where_found}.xyxyxyxy").reshape(-1, 4, 2)
        columns["polygons"] = Polygons.from_rings([[ring] for ring in rings])
    else:
        columns["box"] = corner_boxes(found.xyxy, f"{where_found}.xyxy")
    if drawn is not None and masks == "outlines":
        points = [array(ring, f"{where}.masks.xy[{row}]") for row, ring in enumerate(drawn.xy)]
        columns["polygons"] = Polygons.from_rings([[ring] if len(ring) else [] for ring in points])
        outlines = int(columns["polygons"].present.sum())
        if outlines < len(points):
            made.notes.append(Problem("mask-empty", f"{where}.masks", "masks without an outline", severity="info",
                                      count=len(points) - outlines))  # fmt: skip
    elif drawn is not None:
        columns["dense"] = _pixels(drawn.data, where, item.orig_shape)
    track = getattr(found, "id", None)
    if track is not None:
        columns["extras"] = [{"track_id": int(number)} for number in label_numbers(track, f"{where_found}.id")]
    if len(columns.get("extras", numbers)) != count:
        refuse("column-length", f"{where_found}.id", f"{len(columns['extras'])} rows", f"{count} rows, as cls")
    made.add(
        image,
        where,
        numbers=numbers,
        label_where=f"{where_found}.cls",
        score=array(found.conf, f"{where_found}.conf"),
        **columns,
    )
    return outlines


def _pixels(data: Any, where: str, size: Any) -> np.ndarray[Any, np.dtype[np.bool_]]:
    dense = masks_of(data, f"{where}.masks.data", 0.5)
    height, width = int(size[0]), int(size[1])
    if dense.shape[1:] != (height, width):
        refuse(
            "mask-size",
            f"{where}.masks.data",
            f"masks of height {dense.shape[1]}, width {dense.shape[2]}",
            f"height {height}, width {width}, as the image",
            "masks of the network's padded input are not pixels of the image: predict with retina_masks=True, or "
            "take masks='outlines'",
        )
    return dense
