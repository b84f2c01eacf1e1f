"""Masks as run lengths."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import InputError, Problem
from rapideval.model.columns import (
    Frozen,
    Rows,
    column,
    concat_offsets,
    offsets_of,
    refuse,
    row_numbers,
    take_ragged,
)

__all__ = ["Masks"]


@contextlib.contextmanager
def kernel_errors(where: str = "masks", rows: npt.NDArray[np.intp] | None = None) -> Iterator[None]:
    """Turn what a kernel refuses into the error of a user, with the row it speaks of.

    `rows` are the numbers of the rows that the kernel was given, where it was given only some.
    """
    try:
        yield
    except _core.CoreError as error:
        row = error.row if error.row is None or rows is None else int(rows[error.row])
        place = where if row is None else f"{where}[{row}]"
        raise InputError(Problem(error.rule, place, error.found, error.expected, error.hint)) from None


class Masks(Frozen):
    """Binary masks as column-major run lengths that begin with background, exactly COCO's encoding.

    A row without any runs has no mask (size 0, 0); an empty mask has one run, of its whole image.

    Parameters
    ----------
    counts : uint32 array of shape (K,)
        Run lengths of all masks, one after another.
    offsets : int64 array of shape (N + 1,)
        Mask n is ``counts[offsets[n]:offsets[n + 1]]``.
    sizes : uint32 array of shape (N, 2)
        Height and width in pixels.
    checked
        The arrays come from a kernel that has checked them; they are not checked again.

    Raises
    ------
    InputError
        Where offsets do not fit, or the runs of a mask do not sum to its size (``rle-sum``).

    Examples
    --------
    >>> import numpy as np
    >>> masks = Masks.from_dense(np.array([[[0, 1], [0, 1]]], bool))
    >>> masks.counts.tolist(), masks.area.tolist(), masks.boxes.tolist()
    ([2, 2], [2], [[1.0, 0.0, 1.0, 2.0]])
    """

    __slots__ = ("counts", "offsets", "sizes")
    counts: npt.NDArray[np.uint32]
    offsets: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.uint32]

    def __init__(
        self, counts: npt.ArrayLike, offsets: npt.ArrayLike, sizes: npt.ArrayLike, *, checked: bool = False
    ) -> None:
        runs = column(counts, np.uint32, "masks.counts")
        rows = column(offsets, np.int64, "masks.offsets")
        shapes = column(sizes, np.uint32, "masks.sizes", max(len(rows) - 1, 0), 2)
        if not checked:
            with kernel_errors():
                _core.rle_check(runs, rows, shapes)
        self._set(counts=runs, offsets=rows, sizes=shapes)

    # --- made from -------------------------------------------------------------------------------

    @classmethod
    def from_dense(cls, masks: npt.ArrayLike, threads: int = 0) -> Self:
        """Masks of one size from 0/1 or boolean arrays (N, H, W) or (H, W), in either memory order."""
        array = np.asarray(masks)
        if array.ndim == 2:
            array = array[None]
        if array.ndim != 3:
            refuse("mask-shape", "masks", f"an array of shape {array.shape}", "shape (N, H, W) or (H, W)")
        if array.dtype == np.bool_:
            array = array.view(np.uint8)
        elif array.dtype != np.uint8:
            with np.errstate(invalid="ignore"):
                binary = array.astype(np.uint8)
            if not np.array_equal(binary, array):
                refuse("mask-value", "masks", f"values of {array.dtype} other than 0 and 1", "0 and 1")
            array = binary
        with kernel_errors():
            counts, offsets = _core.rle_from_dense(array, threads)
        sizes = np.broadcast_to(np.array(array.shape[1:], np.uint32), (len(array), 2))
        return cls(counts, offsets, sizes, checked=True)

    @classmethod
    def from_strings(cls, strings: Iterable[bytes | str], sizes: npt.ArrayLike, threads: int = 0) -> Self:
        """Masks from COCO's compressed strings, each with its height and width."""
        texts = [text.encode() if isinstance(text, str) else bytes(text) for text in strings]
        shapes = column(sizes, np.uint32, "masks.sizes", len(texts), 2)
        with kernel_errors():
            counts, offsets = _core.rle_from_strings(
                b"".join(texts), offsets_of([len(text) for text in texts]), shapes, threads
            )
        return cls(counts, offsets, shapes, checked=True)

    @classmethod
    def from_counts(cls, counts: Iterable[npt.ArrayLike], sizes: npt.ArrayLike) -> Self:
        """Masks from uncompressed run lengths, one sequence a mask."""
        rows = [column(run, np.uint32, f"masks[{row}].counts") for row, run in enumerate(counts)]
        flat = np.concatenate(rows) if rows else np.empty(0, np.uint32)
        return cls(flat, offsets_of([len(row) for row in rows]), sizes)

    @classmethod
    def empty(cls, length: int) -> Self:
        """Rows that all have no mask."""
        return cls(
            np.empty(0, np.uint32),
            np.zeros(length + 1, np.int64),
            np.zeros((length, 2), np.uint32),
            checked=True,
        )

    # --- what they are ---------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which rows have a mask, (N,)."""
        return np.diff(self.offsets) > 0

    @property
    def area(self) -> npt.NDArray[np.int64]:
        """Foreground pixels of each mask, (N,)."""
        return _core.rle_area(self.counts, self.offsets)

    @property
    def boxes(self) -> npt.NDArray[np.float64]:
        """Tight boxes x, y, width, height (N, 4), as pycocotools' ``toBbox``."""
        return _core.rle_box(self.counts, self.offsets, self.sizes)

    def runs(self, row: int) -> npt.NDArray[np.uint32]:
        """Run lengths of one mask."""
        row = range(len(self))[row]
        return self.counts[self.offsets[row] : self.offsets[row + 1]]

    def dense(self, row: int) -> npt.NDArray[np.bool_]:
        """One mask as a dense boolean array (H, W)."""
        row = range(len(self))[row]
        dense: npt.NDArray[np.bool_] = self.take(np.array([row])).to_dense()[0]
        return dense

    def to_dense(self, order: Literal["C", "F"] = "C") -> npt.NDArray[np.bool_]:
        """All masks, which must be of one size, as a dense boolean array (N, H, W)."""
        if not len(self):
            return np.empty((0, 0, 0), np.bool_)
        if (self.sizes != self.sizes[0]).any():
            refuse("mask-sizes", "masks", "masks of several sizes", "one size: use dense(row)")
        return _core.rle_to_dense(self.counts, self.offsets, self.sizes, order).view(np.bool_)

    def to_strings(self) -> list[bytes]:
        """COCO's compressed strings."""
        text, offsets = _core.rle_to_strings(self.counts, self.offsets)
        bounds = offsets.tolist()
        return [text[start:end] for start, end in itertools.pairwise(bounds)]

    def to_coco(self) -> list[dict[str, Any]]:
        """COCO's RLE objects ``{"size": [h, w], "counts": bytes}``, as pycocotools takes them."""
        sizes = self.sizes.tolist()
        return [{"size": size, "counts": text} for size, text in zip(sizes, self.to_strings(), strict=True)]

    # --- algebra ---------------------------------------------------------------------------------

    def combine(
        self,
        groups: npt.ArrayLike,
        operation: Literal["union", "intersection", "difference"],
        threads: int = 0,
    ) -> Self:
        """One mask for each group of consecutive masks.

        Parameters
        ----------
        groups : int64 array of shape (G + 1,)
            Group g is the masks ``groups[g]`` to ``groups[g + 1]``, all of one size, at least one.
        operation
            ``"difference"`` takes the others of a group away from its first.
        """
        bounds = column(groups, np.int64, "groups")
        check_ends = len(bounds) and (bounds[0] != 0 or bounds[-1] != len(self))
        if not len(bounds) or check_ends or (np.diff(bounds) < 1).any():
            refuse("groups", "groups", f"{bounds.tolist()[:10]}", f"offsets rising from 0 to {len(self)}")
        with kernel_errors("groups"):
            counts, offsets = _core.rle_combine(self.counts, self.offsets, self.sizes, bounds, operation, threads)
        return type(self)(counts, offsets, self.sizes[bounds[:-1]], checked=True)

    def crop(self, windows: npt.ArrayLike, threads: int = 0) -> Self:
        """Each mask cut to its window x, y, width, height (N, 4); outside its image is background."""
        cut = column(windows, np.int64, "windows", len(self), 4)
        with kernel_errors("windows"):
            counts, offsets = _core.rle_crop(self.counts, self.offsets, self.sizes, cut, threads)
        return type(self)(counts, offsets, cut[:, [3, 2]], checked=True)

    def iou(self, others: Masks, crowd: npt.ArrayLike | None = None, threads: int = 0) -> npt.NDArray[np.float64]:
        """IoU (N, M) with other masks, as ``pycocotools.mask.iou``; of a crowd the union is this mask's area."""
        flags = np.zeros(len(others), np.bool_) if crowd is None else column(crowd, np.bool_, "crowd", len(others))
        with kernel_errors():
            return _core.rle_iou_matrix(
                self.counts, self.offsets, self.sizes, others.counts, others.offsets, others.sizes, flags, threads
            )

    # --- rows ------------------------------------------------------------------------------------

    def take(self, rows: Rows) -> Self:
        """Masks of the chosen rows."""
        numbers = row_numbers(rows, len(self))
        positions, offsets = take_ragged(self.offsets, numbers)
        return type(self)(self.counts[positions], offsets, self.sizes[numbers], checked=True)

    def spread(self, rows: npt.NDArray[np.int64] | npt.NDArray[np.intp], length: int) -> Self:
        """These masks as the given rows (rising) of `length`, the other rows without a mask."""
        if len(rows) == length:
            return self
        lengths = np.zeros(length, np.int64)
        lengths[rows] = np.diff(self.offsets)
        sizes = np.zeros((length, 2), np.uint32)
        sizes[rows] = self.sizes
        return type(self)(self.counts, offsets_of(lengths), sizes, checked=True)

    @classmethod
    def concat(cls, parts: Sequence[Masks]) -> Self:
        """Masks of several columns, one after another."""
        if not parts:
            return cls.empty(0)
        return cls(
            np.concatenate([part.counts for part in parts]),
            concat_offsets([part.offsets for part in parts]),
            np.concatenate([part.sizes for part in parts]),
            checked=True,
        )

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Masks)
            and np.array_equal(self.sizes, other.sizes)
            and np.array_equal(self.offsets, other.offsets)
            and np.array_equal(self.counts, other.counts)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Masks({len(self):,} rows, {len(self.counts):,} runs)"
