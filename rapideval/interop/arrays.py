"""Arrays of other libraries, taken without importing them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.model.columns import check_finite, column, refuse

__all__ = ["array", "corner_boxes", "label_numbers", "masks_of"]


def array(value: Any, where: str) -> npt.NDArray[Any]:
    """Give a NumPy array of what a library holds: its own, a tensor on any device, or anything with ``__array__``."""
    for step in ("detach", "cpu"):
        if hasattr(value, step):
            value = getattr(value, step)()
    if hasattr(value, "numpy"):
        try:
            value = value.numpy()
        except TypeError:  # a kind of number that NumPy has not, such as bfloat16
            value = value.float().numpy()
    try:
        given = np.asarray(value)
    except (TypeError, ValueError) as error:
        refuse("column-type", where, f"{type(value).__name__} ({error})", "an array of numbers")
    if given.dtype.kind not in "biuf":
        refuse("column-type", where, f"an array of {given.dtype}", "an array of numbers")
    return given


def corner_boxes(value: Any, where: str) -> npt.NDArray[np.float64]:
    """Boxes x, y, width, height (N, 4) of boxes x1, y1, x2, y2 (N, 4)."""
    corners: npt.NDArray[np.float64] = column(array(value, where), np.float64, where, width=4)
    check_finite(corners, where)
    boxes = corners.copy()
    boxes[:, 2:] -= corners[:, :2]
    turned = np.flatnonzero((boxes[:, 2:] < 0).any(axis=1))
    if len(turned):
        row = int(turned[0])
        refuse(
            "box-corners", f"{where}[{row}]", f"{corners[row].tolist()} ({len(turned):,} such boxes)",
            "corners x1, y1, x2, y2 with x1 <= x2 and y1 <= y2", "are these x, y, width, height?",
        )  # fmt: skip
    return boxes


def label_numbers(value: Any, where: str) -> npt.NDArray[np.int64]:
    """Whole numbers (N,) of labels; floats are taken where they are whole."""
    numbers: npt.NDArray[np.int64] = column(array(value, where), np.int64, where)
    return numbers


def masks_of(value: Any, where: str, threshold: float) -> npt.NDArray[np.bool_]:
    """Dense masks (N, H, W) of masks (N, H, W) or (N, 1, H, W): 0 and 1, or floats that are above a threshold."""
    given = array(value, where)
    if given.ndim == 4 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim != 3:
        refuse("mask-shape", where, f"an array of shape {given.shape}", "shape (N, H, W) or (N, 1, H, W)")
    if given.dtype.kind == "b":
        return given
    if given.dtype.kind == "f":
        if not np.isfinite(given).all():
            refuse("not-finite", where, "NaN or infinity", "finite numbers")
        if given.size and (given.min() < 0 or given.max() > 1):
            refuse("mask-value", where, f"values from {given.min()} to {given.max()}", "probabilities from 0 to 1",
                   "are these logits?")  # fmt: skip
        return np.asarray(given > threshold)
    if given.size and (given.min() < 0 or given.max() > 1):
        refuse("mask-value", where, f"values from {given.min()} to {given.max()}", "0 and 1")
    return given.astype(np.bool_)
