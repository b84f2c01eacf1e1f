"""Outlines of annotations for formats that draw shapes: of masks, of boxes, with and without holes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.formats.capabilities import Loss, plural
from rapideval.formats.outlines import outlines
from rapideval.model import Annotations, Dataset, Masks, Polygons

__all__ = [
    "HOLES",
    "Holes",
    "box_outlines",
    "bridged",
    "corners",
    "ellipse",
    "one_ring_losses",
    "outlines_of",
    "rotated",
    "single_rings",
    "turned",
]

Holes = Literal["bridge", "fill", "refuse"]
HOLES = ("bridge", "fill", "refuse")

Ring = npt.NDArray[np.float64]


def outlines_of(rows: Annotations, outline_iou: float | None = None) -> Polygons:
    """Outline of each row: its own, else that of its mask, exact or simplified; none for a plain box.

    Parameters
    ----------
    rows
        N annotations.
    outline_iou
        Lowest IoU of a mask and its outline, where points may be left out.
    """
    count = len(rows)
    own = np.zeros(count, np.bool_) if rows.polygons is None else rows.polygons.present
    masked = np.zeros(count, np.bool_) if rows.masks is None else rows.masks.present & ~own
    if rows.polygons is None or masked.any():
        parts, order = [Polygons.empty(int((~own & ~masked).sum()))], [np.flatnonzero(~own & ~masked)]
        if rows.polygons is not None:
            parts.append(rows.polygons.take(own))
            order.append(np.flatnonzero(own))
        if rows.masks is not None and masked.any():
            parts.append(outlines(rows.masks.take(masked), outline_iou))
            order.append(np.flatnonzero(masked))
        return Polygons.concat(parts).take(np.argsort(np.concatenate(order), kind="stable"))
    return rows.polygons


def corners(box: Sequence[float] | npt.NDArray[np.float64]) -> Ring:
    """Corners of a box x, y, width, height, clockwise from the top-left one: (4, 2)."""
    x, y, width, height = (float(v) for v in box)
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])


def box_outlines(boxes: npt.NDArray[np.float64]) -> Polygons:
    """Outlines of boxes (N, 4), clockwise as seen on the screen from the top-left corner."""
    x, y, width, height = boxes.T
    four = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    points = np.stack([np.stack(corner, axis=1) for corner in four], axis=1).reshape(-1, 2)
    return Polygons(points, np.arange(0, len(points) + 1, 4), np.arange(len(boxes) + 1))


def turned(box: Sequence[float], degrees: float, pivot: tuple[float, float] | None = None) -> Ring:
    """Corners of a box that is turned clockwise as seen on the screen, about its centre or another point.

    Examples
    --------
    >>> turned((0, 0, 4, 2), 90).round(9).tolist()
    [[3.0, -1.0], [3.0, 3.0], [1.0, 3.0], [1.0, -1.0]]
    """
    x, y, width, height = box
    return rotated(corners(box), degrees, pivot or (x + width / 2, y + height / 2))


def rotated(ring: Ring, degrees: float, pivot: tuple[float, float]) -> Ring:
    """Points turned clockwise as seen on the screen about a point; whole quarter turns are exact."""
    quarters = degrees / 90
    if quarters.is_integer():
        cosine, sine = ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[int(quarters) % 4]
    else:
        cosine, sine = float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees)))
    moved = ring - pivot
    return np.stack([moved[:, 0] * cosine - moved[:, 1] * sine, moved[:, 0] * sine + moved[:, 1] * cosine], 1) + pivot


def ellipse(cx: float, cy: float, rx: float, ry: float, degrees: float = 0.0, points: int = 72) -> Ring:
    """Outline of an ellipse: points at equal angles, so far out that the area is the ellipse's."""
    angles = 2 * np.pi * np.arange(points) / points
    out = np.sqrt((2 * np.pi / points) / np.sin(2 * np.pi / points))  # the polygon within has less
    ring = np.stack([cx + rx * out * np.cos(angles), cy + ry * out * np.sin(angles)], axis=1)
    return rotated(ring, degrees, (cx, cy)) if degrees else ring


def even_odd(rings: Sequence[Ring]) -> tuple[list[Ring], list[bool]]:
    """Rings of an outline whose inside is what an odd number of them surrounds: which are holes, and in whose order.

    Returns
    -------
    list of arrays, list of bool
        An exterior before its holes, otherwise in the order given; which of them are holes.
    """
    if len(rings) < 2:
        return list(rings), [False] * len(rings)
    import shapely

    shapes = {place: shapely.Polygon(ring) for place, ring in enumerate(rings) if len(ring) > 2}
    around = [
        {place for place, shape in shapes.items() if place != own and shape.contains(shapely.Point(ring[0]))}
        for own, ring in enumerate(rings)
    ]
    order = []
    for place, outer in enumerate(around):
        if len(outer) % 2 == 0:
            order.append(place)
            order += [n for n, others in enumerate(around) if len(others) == len(outer) + 1 and place in others]
    holes = [len(outer) % 2 == 1 for outer in around]
    return [rings[place] for place in order], [holes[place] for place in order]


