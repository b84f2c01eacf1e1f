"""Masks into outlines: along the pixel edges exactly, or simplified to a floor on the overlap with the mask.

An exact outline rasterises to the very mask it was made of. Its rings are simple and valid as shapely and other
geometry libraries define it: where pixels of a mask touch at a corner only, two parts, or two holes, touch in a point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import UsageError
from rapideval.model import Masks, Polygons
from rapideval.model.columns import offsets_of

if TYPE_CHECKING:
    pass

__all__ = ["from_shapely", "outlines", "ring_areas", "to_shapely"]

# Tolerances in pixels that simplification tries, coarsest first.
TOLERANCES = (16.0, 8.0, 5.0, 3.5, 2.5, 1.75, 1.25, 0.9, 0.7, 0.5)


def outlines(masks: Masks, outline_iou: float | None = None, threads: int = 0) -> Polygons:
    """Outlines of masks, an exterior ring before its holes and before what lies in them.

    Parameters
    ----------
    masks
        N masks; a row without a mask, or with an empty one, gets no ring.
    outline_iou
        Lowest IoU of a mask and its rasterised outline, above 0 and at most 1: points are left out as long as it
        holds. None keeps them all.
    threads
        0: all of the machine.

    Returns
    -------
    Polygons
        Exteriors run clockwise as seen on the screen (y down), holes the other way.

    Examples
    --------
    >>> import numpy as np
    >>> ring = np.ones((3, 3), bool)
    >>> ring[1, 1] = False
    >>> [len(part) for part in outlines(Masks.from_dense(ring)).rings(0)]
    [4, 4]
    """
    if outline_iou is not None and not 0 < outline_iou <= 1:
        raise UsageError(f"an outline_iou of {outline_iou}: it is above 0 and at most 1")
    exact = _simple_rings(Polygons(*_core.rle_outlines(masks.counts, masks.offsets, masks.sizes, 4, threads)))
    if outline_iou is None or outline_iou == 1:
        return exact
    return _simplified(masks, exact, outline_iou, threads)


# --- simple rings ------------------------------------------------------------------------------------


def _simple_rings(polygons: Polygons) -> Polygons:
    """Rings that touch themselves in a point, cut there into rings that do not."""
    touching = _touching_rings(polygons)
    if not len(touching):
        return polygons
    rows = np.repeat(np.arange(len(polygons)), np.diff(polygons.row_offsets))
    cut = set(touching.tolist())
    rings: list[npt.NDArray[np.float64]] = []
    row_of: list[int] = []
    holes: list[bool] = []
    for ring in range(len(polygons.ring_is_hole)):
        points = polygons.coordinates[polygons.ring_offsets[ring] : polygons.ring_offsets[ring + 1]]
        parts = _cut(points) if ring in cut else [points]
        hole = bool(polygons.ring_is_hole[ring])
        if ring in cut:
            # The parts of an exterior are exteriors, and the bays it closes are holes of theirs.
            parts.sort(key=lambda part: _signed_area(part) < 0)
        rings += parts
        holes += [_signed_area(part) < 0 if ring in cut else hole for part in parts]
        row_of += [int(rows[ring])] * len(parts)
    per_row = np.bincount(row_of, minlength=len(polygons))
    return Polygons(
        np.concatenate(rings), offsets_of([len(ring) for ring in rings]), offsets_of(per_row), np.array(holes)
    )


def _touching_rings(polygons: Polygons) -> npt.NDArray[np.int64]:
    """Rings that pass through a point twice."""
    points = polygons.coordinates
    if not len(points):
        return np.empty(0, np.int64)
    ring = np.repeat(np.arange(len(polygons.ring_is_hole)), np.diff(polygons.ring_offsets))
    order = np.lexsort((points[:, 1], points[:, 0], ring))
    x, y, ring = points[order, 0], points[order, 1], ring[order]
    again = (x[1:] == x[:-1]) & (y[1:] == y[:-1]) & (ring[1:] == ring[:-1])
    return np.unique(ring[1:][again])


def _cut(points: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
    """Cut a closed path at the points it passes through twice."""
    parts: list[npt.NDArray[np.float64]] = []
    path: list[tuple[float, float]] = []
    place: dict[tuple[float, float], int] = {}
    for point in map(tuple, points.tolist()):
        if point in place:
            start = place[point]
            parts.append(np.array(path[start:]))
            for passed in path[start + 1 :]:
                del place[passed]
            del path[start + 1 :]
        else:
            place[point] = len(path)
            path.append(point)
    parts.append(np.array(path))
    return parts


def _signed_area(points: npt.NDArray[np.float64]) -> float:
    x, y = points[:, 0], points[:, 1]
    return float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)) / 2


def ring_areas(coordinates: npt.NDArray[np.float64], ring_offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Signed areas of rings: above 0 where they run from x to y, so counterclockwise where y points up."""
    lengths = np.diff(ring_offsets)
    areas = np.zeros(len(lengths))
    full = lengths > 0
    if not full.any():
        return areas
    following = np.arange(1, len(coordinates) + 1)
    following[ring_offsets[1:][full] - 1] = ring_offsets[:-1][full]
    # Relative to each ring's first point: far from the origin, products of coordinates lose their last digits.
    near = coordinates - np.repeat(coordinates[ring_offsets[:-1][full]], lengths[full], axis=0)
    x, y = near[:, 0], near[:, 1]
    areas[full] = np.add.reduceat(x * y[following] - x[following] * y, ring_offsets[:-1][full]) / 2
    return areas


