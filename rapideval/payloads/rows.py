"""Annotations gathered image by image, and made columns at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import InputError
from rapideval.model import Annotations, Extras, Images, Masks, Polygons, Source
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import LabelNames
from rapideval.payloads.places import Problems

__all__ = ["Rows", "Table"]

_Floats = npt.NDArray[np.float64]


@dataclass(slots=True)
class Rows:
    """Annotations of one image; columns that are None are not there.

    Attributes
    ----------
    boxes
        x, y, width, height (N, 4). If None, those of masks and polygons.
    origin
        Place of a row, with ``{row}`` for its number.
    numbers
        Numbers of the rows there, 0 to N - 1 if None.
    """

    labels: Sequence[str]
    boxes: _Floats | None = None
    scores: _Floats | None = None
    masks: Masks | None = None
    polygons: Polygons | None = None
    extras: Sequence[dict[str, Any]] | None = None
    origin: str = ""
    numbers: Sequence[int] | None = None

    def where(self, row: int) -> str:
        """Place of one row."""
        return self.origin.replace("{row}", str(row if self.numbers is None else self.numbers[row]))


class Table:
    """The rows of all images."""

    def __init__(self, labels: LabelNames, problems: Problems) -> None:
        self.labels, self.problems = labels, problems
        self._parts: list[tuple[ImageResult, Rows]] = []

    def add(self, image: ImageResult, rows: Rows) -> None:
        """Keep the annotations of one image, whose size its masks tell where it is not known (else M32)."""
        if rows.masks is not None and not self._fits(image, rows.masks, rows):
            return
        if rows.polygons is not None and image.size is not None and not self._draw(image.size, rows.polygons, rows):
            return
        self._parts.append((image, rows))

    def _draw(self, size: tuple[int, int], polygons: Polygons, rows: Rows) -> bool:
        """Draw outlines as masks, as the size of their image is known: areas are those of masks then, as COCO's."""
        try:
            drawn = polygons.rasterise(np.broadcast_to(np.array(size, np.uint32), (len(polygons), 2)))
        except InputError as error:
            for problem in error.problems:
                row = re.fullmatch(r"polygons\[(\d+)\]", problem.where)
                where = rows.where(int(row[1])) if row else rows.where(0)
                self.problems.add(problem.rule, where, problem.found, problem.expected, problem.hint)
            return False
        rows.masks = drawn if rows.masks is None else _first(rows.masks, drawn)
        return True

    def _fits(self, image: ImageResult, masks: Masks, rows: Rows) -> bool:
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
                rows.where(row),
                f"a mask of height {height}, width {width}",
                f"height {image.size[0]}, width {image.size[1]}, as {what}",
                "rows and columns look swapped (W x H)" if (width, height) == image.size else "",
            )
        return not len(wrong)

    def annotations(self) -> Annotations:
        """All rows as columns."""
        parts = [(image, rows) for image, rows in self._parts if len(rows.labels)]
        if not parts:
            return Annotations.empty(scored=any(rows.scores is not None for _, rows in self._parts))
        counts = [len(rows.labels) for _, rows in parts]
        scored = self._scored(parts)
        tables = [rows for _, rows in parts]
        numbers = [range(len(rows.labels)) if rows.numbers is None else rows.numbers for rows in tables]
        derived = all(rows.boxes is None for rows in tables)
        source = Source(
            [rows.origin for rows in tables],
            np.fromiter(chain.from_iterable(numbers), np.int64),
            np.repeat(np.arange(len(parts), dtype=np.int32), counts),
        )
        return Annotations(
            image=np.repeat(np.array([image.index for image, _ in parts], np.int32), counts),
            label=self._label_places(tables),
            box=None if derived else np.concatenate([_boxes(rows) for rows in tables]),
            score=np.concatenate([rows.scores for rows in tables if rows.scores is not None]) if scored else None,
            masks=_ragged(Masks, [rows.masks for rows in tables], counts),
            polygons=_ragged(Polygons, [rows.polygons for rows in tables], counts),
            source=source,
            extras=_extras([rows.extras for rows in tables], counts),
        )

    def _label_places(self, tables: Sequence[Rows]) -> npt.NDArray[np.int32]:
        """Place of each row's label, in the order in which names are first met."""
        names = chain.from_iterable(rows.labels for rows in tables)
        places = {name: self.labels.place(name) for name in dict.fromkeys(names)}
        return np.fromiter(chain.from_iterable(map(places.__getitem__, rows.labels) for rows in tables), np.int32)

    def _scored(self, parts: Sequence[tuple[ImageResult, Rows]]) -> bool:
        """Whether all have scores; where only some have, that is a problem."""
        scored = [rows.scores is not None for _, rows in parts]
        if any(scored) and not all(scored):
            image, rows = parts[scored.index(False)]
            self.problems.add(
                "M24",
                rows.where(0),
                f"{len(rows.labels):,} results without scores for image {image.key!r}",
                "scores for all images, or for none",
            )
            self.problems.check()
        return all(scored)

    @staticmethod
    def sized(images: Images, results: Sequence[ImageResult]) -> Images:
        """The images with the sizes that came to be known."""
        if not results:
            return images
        sizes = images.sizes.copy()
        for result in results:
            if result.size is not None:
                sizes[result.index] = result.size
        return images.with_sizes(sizes)


def _first(masks: Masks, others: Masks) -> Masks:
    """Masks, and those of the others where there is none."""
    rows = np.where(masks.present, np.arange(len(masks)), len(masks) + np.arange(len(masks)))
    return Masks.concat([masks, others]).take(rows)


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
