"""Vector outlines as a source gave them, kept beside the masks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.model.columns import (
    Frozen,
    Rows,
    check_finite,
    check_offsets,
    column,
    concat_offsets,
    offsets_of,
    refuse,
    row_numbers,
    take_ragged,
)
from rapideval.model.masks import Masks, kernel_errors

__all__ = ["Polygons"]


class Polygons(Frozen):
    """Rings of points, some to a row: the rings of a row are painted in order, a hole clears what is below it.

    A row without rings has no outline. Rings are closed implicitly: the first point is not repeated.

    Parameters
    ----------
    coordinates : float64 array of shape (P, 2)
        x, y in pixels, as the source gives them.
    ring_offsets : int64 array of shape (R + 1,)
        Ring r is ``coordinates[ring_offsets[r]:ring_offsets[r + 1]]``.
    row_offsets : int64 array of shape (N + 1,)
        Row n owns the rings ``row_offsets[n]`` to ``row_offsets[n + 1]``.
    ring_is_hole : bool array of shape (R,), optional
        Which rings are holes of the rings before them; none by default (COCO has none).

    Examples
    --------
    >>> polygons = Polygons.from_rings([[[0, 0, 4, 0, 4, 3, 0, 3]], []])
    >>> len(polygons), polygons.present.tolist(), polygons.boxes[0].tolist()
    (2, [True, False], [0.0, 0.0, 4.0, 3.0])
    """

    __slots__ = ("coordinates", "ring_is_hole", "ring_offsets", "row_offsets")
    coordinates: npt.NDArray[np.float64]
    ring_offsets: npt.NDArray[np.int64]
    row_offsets: npt.NDArray[np.int64]
    ring_is_hole: npt.NDArray[np.bool_]

    def __init__(
        self,
        coordinates: npt.ArrayLike,
        ring_offsets: npt.ArrayLike,
        row_offsets: npt.ArrayLike,
        ring_is_hole: npt.ArrayLike | None = None,
    ) -> None:
        points = column(coordinates, np.float64, "polygons.coordinates", width=2)
        check_finite(points, "polygons.coordinates")
        rings = column(ring_offsets, np.int64, "polygons.ring_offsets")
        check_offsets(rings, len(points), "polygons.ring_offsets")
        rows = column(row_offsets, np.int64, "polygons.row_offsets")
        check_offsets(rows, len(rings) - 1, "polygons.row_offsets")
        if ring_is_hole is None:
            ring_is_hole = np.zeros(len(rings) - 1, np.bool_)
        holes = column(ring_is_hole, np.bool_, "polygons.ring_is_hole", len(rings) - 1)
        firsts = rows[:-1][np.diff(rows) > 0]
        if len(firsts) and holes.any() and holes[firsts].any():
            row = int(np.flatnonzero(np.diff(rows) > 0)[np.flatnonzero(holes[firsts])[0]])
            refuse(
                "polygon-hole",
                f"polygons[{row}]",
                "a hole as the first ring",
                "an outer ring before its holes",
            )
        self._set(coordinates=points, ring_offsets=rings, row_offsets=rows, ring_is_hole=holes)

    @classmethod
    def from_rings(
        cls,
        rows: Iterable[Sequence[npt.ArrayLike]],
        holes: Iterable[Sequence[bool]] | None = None,
    ) -> Self:
        """Polygons from nested rings; a ring is (n, 2) points or COCO's flat [x0, y0, x1, y1, ...]."""
        rings: list[npt.NDArray[np.float64]] = []
        per_row: list[int] = []
        for row, given in enumerate(rows):
            for ring in given:
                rings.append(_points(ring, row))
            per_row.append(len(given))
        flat_holes = None
        if holes is not None:
            flags = [list(row_flags) for row_flags in holes]
            if [len(row_flags) for row_flags in flags] != per_row:
                refuse("polygon-hole", "polygons.holes", "flags that do not fit the rings", "one flag for each ring")
            flat_holes = np.array([flag for row_flags in flags for flag in row_flags], np.bool_)
        points = np.concatenate(rings) if rings else np.empty((0, 2))
        return cls(points, offsets_of([len(ring) for ring in rings]), offsets_of(per_row), flat_holes)

    @classmethod
    def empty(cls, length: int) -> Self:
        """Polygons of `length` rows, none of which has any."""
        return cls(np.empty((0, 2)), np.zeros(1, np.int64), np.zeros(length + 1, np.int64))

    def __len__(self) -> int:
        return len(self.row_offsets) - 1

    def rings(self, row: int) -> list[npt.NDArray[np.float64]]:
        """Rings (n, 2) of one row, holes among them."""
        row = range(len(self))[row]
        return [
            self.coordinates[self.ring_offsets[r] : self.ring_offsets[r + 1]]
            for r in range(self.row_offsets[row], self.row_offsets[row + 1])
        ]

    def holes(self, row: int) -> npt.NDArray[np.bool_]:
        """Which rings of one row are holes."""
        row = range(len(self))[row]
        return self.ring_is_hole[self.row_offsets[row] : self.row_offsets[row + 1]]

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which rows have an outline, (N,)."""
        return np.diff(self.row_offsets) > 0

    @property
    def part_counts(self) -> npt.NDArray[np.int64]:
        """How many parts each row has: rings that are no holes, (N,).

        Examples
        --------
        >>> square, hole = [0, 0, 9, 0, 9, 9], [5, 1, 8, 1, 8, 4]
        >>> polygons = Polygons.from_rings([[square, hole], [], [square, square]], [[False, True], [], [False] * 2])
        >>> polygons.part_counts.tolist(), polygons.holed.tolist()
        ([1, 0, 2], [True, False, False])
        """
        upto = np.concatenate([[0], np.cumsum(~self.ring_is_hole)])
        counts: npt.NDArray[np.int64] = np.diff(upto[self.row_offsets])
        return counts

    @property
    def holed(self) -> npt.NDArray[np.bool_]:
        """Which rows have holes, (N,)."""
        holed: npt.NDArray[np.bool_] = np.diff(self.row_offsets) > self.part_counts
        return holed

    @property
    def boxes(self) -> npt.NDArray[np.float64]:
        """Tight boxes x, y, width, height (N, 4) of the points; 0 for a row without any."""
        point_offsets = self.ring_offsets[self.row_offsets]
        rows = np.flatnonzero(np.diff(point_offsets) > 0)
        boxes = np.zeros((len(self), 4))
        if len(rows):
            starts = point_offsets[rows]
            low = np.minimum.reduceat(self.coordinates, starts)
            high = np.maximum.reduceat(self.coordinates, starts)
            boxes[rows] = np.hstack([low, high - low])
        return boxes

    def rasterise(self, sizes: npt.ArrayLike, threads: int = 0) -> Masks:
        """Masks of these outlines by COCO's rasteriser; a row without an outline has none.

        Parameters
        ----------
        sizes : uint32 array of shape (N, 2)
            Height and width of each row's image.
        """
        sizes = column(sizes, np.uint32, "sizes", len(self), 2)
        present = self.present
        rows = np.flatnonzero(present)
        chosen = self if len(rows) == len(self) else self.take(rows)
        with kernel_errors("polygons", rows):
            counts, offsets = _core.rle_from_polygons(
                chosen.coordinates,
                chosen.ring_offsets,
                chosen.row_offsets,
                chosen.ring_is_hole,
                sizes[rows],
                threads,
            )
        return Masks(counts, offsets, sizes[rows], checked=True).spread(rows, len(self))

    def take(self, rows: Rows) -> Self:
        """Outlines of the chosen rows."""
        rings, row_offsets = take_ragged(self.row_offsets, row_numbers(rows, len(self)))
        points, ring_offsets = take_ragged(self.ring_offsets, rings)
        return type(self)(self.coordinates[points], ring_offsets, row_offsets, self.ring_is_hole[rings])

    @classmethod
    def concat(cls, parts: Sequence[Polygons]) -> Self:
        """Outlines of several columns, one after another."""
        if not parts:
            return cls.empty(0)
        return cls(
            np.concatenate([part.coordinates for part in parts]),
            concat_offsets([part.ring_offsets for part in parts]),
            concat_offsets([part.row_offsets for part in parts]),
            np.concatenate([part.ring_is_hole for part in parts]),
        )

    def __repr__(self) -> str:
        rings = len(self.ring_is_hole)
        return f"Polygons({len(self):,} rows, {rings:,} rings, {int(self.ring_is_hole.sum()):,} of them holes)"


def _points(ring: npt.ArrayLike, row: int) -> npt.NDArray[np.float64]:
    """Points (n, 2) of a ring as numbers in a row, as points, or as OpenCV's contours (n, 1, 2)."""
    points = np.asarray(ring, np.float64)
    flat = points.ndim == 1 and len(points) % 2 == 0
    if not flat and points.shape[1:] not in ((2,), (1, 2)):
        found = f"{len(points)} numbers" if points.ndim == 1 else f"an array of shape {points.shape}"
        refuse("polygon-points", f"polygons[{row}]", found, "pairs of x, y")
    return points.reshape(-1, 2)
