"""Payloads that list objects, each with its label, score, box and outline: what most services send.

A service states where those stand (`Layout`); the reading is the same for all. What else an object has goes to the
dataset's extras, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import InputError
from rapideval.model import Masks, Polygons
from rapideval.payloads.context import Context, Keys
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.masks import is_bitmask, one_mask
from rapideval.payloads.options import BoxOrder
from rapideval.payloads.places import Place
from rapideval.payloads.rows import Rows
from rapideval.payloads.text import Tree, as_text, shown

__all__ = ["MISSING", "Layout", "member", "plain", "read_records", "ring_of_pairs"]


class _Missing:
    def __repr__(self) -> str:
        return "nothing there"

    def __str__(self) -> str:
        return repr(self)


MISSING: Any = _Missing()
"""What `member` gives where there is no such member."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where an object has what.

    Attributes
    ----------
    label, score
        Paths of label and score. `fallback_label` is looked at where there is no label.
    box
        Paths of the four numbers of the box, in the order `order`.
    mask
        Path of a mask (dense, COCO run lengths, base64 PNG).
    rings
        Gives the object's outline: rings, each a list of x, y pairs with its place; None where it has none.
    relative, percent
        Coordinates are relative to the image's size; scores are percentages.
    used
        Members that are read or that say nothing of their own; all others are kept in the extras.
    """

    label: Keys
    score: Keys
    box: Sequence[Keys] = ()
    fallback_label: Keys = ()
    order: BoxOrder = "xyxy"
    mask: Keys = ()
    rings: Callable[[dict[str, Any], Place], list[tuple[list[Any], Place]] | None] | None = None
    relative: bool = False
    percent: bool = False
    used: frozenset[str] = frozenset()


def member(value: Tree, keys: Keys) -> Any:
    """The value at a path within an object, or `MISSING`."""
    for key in keys:
        if not isinstance(value, dict) or key not in value:
            return MISSING
        value = value[key]
    return value


def plain(value: Tree) -> Any:
    """A part of the tree as plain JSON values, to be kept as it is."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    text = as_text(value)
    if text is not None:
        return text
    return f"{len(value)} bitmasks" if is_bitmask(value) else value


def read_records(
    records: Tree,
    place: Place,
    result: ImageResult,
    context: Context,
    layout: Layout,
    numbers: Sequence[int] | None = None,
) -> None:
    """Add the objects of one image.

    Parameters
    ----------
    records
        The list of objects.
    numbers
        Which of them; all if None.
    """
    if not isinstance(records, list):
        context.problems.add("M20", place, shown(records), "a list of objects")
        return
    before = context.problems.total
    chosen = range(len(records)) if numbers is None else numbers
    for number in chosen:
        if not isinstance(records[number], dict):
            context.problems.add("M21", place[number], shown(records[number]), "an object, one detection")
    if context.problems.total > before:
        return
    objects: list[dict[str, Any]] = [records[number] for number in chosen]
    where = place.of_rows(chosen)

    scores = _scores(objects, where, context, layout)
    labels = _labels(objects, where, context, layout)
    boxes, boxed = _boxes(objects, where, result, context, layout)
    polygons = _polygons(objects, where, result, context, layout)
    masks = _masks(objects, where, context, layout)
    have = boxed.copy()
    for outline in (polygons, masks):
        if outline is not None:
            have |= outline.present
    for row in np.flatnonzero(~have).tolist() if context.problems.total == before else ():
        context.problems.add("M25", where[row], shown(objects[row]), "a box, an outline or a mask")
    if context.problems.total > before:
        return
    assert labels is not None
    if boxes is None and polygons is not None:
        boxes = np.zeros((len(objects), 4))
    if boxes is not None and not boxed.all():
        _fill(boxes, boxed, polygons, masks)
    extras = [{key: plain(value) for key, value in item.items() if key not in layout.used} for item in objects]
    origin = f"{place}[{{row}}]"
    context.add(result, Rows(labels, boxes, scores, masks, polygons, extras, origin, list(chosen)))


def _scores(
    objects: Sequence[dict[str, Any]], where: Place, context: Context, layout: Layout
) -> npt.NDArray[np.float64] | None:
    values = [member(item, layout.score) for item in objects]
    if all(value is MISSING or value is None for value in values) and values:
        return None
    return context.scores(values, where, layout.score, layout.percent)


