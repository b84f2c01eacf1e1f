"""Ultralytics: HUB's inference API of today and of 2023, and ``Results.to_json()``.

``{"images": [{"results": [{"class": 0, "name": "car", "confidence": 0.9, "box": {"x1": 1, "y1": 2, "x2": 4, "y2": 6}}],
"shape": [480, 640], "speed": {...}}], "metadata": {...}}``

=========== ==========================================================================================================
coordinates pixels, corners; in 2023's ``{"success", "message", "data": [...]}`` the centre and size, relative to the
            image (``xcenter``, ``ycenter``, ``width``, ``height``)
outlines    ``segments`` ``{"x": [...], "y": [...]}``, one ring in pixels; 2023: flat ``segment``, relative
rotated     four corners ``x1, y1, ... x4, y4``: kept as an outline, the box is upright around it
scores      ``confidence`` in [0, 1]
labels      ``name``, else the number ``class``
kept        ``class``, ``keypoints``, ``track_id`` and all else an object has, as extras
=========== ==========================================================================================================

Source: docs.ultralytics.com/hub/inference-api; ``Results.summary`` of the ultralytics package's reference. The fields
of 2023's answers are known from that page's older versions only.
"""

from __future__ import annotations

from typing import Any

from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.records import MISSING, Layout, member, read_records
from rapideval.payloads.text import Tree, shown

__all__ = ["read", "recognises", "split"]

# Where a rotated box is put while it is read, for its first two corners are not those of an upright one.
_ROTATED = "rotated box"
_CORNERS = tuple((f"x{corner}", f"y{corner}") for corner in range(1, 5))


def _rings(item: dict[str, Any], place: Place) -> list[tuple[list[Any], Place]] | None:
    xs, ys = member(item, ("segments", "x")), member(item, ("segments", "y"))
    if isinstance(xs, list) and isinstance(ys, list) and xs:
        # Lists of different length end in points of one number, which the reader of rings refuses.
        longest = max(len(xs), len(ys))
        return [([[*xs[i : i + 1], *ys[i : i + 1]] for i in range(longest)], place["segments"])]
    corners = item.get(_ROTATED)
    if corners is not None:
        return [([[member(corners, (x,)), member(corners, (y,))] for x, y in _CORNERS], place["box"])]
    return None


def _older_rings(item: dict[str, Any], place: Place) -> list[tuple[list[Any], Place]] | None:
    flat = item.get("segment")
    if not isinstance(flat, list) or not flat:
        return None
    return [([flat[i : i + 2] for i in range(0, len(flat), 2)], place["segment"])]


_LAYOUT = Layout(
    label=("name",),
    fallback_label=("class",),
    score=("confidence",),
    box=(("box", "x1"), ("box", "y1"), ("box", "x2"), ("box", "y2")),
    rings=_rings,
    used=frozenset({"name", "confidence", "box", "segments", _ROTATED}),
)
_OLDER = Layout(
    label=("name",),
    fallback_label=("class",),
    score=("confidence",),
    box=(("xcenter",), ("ycenter",), ("width",), ("height",)),
    order="cxcywh",
    relative=True,
    rings=_older_rings,
    used=frozenset({"name", "confidence", "xcenter", "ycenter", "width", "height", "segment"}),
)


def recognises(tree: Tree) -> bool:
    """Whether this is an answer of HUB, or a list of detections."""
    if isinstance(tree, dict):
        images, data = tree.get("images"), tree.get("data")
        if isinstance(images, list):
            return all(isinstance(image, dict) and "results" in image for image in images) and bool(images)
        return isinstance(data, list) and "success" in tree
    return (
        isinstance(tree, list)
        and bool(tree)
        and all(isinstance(item, dict) and {"name", "confidence", "box"} <= item.keys() for item in tree)
    )


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """The images, with their sizes where the answer tells them."""
    del options
    if isinstance(tree, list):
        return [ImageResult({"results": tree}, place)]
    if isinstance(tree, dict) and isinstance(tree.get("images"), list):
        return [_result(image, place["images"][index]) for index, image in enumerate(tree["images"])]
    if isinstance(tree, dict) and isinstance(tree.get("data"), list):
        return [ImageResult(tree, place)]
    return refuse("M22", place, shown(tree), "an object with images, or a list of detections")


def _result(image: Tree, place: Place) -> ImageResult:
    if not isinstance(image, dict) or "results" not in image:
        refuse("M22", place, shown(image), "an object with results")
    shape = image.get("shape")
    if isinstance(shape, list) and len(shape) >= 2 and all(type(side) is int and side > 0 for side in shape[:2]):
        return ImageResult(image, place, size=(shape[0], shape[1]))
    return ImageResult(image, place)


def read(result: ImageResult, context: Context) -> None:
    """Add the objects of one image."""
    tree, place = result.tree, result.place
    if "data" in tree:
        read_records(tree["data"], place["data"], result, context, _OLDER)
        return
    records = tree["results"]
    where = place["results"] if place.path.endswith("]") else place
    if isinstance(records, list):
        records = [_without_rotated(item) for item in records]
    read_records(records, where, result, context, _LAYOUT)


def _without_rotated(item: Any) -> Any:
    """The object, its four corners kept apart from where an upright box stands."""
    if member(item, ("box", "x3")) is MISSING:
        return item
    return {key: value for key, value in item.items() if key != "box"} | {_ROTATED: item["box"]}
