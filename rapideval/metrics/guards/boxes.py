"""Boxes that are not what they say: corners, fractions, negative, beyond the image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.metrics.guards.rules import Findings, Side, numbers

__all__ = ["check_boxes", "check_scale"]

SAMPLE = 2048
# Boxes of one or two pixels, all at the origin, are no objects: these are fractions of the image.
FRACTION_LIMIT = 2.0
SMALLEST_IMAGE = 16
# How far a box may reach beyond its image before it counts as outside: sloppy edges are no other resolution.
SLACK = 0.1
MANY = 0.02
# One crossed pair of corners among thousands does not make boxes of them.
ALMOST_ALL = 0.999


class _Survey(NamedTuple):
    """What one look at all boxes tells; see `_core.survey_boxes`."""

    smallest: float
    largest: float
    positive: int
    corners: int
    outside: int


def check_boxes(side: Side, findings: Findings, other: Side | None = None) -> None:
    """Rules on the boxes of one side; boxes that were derived from masks or outlines are what those are."""
    rows = side.rows
    box = rows.box
    if not len(rows) or "box" in rows.derived:
        return
    survey = _Survey(*_core.survey_boxes(box, rows.image, side.data.images.sizes))
    if survey.smallest <= 0:
        _check_sizes(side, findings)
    if _are_fractions(side, survey):
        findings.add_rows(
            "box-normalised",
            side,
            np.arange(len(rows)),
            lambda row: f"box {numbers(box[row])}",
            "pixels",
            "boxes look like fractions of the image: multiply them by its width and height",
        )
    elif _are_corners(side, survey, None if other is None else _farthest(other)):
        findings.add_rows(
            "box-corners",
            side,
            np.arange(len(rows)),
            lambda row: f"box {numbers(box[row])}{_on_image(side, row)}",
            "x, y, width, height",
            "boxes look like x1, y1, x2, y2: subtract x1, y1 from x2, y2",
        )
    else:
        _check_outside(side, survey, findings)


def _check_sizes(side: Side, findings: Findings) -> None:
    box = side.rows.box
    smallest = np.minimum(box[:, 2], box[:, 3])

    def shown(row: int) -> str:
        return f"box {numbers(box[row])}"

    expected = "width and height above 0"
    findings.add_rows("box-negative", side, np.flatnonzero(smallest < 0), shown, expected)
    findings.add_rows("box-empty", side, np.flatnonzero(smallest == 0), shown, expected)


def _are_fractions(side: Side, survey: _Survey) -> bool:
    """Whether every box lies within the first pixels of an image that has many."""
    if survey.largest > FRACTION_LIMIT or not survey.positive:
        return False
    sizes = side.data.images.sizes
    known = sizes[(sizes > 0).all(axis=1)]
    return not len(known) or bool((known.max(axis=0) >= SMALLEST_IMAGE).all())


def _are_corners(side: Side, survey: _Survey, reach: npt.NDArray[np.float64] | None) -> bool:
    """Whether the boxes fit their images as corners, and only so.

    As corners, the third number is never below the first nor the fourth below the second, and read as width and height
    such boxes reach beyond the image. Where sizes are not known, the reach of the other side's boxes stands for them.
    """
    box = side.rows.box
    if survey.corners < ALMOST_ALL * len(box):
        return False
    limit = side.data.images.sizes[side.rows.image][:, ::-1].astype(np.float64)
    known: npt.NDArray[np.bool_] = np.all(limit > 0, axis=1)
    if reach is not None:
        limit[~known] = reach
        known[:] = True
    box, limit = box[known], limit[known] * (1 + SLACK) + 1
    beyond = (box[:, :2] + box[:, 2:] > limit).any(axis=1)
    fits = (box[:, 2:] <= limit).all(axis=1)
    if (beyond & fits).sum() < max(3, 0.1 * len(box)):
        return False
    return bool(_corners_in(box).mean() >= ALMOST_ALL and fits.mean() >= 0.95)


def _farthest(side: Side) -> npt.NDArray[np.float64] | None:
    """How far right and down any box reaches, in pixels."""
    box = side.rows.box
    return (box[:, :2] + box[:, 2:]).max(axis=0) if len(box) and not side.data.images.sizes_known.all() else None


def _corners_in(box: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = (box[:, 2] >= box[:, 0]) & (box[:, 3] >= box[:, 1])
    return found


def _check_outside(side: Side, survey: _Survey, findings: Findings) -> None:
    rows = side.rows
    if survey.outside > max(3, MANY * len(rows)):
        findings.add_rows(
            "box-outside",
            side,
            _outside(side),
            lambda row: f"box {numbers(rows.box[row])}{_on_image(side, row)}",
            "boxes within their images",
            "check that the coordinates are those of the original image, x before y",
        )


def _outside(side: Side) -> npt.NDArray[np.int64]:
    """Which rows have their centre beyond the image."""
    box = side.rows.box
    sizes = side.data.images.sizes[side.rows.image]
    centre_x, centre_y = box[:, 0] + box[:, 2] / 2, box[:, 1] + box[:, 3] / 2
    beyond = (centre_x < 0) | (centre_y < 0) | (centre_x > sizes[:, 1]) | (centre_y > sizes[:, 0])
    return np.flatnonzero(beyond & (sizes > 0).all(axis=1))


def check_scale(truth: Side, found: Side, findings: Findings) -> None:
    """Predictions that stay within a part of the images that the ground truth fills.

    Only said where both sides are many, and nearly certain: detectors put some boxes at every border.
    """
    if "box" in truth.rows.derived or "box" in found.rows.derived or min(len(truth.rows), len(found.rows)) < 100:
        return
    reached = _reach(found)
    if reached is None or max(reached) >= 0.75:
        return
    filled = _reach(truth)
    if filled is not None and min(filled) > 0.9 and max(reached[0] / filled[0], reached[1] / filled[1]) < 0.75:
        findings.add(
            "box-scale",
            found.where(0),
            f"predictions that reach {reached[0]:.0%} of the width and {reached[1]:.0%} of the height of their images",
            f"about {filled[0]:.0%} and {filled[1]:.0%}, as the ground truth",
            "check that the coordinates are those of the original image, not of the model's input",
            len(found.rows),
        )


def _reach(side: Side) -> tuple[float, float] | None:
    """How far right and down boxes reach, in fractions of their images."""
    count = len(side.rows)
    rows = np.arange(0, count, max(1, -(-count // SAMPLE)))  # evenly spread: enough to tell
    sizes = side.data.images.sizes[side.rows.image[rows]].astype(np.float64)
    known = (sizes > 0).all(axis=1)
    if not known.all():
        return None
    box = side.rows.box[rows]
    x, y = (box[:, 0] + box[:, 2]) / sizes[:, 1], (box[:, 1] + box[:, 3]) / sizes[:, 0]
    most = int(0.995 * (len(rows) - 1))
    return float(np.sort(x)[most]), float(np.sort(y)[most])


def _on_image(side: Side, row: int) -> str:
    height, width = side.data.images.sizes[side.rows.image[row]].tolist()
    return f" on an image {width} wide and {height} high" if height else ""
