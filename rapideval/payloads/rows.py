"""Annotations gathered image by image, with the checks that every service needs, and made columns at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.model import Annotations, Extras, Images, Masks, Polygons, Source
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import BoxOrder, LabelNames, Options, to_xywh
from rapideval.payloads.places import Notes, Place, Problems
from rapideval.payloads.text import Reader, as_text, shown

__all__ = ["Context", "Rows"]

_Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Rows:
    """Annotations of one image; columns that are None are not there."""

    labels: Sequence[str]
    boxes: _Floats | None = None
    scores: _Floats | None = None
    masks: Masks | None = None
    polygons: Polygons | None = None
    extras: Sequence[dict[str, Any]] | None = None
    origin: str = ""
    numbers: Sequence[int] | None = None


@dataclass(slots=True)
class Context:
    """What a service's reader works with: options, the text reader, the problems, and the rows gathered so far."""

    options: Options
    reader: Reader
    labels: LabelNames
    problems: Problems
    notes: Notes
    _parts: list[tuple[ImageResult, Rows]] = field(default_factory=list)

    # --- checks of values ------------------------------------------------------------------------

    def box_array(self, values: Sequence[Any], place: Place, names: str = "x1, y1, x2, y2") -> _Floats | None:
        """Boxes (N, 4) as they stand; None, and problems noted, unless each is four finite numbers (M26, M28)."""
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
        bad = 0
        for index, box in enumerate(values):
            where = place[index]
            if not isinstance(box, list):
                self.problems.add("M26", where, shown(box), f"four numbers [{names}]")
            elif len(box) != 4:
                self.problems.add("M26", where, f"{len(box):,} values", f"four numbers [{names}]", _box_hint(box))
            else:
                for position, number in enumerate(box):
                    if isinstance(number, bool) or not isinstance(number, (int, float)):
                        self.problems.add("M26", where[position], shown(number), "a number")
                    elif not _finite(number):
                        self.problems.add("M28", where[position], shown(number), "a finite number")
                    else:
                        continue
                    bad += 1
                continue
            bad += 1
        assert bad
        return None

    def score_array(self, values: Sequence[Any], place: Place, percent: bool = False) -> _Floats | None:
        """Scores (N,) in [0, 1]; else None, and the problems are noted (M28, M29)."""
        top = 100 if percent else 1
        array = _floats(values)
        if array is not None and (not len(array) or (array.min() >= 0 and array.max() <= top)):
            return array / 100 if percent else array
        percents = all(
            isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value <= 100 for value in values
        )
        hint = "scores in percent? Say so: percent=True (--percent)" if percents and not percent else ""
        for index, value in enumerate(values):
            where = place[index]
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                self.problems.add("M29", where, shown(value), f"a number from 0 to {top}")
            elif not _finite(value):
                self.problems.add("M28", where, shown(value), "a finite number")
            elif not 0 <= value <= top:
                self.problems.add("M29", where, shown(value), f"a score from 0 to {top}", hint)
        return None

    def label_names(self, values: Sequence[Any], place: Place) -> list[str] | None:
        """Names of labels, of text or integers; else None, and the problems are noted (M30, label-unknown)."""
        if set(map(type, values)) <= {str} and "" not in values:
            return list(values)
        names: list[str] = []
        for index, value in enumerate(values):
            text = as_text(value)
            if text:
                names.append(text)
            elif isinstance(value, int) and not isinstance(value, bool):
                name = self.label_of_number(value, place[index])
                if name is not None:
                    names.append(name)
            else:
                whole = isinstance(value, float) and value.is_integer()
                hint = "an integer written as a float: convert it before json.dumps" if whole else ""
                found = "an empty text" if text == "" else shown(value)
                self.problems.add("M30", place[index], found, "text or an integer", hint)
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
            self.problems.add(
                "label-unknown",
                place,
                f"the label {number}",
                f"{self.labels.number_range()} ({count:,} label{'' if count == 1 else 's'} given)",
                "a list of labels is numbered from 0; a mapping of integer to name can begin elsewhere"
                if number == count
                else "",
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
    ) -> _Floats | None:
        """Boxes of an image as x, y, width, height in pixels, or None where something is wrong with them.

        Parameters
        ----------
        order, relative
            The service's convention; the caller's options override it.
        """
        order = self.options.boxes or order
        relative = relative if self.options.relative is None else self.options.relative
        names = {
            "xyxy": "x1, y1, x2, y2",
            "xywh": "x, y, width, height",
            "cxcywh": "centre x, centre y, width, height",
            "yxyx": "y1, x1, y2, x2",
            "xxyy": "x1, x2, y1, y2",
        }[order]
        array = self.box_array(values, place, names)
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
            self._refuse_inverted(inverted, array, values, place, image, order)
            return None
        return self._settle(boxes, place, image, relative)

    def to_pixels(self, array: _Floats, order: BoxOrder, place: Place, image: ImageResult) -> _Floats | None:
        """Relative boxes times the size of their image, which must be known."""
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
        self,
        rows: npt.NDArray[np.intp],
        array: _Floats,
        values: Sequence[Any],
        place: Place,
        image: ImageResult,
        order: BoxOrder,
    ) -> None:
        hint = ""
        if order == "xyxy" and (array[:, 2:] >= 0).all():
            right, bottom = (array[:, :2] + array[:, 2:]).max(axis=0)
            if image.size is None or (right <= image.size[1] + 1 and bottom <= image.size[0] + 1):
                hint = "looks like x, y, width, height: pass boxes='xywh' (--boxes xywh)"
        for row in rows.tolist():
            x1, y1, x2, y2 = array[row].tolist()
            if order == "xyxy":
                found = f"x2 {x2:g} < x1 {x1:g}" if x2 < x1 else f"y2 {y2:g} < y1 {y1:g}"
                self.problems.add("M27", place[row], found, "x1 <= x2 and y1 <= y2", hint)
            else:
                self.problems.add("M27", place[row], f"a negative width or height in {values[row]}", "sizes from 0")

    def _settle(self, boxes: _Floats, place: Place, image: ImageResult, relative: bool) -> _Floats:
        """Warn of boxes that are likely not meant (M37), and clip them if asked."""
        low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
        flat = (boxes[:, 2:] == 0).any(axis=1)
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
            outside |= (high[:, 0] > width) | (high[:, 1] > height)
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
        self.notes.warn("M37", place[first], found, expected, hint, int(which.sum()))

    # --- rows ------------------------------------------------------------------------------------

    def add(self, image: ImageResult, rows: Rows) -> None:
        """Keep the annotations of one image."""
        masks = rows.masks
        if masks is not None and len(masks) and not self._settle_size(image, masks, rows):
            return
        self._parts.append((image, rows))

    def _settle_size(self, image: ImageResult, masks: Masks, rows: Rows) -> bool:
        """Whether all masks have the size of their image, which the first mask decides where it is not known (M32)."""
        present = np.flatnonzero(masks.present)
        if not len(present):
            return True
        known = image.size is not None
        if image.size is None:
            height, width = masks.sizes[present[0]].tolist()
            image.size = (height, width)
        wrong = np.flatnonzero((masks.sizes != np.array(image.size)).any(axis=1) & masks.present)
        for row in wrong.tolist():
            height, width = masks.sizes[row].tolist()
            what = f"image {image.key!r}" if known else "the image's first mask"
            self.problems.add(
                "M32",
                rows.origin.replace("{row}", str(row)),
                f"a mask of height {height}, width {width}",
                f"height {image.size[0]}, width {image.size[1]}, as {what}",
                "rows and columns look swapped (W x H)" if (width, height) == image.size else "",
            )
        return not len(wrong)

    def annotations(self) -> Annotations:
        """All rows as columns, and the image sizes that masks told."""
        parts = [(image, rows) for image, rows in self._parts if len(rows.labels)]
        if not parts:
            return Annotations.empty(scored=any(rows.scores is not None for _, rows in self._parts))
        counts = [len(rows.labels) for _, rows in parts]
        derived = all(rows.boxes is None for _, rows in parts)
        scored = [rows.scores is not None for _, rows in parts]
        if any(scored) and not all(scored):
            image, rows = parts[scored.index(False)]
            self.problems.add(
                "M24",
                rows.origin.partition(".boxes")[0].partition(".masks")[0].replace("[{row}]", ""),
                f"{len(rows.labels):,} results without scores for image {image.key!r}",
                "scores for all images, or for none",
            )
            self.problems.check()
        origins = [rows.origin for _, rows in parts]
        numbers = [
            range(count) if rows.numbers is None else rows.numbers
            for count, (_, rows) in zip(counts, parts, strict=True)
        ]
        return Annotations(
            image=np.repeat(np.array([image.index for image, _ in parts], np.int32), counts),
            label=np.array([self.labels.place(name) for _, rows in parts for name in rows.labels], np.int32),
            box=None if derived else np.concatenate([_boxes(rows) for _, rows in parts]),
            score=np.concatenate([rows.scores for _, rows in parts if rows.scores is not None])
            if all(scored)
            else None,
            masks=_ragged(Masks, [rows.masks for _, rows in parts], counts),
            polygons=_ragged(Polygons, [rows.polygons for _, rows in parts], counts),
            source=Source(
                origins,
                np.fromiter(chain.from_iterable(numbers), np.int64),
                np.repeat(np.arange(len(parts)), counts).astype(np.int32),
            ),
            extras=_extras([rows.extras for _, rows in parts], counts),
        )

    def sized(self, images: Images, results: Sequence[ImageResult]) -> Images:
        """The images with the sizes that came to be known."""
        if not results:
            return images
        sizes = images.sizes.copy()
        for result in results:
            if result.size is not None:
                sizes[result.index] = result.size
        return images.with_sizes(sizes)