# --- simplification ----------------------------------------------------------------------------------


def _simplified(masks: Masks, exact: Polygons, floor: float, threads: int) -> Polygons:
    """The coarsest outline of each row that keeps the floor: rasterised and measured, never assumed."""
    import shapely

    rows = np.flatnonzero(exact.present)
    shapes = to_shapely(exact.take(rows))
    chosen: list[tuple[npt.NDArray[np.int64], Polygons]] = []
    for tolerance in TOLERANCES:
        if not len(rows):
            break
        coarse = shapely.simplify(shapes, tolerance, preserve_topology=True)
        candidates = from_shapely(coarse)
        drawn = candidates.rasterise(masks.sizes[rows], threads)
        wanted = masks.take(rows)
        pairs = np.repeat(np.arange(len(rows))[:, None], 2, axis=1)
        overlap = _core.rle_iou_pairs(
            drawn.counts, drawn.offsets, drawn.sizes, wanted.counts, wanted.offsets, wanted.sizes,
            np.zeros(len(rows), np.bool_), pairs, threads,
        )  # fmt: skip
        good = shapely.is_valid(coarse) & (overlap >= floor)
        chosen.append((rows[good], candidates.take(good)))
        rows, shapes = rows[~good], shapes[~good]
    chosen.append((rows, exact.take(rows)))
    chosen.append((np.flatnonzero(~exact.present), Polygons.empty(int((~exact.present).sum()))))
    order = np.argsort(np.concatenate([numbers for numbers, _ in chosen]), kind="stable")
    return Polygons.concat([part for _, part in chosen]).take(order)


# --- shapely -----------------------------------------------------------------------------------------


def to_shapely(polygons: Polygons) -> npt.NDArray[Any]:
    """Shapely geometries of outlines: MultiPolygons, without parts for a row that has none."""
    import shapely

    exterior = ~polygons.ring_is_hole
    # Each exterior begins a polygon, whose holes follow it.
    ring_ends = polygons.ring_offsets[1:]
    closing = np.full(len(polygons.coordinates) + len(ring_ends), -1, np.int64)
    firsts = polygons.ring_offsets[:-1]
    closed_offsets = polygons.ring_offsets + np.arange(len(polygons.ring_offsets))
    inner = np.ones(len(closing), np.bool_)
    inner[closed_offsets[1:] - 1] = False
    closing[inner] = np.arange(len(polygons.coordinates))
    closing[~inner] = firsts
    part_starts = np.flatnonzero(exterior)
    part_offsets = np.append(part_starts, len(exterior))
    row_offsets = np.searchsorted(part_starts, polygons.row_offsets)
    return np.asarray(
        shapely.from_ragged_array(
            shapely.GeometryType.MULTIPOLYGON,
            polygons.coordinates[closing],
            (closed_offsets, part_offsets, row_offsets),
        )
    )


def from_shapely(shapes: npt.ArrayLike) -> Polygons:
    """Outlines of shapely Polygons and MultiPolygons."""
    import shapely

    array = np.asarray(shapes, object)
    kinds = shapely.get_type_id(array)
    multi = np.where(kinds == shapely.GeometryType.POLYGON, _as_multi(array, kinds), array)
    _, coordinates, (rings, parts, rows) = shapely.to_ragged_array(multi)
    holes = np.ones(len(rings) - 1, np.bool_)
    holes[parts[:-1][np.diff(parts) > 0]] = False
    keep = np.ones(len(coordinates), np.bool_)
    keep[rings[1:] - 1] = False
    open_rings = np.asarray(rings, np.int64) - np.arange(len(rings))
    return Polygons(
        np.asarray(coordinates, np.float64)[keep][:, :2],
        open_rings,
        np.asarray(parts, np.int64)[np.asarray(rows)],
        holes,
    )


def _as_multi(array: npt.NDArray[Any], kinds: npt.NDArray[Any]) -> npt.NDArray[Any]:
    import shapely

    wrapped = array.copy()
    for place in np.flatnonzero(kinds == shapely.GeometryType.POLYGON):
        wrapped[place] = shapely.MultiPolygon([] if array[place].is_empty else [array[place]])
    return wrapped