# --- masks in the place of outlines ----------------------------------------------------------------


def masks_of_complex(dataset: Dataset) -> Masks | None:
    """Masks of the rows that have one, and of outlines of more than one ring; outlines of one ring have none."""
    polygons = dataset.annotations.polygons
    return dataset.annotations.masks if polygons is None else _masks_where(dataset, np.diff(polygons.row_offsets) > 1)


def masks_of_holed(dataset: Dataset) -> Masks | None:
    """Masks of the rows that have one, and of outlines with holes; other outlines have none."""
    polygons = dataset.annotations.polygons
    if polygons is None:
        return dataset.annotations.masks
    return _masks_where(dataset, polygons.holed)


def masks_of_parted(dataset: Dataset) -> Masks | None:
    """Masks of the rows that have one, and of outlines of several parts; other outlines have none."""
    polygons = dataset.annotations.polygons
    if polygons is None:
        return dataset.annotations.masks
    return _masks_where(dataset, polygons.part_counts > 1)


def _masks_where(dataset: Dataset, drawn: npt.NDArray[np.bool_]) -> Masks | None:
    """Masks of the outlines that are drawn, and of rows that have no outline but a mask."""
    rows = dataset.annotations
    polygons, masks = rows.polygons, rows.masks
    assert polygons is not None
    plain = polygons.present & ~drawn
    if not drawn.any() and (masks is None or not (masks.present & ~plain).any()):
        return None
    kept = Polygons.concat([polygons.take(drawn), Polygons.empty(int((~drawn).sum()))])
    kept = kept.take(np.argsort(np.concatenate([np.flatnonzero(drawn), np.flatnonzero(~drawn)]), kind="stable"))
    made = dataset.replace(annotations=rows.replace(polygons=kept, box=rows.box)).with_masks().annotations.masks
    assert made is not None
    wanted = np.flatnonzero(made.present & ~plain)
    return made.take(wanted).spread(wanted, len(rows))


# --- one ring --------------------------------------------------------------------------------------


def single_rings(polygons: Polygons, row: int, holes: Holes = "bridge") -> list[Ring]:
    """Rings of one row without holes, one for each of its parts.

    Parameters
    ----------
    polygons, row
        Whose.
    holes
        ``"bridge"`` joins a hole to its exterior by a line that is walked there and back, so that area and rasterised
        mask stay what they are; ``"fill"`` leaves holes out; ``"refuse"`` raises.
    """
    check_holes(holes)
    parts: list[list[Ring]] = []
    for ring, hole in zip(polygons.rings(row), polygons.holes(row).tolist(), strict=True):
        if not hole:
            parts.append([ring])
        elif holes == "refuse":
            raise UsageError(f"annotation {row} has a hole, which this format cannot hold: holes='bridge' or 'fill'")
        elif holes == "bridge":
            parts[-1].append(ring)
    return [bridged(part) for part in parts]


def check_holes(holes: str) -> None:
    """Refuse another choice than those there are."""
    if holes not in HOLES:
        raise UsageError(f"holes={holes!r}: one of {', '.join(HOLES)}")


def bridged(rings: Sequence[Ring]) -> Ring:
    """One closed path of several rings: each is joined to those before it at the two points that are nearest.

    The joining line is walked in both directions. Painted by the even-odd rule or by COCO's rasteriser it vanishes.

    Examples
    --------
    >>> outer, inner = np.array([[0, 0], [9, 0], [9, 9.0]]), np.array([[5, 1], [8, 1], [8, 4.0]])
    >>> bridged([outer, inner]).astype(int).tolist()
    [[0, 0], [9, 0], [8, 1], [8, 4], [5, 1], [8, 1], [9, 0], [9, 9]]
    """
    path = rings[0]
    for ring in rings[1:]:
        here, there = _nearest(path, ring)
        walk = np.roll(ring, -there, axis=0)
        path = np.concatenate([path[: here + 1], walk, walk[:1], path[here:]])
    return path


def _nearest(path: Ring, ring: Ring) -> tuple[int, int]:
    """Places of the two points that are nearest to each other."""
    best, found = np.inf, (0, 0)
    for place, point in enumerate(ring):
        distances = ((path - point) ** 2).sum(axis=1)
        near = int(distances.argmin())
        if distances[near] < best:
            best, found = float(distances[near]), (near, place)
    return found


def one_ring_losses(dataset: Dataset, holes: str) -> list[Loss]:
    """What becomes of holes and of several parts in a format whose outlines are one ring."""
    check_holes(holes)
    given = dataset.annotations.polygons
    holed = 0 if given is None else int(given.holed.sum())
    several = 0 if given is None else int((given.part_counts > 1).sum())
    done = "filled" if holes == "fill" else "joined to their exterior by a line"
    return [
        Loss("holes", holed, f"the holes of {plural(holed, 'outline')}: {done}"),
        Loss("parts", several, f"{plural(several, 'outline')} of several parts: joined by a line"),
    ]