def _boxes(rows: Rows) -> _Floats:
    if rows.boxes is not None:
        return rows.boxes
    boxes = np.zeros((len(rows.labels), 4)) if rows.polygons is None else rows.polygons.boxes
    if rows.masks is not None:
        present = rows.masks.present
        boxes[present] = rows.masks.boxes[present]
    return boxes


def _ragged(kind: Any, columns: Sequence[Any], counts: Sequence[int]) -> Any:
    if all(column is None for column in columns):
        return None
    return kind.concat(
        [kind.empty(count) if column is None else column for column, count in zip(columns, counts, strict=True)]
    )


def _extras(columns: Sequence[Sequence[dict[str, Any]] | None], counts: Sequence[int]) -> Extras | None:
    if not any(any(column) for column in columns if column is not None):
        return None
    return Extras.from_dicts(
        chain.from_iterable(
            [None] * count if column is None else column for column, count in zip(columns, counts, strict=True)
        )
    )


def _floats(values: Sequence[Any]) -> _Floats | None:
    """Finite numbers as an array, or None where one is not (booleans and text included)."""
    if not set(map(type, values)) <= {int, float}:
        return None
    try:
        array = np.array(values, np.float64)
    except OverflowError:
        return None
    return array if np.isfinite(array).all() else None


def _finite(number: float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


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
    low = np.clip(boxes[:, :2], 0, top)
    high = np.clip(boxes[:, :2] + boxes[:, 2:], 0, top)
    return np.hstack(
        [low, np.where((low == boxes[:, :2]) & (high == boxes[:, :2] + boxes[:, 2:]), boxes[:, 2:], high - low)]
    )
