"""What every service's reader works with: the options, the text reader, and the checks of boxes, scores and labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import BoxOrder, LabelNames, Options, to_xywh
from rapideval.payloads.places import Notes, Place, Problems
from rapideval.payloads.rows import Rows, Table
from rapideval.payloads.text import Reader, as_text, shown

__all__ = ["Context", "Keys"]

_Floats = npt.NDArray[np.float64]

Keys = Sequence[str | int]
"""Path from an object to one of its values: ``("box", "xmin")``."""

_COORDINATES: dict[BoxOrder, str] = {
    "xyxy": "x1, y1, x2, y2",
    "xywh": "x, y, width, height",
    "cxcywh": "centre x, centre y, width, height",
    "yxyx": "y1, x1, y2, x2",
    "xxyy": "x1, x2, y1, y2",
}


class Context:
    """Checks of values. Each notes what is wrong and gives None then; the caller goes on to the next value.

    The values of a column stand at ``place[index]``, and within it at the path that `keys` give.
    """

    def __init__(self, options: Options, reader: Reader, labels: LabelNames, problems: Problems, notes: Notes) -> None:
        self.options, self.reader, self.labels = options, reader, labels
        self.problems, self.notes = problems, notes
        self.table = Table(labels, problems)

    def add(self, image: ImageResult, rows: Rows) -> None:
        """Keep the annotations of one image."""
        self.table.add(image, rows)

    # --- scores and labels -----------------------------------------------------------------------

    def scores(self, values: Sequence[Any], place: Place, keys: Keys = (), percent: bool = False) -> _Floats | None:
        """Scores (N,) in [0, 1], or None (M28, M29). The caller's option overrides `percent`."""
        percent = percent if self.options.percent is None else self.options.percent
        top = 100 if percent else 1
        array = _floats(values)
        if array is not None and (not len(array) or (array.min() >= 0 and array.max() <= top)):
            return array / 100 if percent else array
        hint = ""
        if not percent and all(_is_number(value) and 0 <= value <= 100 for value in values):
            hint = "scores in percent? Say so: percent=True (--percent)"
        for index, value in enumerate(values):
            if not _is_number(value):
                self.problems.add("M29", place.at(index, *keys), shown(value), f"a number from 0 to {top}")
            elif not _is_finite(value):
                self.problems.add("M28", place.at(index, *keys), shown(value), "a finite number")
            elif not 0 <= value <= top:
                self.problems.add("M29", place.at(index, *keys), shown(value), f"a score from 0 to {top}", hint)
        return None

    def label_names(self, values: Sequence[Any], place: Place, keys: Keys = ()) -> list[str] | None:
        """Names of labels, given as text or integers, or None (M30, label-unknown)."""
        if set(map(type, values)) <= {str} and "" not in values:
            return list(values)
        names: list[str] = []
        for index, value in enumerate(values):
            text = as_text(value)
            if text:
                names.append(text)
            elif isinstance(value, int) and not isinstance(value, bool):
                name = self.label_of_number(value, place.at(index, *keys))
                if name is not None:
                    names.append(name)
            else:
                whole = isinstance(value, float) and value.is_integer()
                hint = "an integer written as a float: convert it before json.dumps" if whole else ""
                found = "an empty text" if text == "" else shown(value)
                self.problems.add("M30", place.at(index, *keys), found, "text or an integer", hint)
        return names if len(names) == len(values) else None

    def label_of_number(self, number: int, place: Place) -> str | None:
        """Name of a label given as an integer."""
        if not self.labels.by_number:
            self.notes.tell(
                "label-integers",
                place,
                f"labels that are integers, kept as text: {str(number)!r}",
                "pass the model's label list (labels=, --labels) to give them names",
            )
            return str(number)
        name = self.labels.by_number.get(number)
        if name is None:
            count = len(self.labels.by_number)
            hint = "a list of labels is numbered from 0; a mapping of integer to name can begin elsewhere"
            self.problems.add(
                "label-unknown",
                place,
                f"the label {number}",
                f"{self.labels.number_range()} ({count:,} label{'' if count == 1 else 's'} given)",
                hint if number == count else "",
            )
        return name

    # --- boxes -----------------------------------------------------------------------------------

    def boxes(
        self,
        values: Sequence[Any],
        place: Place,
        image: ImageResult,
        order: BoxOrder = "xyxy",
        relative: bool = False,
        keys: Sequence[Keys] = (),
    ) -> _Floats | None:
        """Boxes (N, 4) of an image as x, y, width, height in pixels, or None (M26, M27, M28).

        Parameters
        ----------
        order, relative
            The service's convention; the caller's options override it.
        keys
            Paths of the four numbers within an object; if none are given they are a list.
        """
        order = self.options.boxes or order
        relative = relative if self.options.relative is None else self.options.relative
        array = self._box_array(values, place, _COORDINATES[order], keys)
        if array is None or not len(array):
            return array
        if relative:
            scaled = self.to_pixels(array, order, place, image)
            if scaled is None:
                return None
            array = scaled
        boxes = to_xywh(array, order)
        inverted = np.flatnonzero((boxes[:, 2:] < 0).any(axis=1))
        if len(inverted):
            self._refuse_inverted(inverted, array, place, image, order, named=bool(keys))
            return None
        return self._settle(boxes, place, image, relative)

    def _box_array(self, values: Sequence[Any], place: Place, names: str, keys: Sequence[Keys] = ()) -> _Floats | None:
        """Boxes (N, 4) as they stand, or None unless each is four finite numbers."""
        if not values:
            return np.empty((0, 4))
        kinds = set(map(type, values))
        if kinds <= {int, float}:
            found = f"{len(values):,} numbers that are not in lists of four"
            self.problems.add("M26", place, found, f"a list of boxes, [[{names}], ...]", "one box is a list in a list")
            return None
        if kinds == {list} and set(map(len, values)) == {4}:
            array = _floats(list(chain.from_iterable(values)))
            if array is not None:
                return array.reshape(-1, 4)
        for index, box in enumerate(values):
            where = place[index]
            if not isinstance(box, list):
                self.problems.add("M26", where, shown(box), f"four numbers [{names}]")
            elif len(box) != 4:
                self.problems.add("M26", where, f"{len(box):,} values", f"four numbers [{names}]", _box_hint(box))
            else:
                for position, number in enumerate(box):
                    steps = keys[position] if keys else (position,)
                    if not _is_number(number):
                        self.problems.add("M26", where.at(*steps), shown(number), "a number")
                    elif not _is_finite(number):
                        self.problems.add("M28", where.at(*steps), shown(number), "a finite number")
        return None

    def to_pixels(self, array: _Floats, order: BoxOrder, place: Place, image: ImageResult) -> _Floats | None:
        """Relative coordinates times the size of their image, or None where that is not known (image-size)."""
        if image.size is None:
            self.problems.add(
                "image-size",
                place,
                f"coordinates relative to image {image.key!r}, whose size is not known",
                "height and width",
                "pass sizes= (--sizes)",
            )
            return None
        height, width = image.size
        x, y = float(width), float(height)
        scale = {"yxyx": [y, x, y, x], "xxyy": [x, x, y, y]}.get(order, [x, y, x, y])
        pixels: _Floats = array * np.array(scale)
        return pixels

    def _refuse_inverted(
        self, rows: npt.NDArray[np.intp], array: _Floats, place: Place, image: ImageResult, order: BoxOrder, named: bool
    ) -> None:
        hint = ""
        if order == "xyxy" and not named and (array[:, 2:] >= 0).all():
            right, bottom = (array[:, :2] + array[:, 2:]).max(axis=0)
            if image.size is None or (right <= image.size[1] + 1 and bottom <= image.size[0] + 1):
                hint = "looks like x, y, width, height: pass boxes='xywh' (--boxes xywh)"
        for row in rows.tolist():
            a, b, c, d = array[row].tolist()
            if order == "xyxy":
                found = f"x2 {c:g} < x1 {a:g}" if c < a else f"y2 {d:g} < y1 {b:g}"
                self.problems.add("M27", place[row], found, "x1 <= x2 and y1 <= y2", hint)
            else:
                numbers = ", ".join(f"{value:g}" for value in (a, b, c, d))
                found = f"a negative width or height in {_COORDINATES[order]} = {numbers}"
                self.problems.add("M27", place[row], found, "a width and height from 0")

    def _settle(self, boxes: _Floats, place: Place, image: ImageResult, relative: bool) -> _Floats:
        """Warn of boxes that are likely not meant (M37), and clip them if asked."""
        low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
        flat = np.asarray((boxes[:, 2:] == 0).any(axis=1))
        if flat.any():
            self._warn_boxes(flat, place, "a box without area", "a width and height above 0")
        if not relative and high.max() <= 1 and not flat.all() and (image.size is None or max(image.size) > 1):
            self._warn_boxes(
                ~flat,
                place,
                "boxes with all coordinates from 0 to 1",
                "pixels",
                "relative to the image's size? Pass relative=True (--relative) and the sizes",
            )
        outside = np.asarray((low < 0).any(axis=1))
        if image.size is not None:
            height, width = image.size
            outside = outside | (high[:, 0] > width) | (high[:, 1] > height)
        if outside.any():
            size = "" if image.size is None else f", which is {image.size[1]} wide and {image.size[0]} high"
            kept = "clipped to it" if self.options.clip else "kept as it is; clip=True (--clip) cuts it"
            self._warn_boxes(outside, place, "a box that reaches out of its image", f"a box within it{size}", kept)
            if self.options.clip:
                return _clipped(boxes, image.size)
        return boxes

    def _warn_boxes(
        self, which: npt.NDArray[np.bool_], place: Place, found: str, expected: str, hint: str = ""
    ) -> None:
        first = int(np.flatnonzero(which)[0])
        self.notes.warn("M37", place[first], found, expected, hint, int(which.sum()), kind=found)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def _floats(values: Sequence[Any]) -> _Floats | None:
    """Finite numbers as an array, or None where one is not (booleans and text included)."""
    if not set(map(type, values)) <= {int, float}:
        return None
    try:
        array = np.array(values, np.float64)
    except OverflowError:
        return None
    return array if np.isfinite(array).all() else None


def _box_hint(box: list[Any]) -> str:
    if len(box) == 2 and all(isinstance(part, list) and len(part) == 2 for part in box):
        return "two points [[x1, y1], [x2, y2]]? Write the four numbers in one list"
    if len(box) == 1 and isinstance(box[0], list):
        return "a list in a list: take the inner one"
    if len(box) in (5, 6):
        return "a score or a label among the coordinates? They have lists of their own, scores and labels"
    if len(box) == 8:
        return "four corners of a rotated box? Only upright boxes are read"
    return ""


def _clipped(boxes: _Floats, size: tuple[int, int] | None) -> _Floats:
    top = np.array([np.inf, np.inf] if size is None else [size[1], size[0]], np.float64)
    corners = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    low, high = (np.clip(corner, 0, top) for corner in corners)
    # A side that was not cut keeps its width or height to the bit.
    kept = (low == corners[0]) & (high == corners[1])
    return np.hstack([low, np.where(kept, boxes[:, 2:], high - low)])