def _labels(objects: Sequence[dict[str, Any]], where: Place, context: Context, layout: Layout) -> list[str] | None:
    values = [member(item, layout.label) for item in objects]
    if layout.fallback_label:
        values = [
            member(item, layout.fallback_label) if value in (MISSING, None, "") else value
            for item, value in zip(objects, values, strict=True)
        ]
    only = context.labels.only
    if only is not None:
        values = [only if value is MISSING or value is None else value for value in values]
    return context.label_names(values, where, layout.label)


def _boxes(
    objects: Sequence[dict[str, Any]], where: Place, result: ImageResult, context: Context, layout: Layout
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.bool_]]:
    """Boxes (N, 4), and which objects have one."""
    if not layout.box:
        return None, np.zeros(len(objects), np.bool_)
    values = [[member(item, keys) for keys in layout.box] for item in objects]
    boxed = np.array([any(number is not MISSING for number in box) for box in values], np.bool_)
    if not boxed.any():
        return (np.empty((0, 4)) if not values else None), boxed
    rows = np.flatnonzero(boxed).tolist()
    array = context.boxes(
        [values[row] for row in rows], where.of_rows(rows), result, layout.order, layout.relative, layout.box
    )
    if array is None:
        return None, boxed
    boxes = np.zeros((len(objects), 4))
    boxes[boxed] = array
    return boxes, boxed


def _fill(
    boxes: npt.NDArray[np.float64], boxed: npt.NDArray[np.bool_], polygons: Polygons | None, masks: Masks | None
) -> None:
    """Boxes of the outlines for objects without one."""
    for outline in (polygons, masks):
        if outline is not None:
            rows = ~boxed & outline.present
            boxes[rows] = outline.boxes[rows]


def _polygons(
    objects: Sequence[dict[str, Any]], where: Place, result: ImageResult, context: Context, layout: Layout
) -> Polygons | None:
    if layout.rings is None:
        return None
    outlines: list[list[npt.NDArray[np.float64]]] = []
    for row, item in enumerate(objects):
        rings = layout.rings(item, where[row]) or []
        outlines.append(
            [ring for points, at in rings if (ring := _ring(points, at, result, context, layout)) is not None]
        )
    return Polygons.from_rings(outlines) if any(outlines) else None


def _ring(
    points: list[Any], place: Place, result: ImageResult, context: Context, layout: Layout
) -> npt.NDArray[np.float64] | None:
    """Points (n, 2) of a ring in pixels, or None where something is wrong with it."""
    bad = next((index for index, pair in enumerate(points) if not _is_pair(pair)), None)
    if bad is not None:
        context.problems.add("polygon", place[bad], shown(points[bad]), "a point of two numbers, x and y")
        return None
    if len(points) < 3:
        context.problems.add("polygon", place, f"{len(points)} points", "at least 3 points")
        return None
    ring = np.array(points, np.float64)
    if not np.isfinite(ring).all():
        context.problems.add("M28", place, "a coordinate that is not finite", "finite numbers")
        return None
    relative = layout.relative if context.options.relative is None else context.options.relative
    if relative:
        pixels = context.to_pixels(np.hstack([ring, ring]), "xyxy", place, result)
        return None if pixels is None else pixels[:, :2]
    return ring


def _is_pair(pair: Any) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(type(number) in (int, float) for number in pair)


def ring_of_pairs(points: Any, place: Place, x: str, y: str) -> list[tuple[list[Any], Place]] | None:
    """The ring of ``[{"x": 1, "y": 2}, ...]``; None where there are no points."""
    if not isinstance(points, list) or not points:
        return None
    return [([[member(point, (x,)), member(point, (y,))] for point in points], place)]


def _masks(objects: Sequence[dict[str, Any]], where: Place, context: Context, layout: Layout) -> Masks | None:
    if not layout.mask:
        return None
    values = [member(item, layout.mask) for item in objects]
    if all(value is MISSING or value is None for value in values):
        return None
    masks = []
    for row, value in enumerate(values):
        if value is MISSING or value is None:
            masks.append(Masks.empty(1))
            continue
        try:
            masks.append(one_mask(value, where[row].at(*layout.mask), context.reader))
        except InputError as error:
            context.problems.extend(error)
    return Masks.concat(masks) if masks else None
