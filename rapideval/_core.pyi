"""Types of the compiled kernels (core/src/bindings).

Contracts every kernel keeps: arrays in and out, C-contiguous and of exactly the stated dtype; the GIL
is released; the result has the same bits for any number of ``threads`` (0: all of the machine); every
index and length is checked; a bad input raises ``CoreError`` with where, what and what was expected.

A set of N run-length masks is always the triple

- ``counts``: uint32, all run lengths one after another, column-major, beginning with background (as COCO's);
- ``offsets``: int64 of shape (N + 1,), mask i is ``counts[offsets[i]:offsets[i + 1]]``;
- ``sizes``: uint32 of shape (N, 2), height and width.
"""

from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

_U8: TypeAlias = npt.NDArray[np.uint8]
_U32: TypeAlias = npt.NDArray[np.uint32]
_U64: TypeAlias = npt.NDArray[np.uint64]
_I32: TypeAlias = npt.NDArray[np.int32]
_I64: TypeAlias = npt.NDArray[np.int64]
_F64: TypeAlias = npt.NDArray[np.float64]
_Bool: TypeAlias = npt.NDArray[np.bool_]
_Buffer: TypeAlias = bytes | bytearray | memoryview | _U8

class CoreError(ValueError):
    rule: str
    found: str
    expected: str
    hint: str
    path: str
    offset: int | None
    line: int | None
    row: int | None

# --- masks -----------------------------------------------------------------------------------------

def rle_from_dense(masks: _U8, threads: int = 0) -> tuple[_U32, _I64]:
    """Runs of dense masks (N, H, W), 0 or 1 (else CoreError), with any strides: both memory orders are fast."""

def rle_to_dense(counts: _U32, offsets: _I64, sizes: _U32, order: Literal["C", "F"] = "C", threads: int = 0) -> _U8:
    """Dense (N, H, W) masks of one common size, each stored in row-major (C) or column-major (F) order."""

def rle_check(counts: _U32, offsets: _I64, sizes: _U32) -> None:
    """Raises CoreError (rule, row) unless offsets are sound and the runs of every mask sum to its size."""

def rle_from_strings(text: _Buffer, text_offsets: _I64, sizes: _U32, threads: int = 0) -> tuple[_U32, _I64]:
    """Runs from COCO's compressed strings, laid one after another in text; sums checked against sizes."""

def rle_to_strings(counts: _U32, offsets: _I64, threads: int = 0) -> tuple[bytes, _I64]:
    """COCO's compressed strings, one after another, and their offsets; byte-equal to pycocotools."""

def rle_area(counts: _U32, offsets: _I64) -> _I64:
    """Foreground pixels of each mask, (N,)."""

def rle_box(counts: _U32, offsets: _I64, sizes: _U32) -> _F64:
    """Tight boxes x, y, width, height (N, 4), bit-equal to pycocotools' toBbox (all 0 for an empty mask)."""

def rle_combine(
    counts: _U32, offsets: _I64, sizes: _U32, groups: _I64, op: Literal["union", "intersection", "difference"],
    threads: int = 0,
) -> tuple[_U32, _I64]:
    """One mask for each group of consecutive masks groups[g]:groups[g+1] (of one size); difference: first minus the rest."""

def rle_crop(counts: _U32, offsets: _I64, sizes: _U32, windows: _I64, threads: int = 0) -> tuple[_U32, _I64]:
    """Each mask cut to its window x, y, width, height (N, 4), which may reach over the border (filled with background)."""

def rle_iou_matrix(
    a_counts: _U32, a_offsets: _I64, a_sizes: _U32, b_counts: _U32, b_offsets: _I64, b_sizes: _U32, b_crowd: _Bool,
    threads: int = 0,
) -> _F64:
    """IoU (A, B), bit-equal to pycocotools.mask.iou; where b is crowd the union is the area of a."""

def rle_iou_pairs(
    a_counts: _U32, a_offsets: _I64, a_sizes: _U32, b_counts: _U32, b_offsets: _I64, b_sizes: _U32, b_crowd: _Bool,
    pairs: _I64, threads: int = 0,
) -> _F64:
    """IoU (P,) of the pairs (a, b) of row numbers, (P, 2)."""

def rle_from_polygons(
    coordinates: _F64, ring_offsets: _I64, row_offsets: _I64, ring_is_hole: _Bool, sizes: _U32, threads: int = 0,
) -> tuple[_U32, _I64]:
    """COCO's rasteriser, bit-equal to pycocotools' frPyObjects + merge; a hole is subtracted from the rings before it.

    coordinates (P, 2) x, y; ring r is coordinates[ring_offsets[r]:ring_offsets[r+1]]; row n owns rings
    row_offsets[n]:row_offsets[n+1].
    """

def rle_outlines(
    counts: _U32, offsets: _I64, sizes: _U32, connectivity: Literal[4, 8] = 4, threads: int = 0,
) -> tuple[_F64, _I64, _I64, _Bool]:
    """Outlines along pixel edges: coordinates (P, 2), ring_offsets, row_offsets, ring_is_hole, laid out as in rle_from_polygons.

    An exterior ring comes before its holes; rings are closed implicitly (the first point is not repeated),
    exteriors run clockwise as seen on the screen (y down), holes the other way; collinear points are left out.
    """

# --- boxes -----------------------------------------------------------------------------------------

def box_iou_matrix(a: _F64, b: _F64, b_crowd: _Bool) -> _F64:
    """IoU (A, B) of boxes x, y, width, height, bit-equal to pycocotools.mask.iou."""
