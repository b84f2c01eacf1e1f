"""Masks that are missing, or of another size."""

from __future__ import annotations

import numpy as np

from rapideval.metrics.guards.rules import Findings, Side

__all__ = ["check_masks", "check_outlines"]

SLACK = 0.1
MANY = 0.02


def check_masks(truth: Side, found: Side, findings: Findings) -> None:
    """Rules of tasks that compare masks."""
    for side, rule in ((truth, "truth-mask-missing"), (found, "mask-missing")):
        rows = side.rows
        have = np.zeros(len(rows), np.bool_)
        for outlines in (rows.masks, rows.polygons):
            if outlines is not None:
                have |= outlines.present
        missing = np.flatnonzero(~have)
        all_missing = len(missing) == len(rows)
        findings.add_rows(
            rule,
            side,
            missing,
            lambda row, all_missing=all_missing: "boxes only" if all_missing else "a box only",  # type: ignore[misc]
            "a mask",
            "evaluate boxes (task detection)",
        )
        check_outlines(side, findings)
    _check_sizes(truth, found, findings)


def _check_sizes(truth: Side, found: Side, findings: Findings) -> None:
    """Masks of one image have one size, also where the image's own is not known.

    Where it is known, the dataset has been refused already.
    """
    masks, others = truth.rows.masks, found.rows.masks
    if masks is None or others is None or truth.data.images.sizes_known.all():
        return
    size = np.zeros((len(truth.data.images), 2), np.uint32)
    present = masks.present
    size[truth.rows.image[present]] = masks.sizes[present]
    expected = size[found.rows.image]
    wrong = others.present & (expected > 0).all(axis=1) & (others.sizes != expected).any(axis=1)
    findings.add_rows(
        "mask-size",
        found,
        np.flatnonzero(wrong),
        lambda row: f"a mask of height {others.sizes[row, 0]}, width {others.sizes[row, 1]}",
        "the size of the ground truth's masks of this image",
    )


def check_outlines(side: Side, findings: Findings) -> None:
    """Outlines that reach far beyond their images."""
    polygons = side.rows.polygons
    if polygons is None:
        return
    rows = np.flatnonzero(polygons.present)
    boxes = polygons.boxes[rows]
    sizes = side.data.images.sizes[side.rows.image[rows]].astype(np.float64)
    limit = sizes[:, ::-1] * (1 + SLACK) + 1
    low = boxes[:, :2] < -(sizes[:, ::-1] * SLACK + 1)
    beyond = (low | (boxes[:, :2] + boxes[:, 2:] > limit)).any(axis=1) & (sizes > 0).all(axis=1)
    outside = rows[beyond]
    if len(outside) > max(3, MANY * len(rows)):
        findings.add_rows(
            "outline-outside",
            side,
            outside,
            lambda row: "an outline that reaches beyond its image",
            "outlines within their images",
            "check that the coordinates are those of the original image, x before y",
        )
