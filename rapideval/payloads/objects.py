"""Answers that are Python objects already: their bitmasks become run lengths, as the scanner does for text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from itertools import chain
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.payloads.places import Place, refuse, show

__all__ = ["BITMASK_KEYS", "OTHER_KEYS", "DenseMasks", "core_error", "take_objects"]

BITMASK_KEYS = ("masks", "semantic_segmentation_mask")
OTHER_KEYS = ("boxes", "scores", "labels")

MAX_DEPTH = 64


class DenseMasks:
    """Dense bitmasks turned into run lengths; the same attributes as the scanner's ``BitmaskArray``."""

    def __init__(
        self, counts: npt.NDArray[np.uint32], offsets: npt.NDArray[np.int64], sizes: npt.NDArray[np.uint32], ndim: int
    ) -> None:
        self.counts, self.offsets, self.sizes, self.ndim = counts, offsets, sizes, ndim

    def __len__(self) -> int:
        return len(self.sizes)


def core_error(
    rule: str,
    found: str,
    expected: str = "",
    path: str = "",
    hint: str = "",
    offset: int | None = None,
    line: int | None = None,
) -> _core.CoreError:
    """A CoreError as the kernels make them; not raised, it stands in the tree in the place of a bad mask."""
    error = _core.CoreError(f"found {found}, expected {expected}")
    error.rule, error.found, error.expected, error.hint, error.path = rule, found, expected, hint, path
    error.offset, error.line, error.row = offset, line, None
    return error


def take_objects(
    value: Any,
    place: Place,
    *,
    any_key: bool = False,
    values_255: bool = False,
    bitmask_keys: Collection[str] = BITMASK_KEYS,
    other_keys: Collection[str] = OTHER_KEYS,
) -> Any:
    """The tree the scanner would give for this value's JSON text.

    Tuples count as lists, NumPy scalars as numbers, arrays (and what converts to one) as nested lists; under a
    bitmask key arrays are read directly.
    """
    return _Taker(place, any_key, values_255, bitmask_keys, other_keys).take(value)


_PLAIN = {type(None), bool, int, float, str}


class _Taker:
    """Walks the objects; `steps` is the way to where it stands, for messages."""

    def __init__(
        self,
        place: Place,
        any_key: bool,
        values_255: bool,
        bitmask_keys: Collection[str],
        other_keys: Collection[str],
    ) -> None:
        self.place, self.any_key, self.values_255 = place, any_key, values_255
        self.bitmask_keys, self.other_keys = bitmask_keys, other_keys
        self.steps: list[str | int] = []

    def take(self, value: Any) -> Any:
        if type(value) in _PLAIN:
            return value
        if isinstance(value, (list, tuple)):
            self.enter()
            # Rows of numbers and texts are most of an answer, and need no walk.
            if set(map(type, value)) <= _PLAIN:
                return value if type(value) is list else list(value)
            return [self.within(index, item, self.take) for index, item in enumerate(value)]
        if isinstance(value, Mapping):
            self.enter()
            return {self.key(key): self.within(key, item, self.member) for key, item in value.items()}
        if isinstance(value, np.generic):
            return value.item()
        if hasattr(value, "__array__"):
            return np.asarray(value).tolist()
        # Enumerations, whose members are text or numbers too.
        if isinstance(value, str):
            return "".join(value)
        if isinstance(value, (int, float)):
            return value + 0
        return self.refuse(value)

    def enter(self) -> None:
        if len(self.steps) >= MAX_DEPTH:
            refuse("M11", self.place.document, f"more than {MAX_DEPTH} levels of nesting", f"at most {MAX_DEPTH}")

    def within(self, step: Any, value: Any, take: Callable[[Any], Any]) -> Any:
        if type(value) in _PLAIN:
            return value
        self.steps.append(step)
        taken = take(value)
        self.steps.pop()
        return taken

    def refuse(self, value: Any) -> NoReturn:
        found = f"a Python object of type {type(value).__name__}"
        hint = "bytes hold a document of their own: parse them by themselves" if isinstance(value, bytes) else ""
        expected = "what JSON can hold: objects, arrays, text, numbers, true, false, null"
        refuse("M1", self.place.at(*self.steps), found, expected, hint)

    def key(self, key: object) -> str:
        if not isinstance(key, str):
            refuse("M1", self.place.at(*self.steps), f"the key {key!r} of type {type(key).__name__}", "text as key")
        return key

    def member(self, value: Any) -> Any:
        key = self.steps[-1]
        certain = key in self.bitmask_keys
        if not certain and not (self.any_key and key not in self.other_keys):
            return self.take(value)
        taken = self.masks(value)
        if isinstance(taken, _core.CoreError) and not certain:
            return self.take(value)
        return taken

    def masks(self, value: Any) -> Any:
        if isinstance(value, np.ndarray) or (hasattr(value, "__array__") and not np.isscalar(value)):
            return self.from_array(np.asarray(value))
        if not isinstance(value, (list, tuple)) or not value:
            return self.take(value)
        if _is_numeric(value):
            return self.from_lists(value)
        if any(hasattr(item, "__array__") for item in value):
            arrays = [np.asarray(item) for item in value]
            if all(array.ndim >= 2 and array.dtype.kind in "biuf" for array in arrays):
                return [self.from_array(array) for array in arrays]
        self.enter()
        return [self.within(index, item, self.masks) for index, item in enumerate(value)]

    def from_array(self, array: npt.NDArray[Any]) -> DenseMasks | _core.CoreError:
        ndim = array.ndim
        if ndim < 2 or ndim > 4 or array.dtype.kind not in "biuf":
            return core_error(
                "M35", f"an array of {array.dtype} with {ndim} dimensions", "0 and 1 in 2 to 4 dimensions"
            )
        if array.size == 0 and array.shape[0] and 0 in array.shape[-2:]:
            return core_error("M34", f"masks of {array.shape[-2]} rows and {array.shape[-1]} columns", "pixels")
        if ndim == 4:
            if array.shape[1] != 1:
                return core_error("M35", f"an array of shape {array.shape}", "[N, H, W] or [N, 1, H, W]")
            array = array[:, 0]
        stack = array[None] if ndim == 2 else array
        if stack.dtype != np.bool_:
            allowed = (stack == 0) | (stack == 1)
            if self.values_255:
                allowed |= stack == 255
            if not allowed.all():
                where = np.argwhere(~allowed)[0].tolist()
                path = [*where[:1], 0, *where[1:]] if ndim == 4 else where if ndim == 3 else where[1:]
                return _bad_value(stack[tuple(where)].item(), "".join(f"[{step}]" for step in path))
            stack = stack != 0
        if not len(stack):
            return DenseMasks(np.empty(0, np.uint32), np.zeros(1, np.int64), np.empty((0, 2), np.uint32), ndim)
        counts, offsets = _core.rle_from_dense(np.ascontiguousarray(stack).view(np.uint8))
        sizes = np.broadcast_to(np.array(stack.shape[1:], np.uint32), (len(stack), 2))
        return DenseMasks(counts, offsets, sizes, ndim)

    def from_lists(self, value: Any) -> DenseMasks | _core.CoreError:
        levels = _levels(value)
        if levels == 1:
            return core_error("M35", f"one row of {len(value):,} numbers", "a mask of rows, [H, W]")
        if levels > 4:
            return core_error("M35", f"{levels} levels of brackets", "[H, W], [N, H, W] or [N, 1, H, W]")
        masks: list[tuple[str, Any]] = [("", value)]
        if levels >= 3:
            masks = [(f"[{index}]", mask) for index, mask in enumerate(value)]
        counts, lengths, sizes = [], [], []
        for path, mask in masks:
            if levels == 4:
                if not isinstance(mask, (list, tuple)) or len(mask) != 1:
                    found = f"{len(mask)} channels" if isinstance(mask, (list, tuple)) else show(mask)
                    return core_error("M35", found, "one, as in [N, 1, H, W]", path)
                path, mask = f"{path}[0]", mask[0]
            dense = self.dense(mask, path)
            if isinstance(dense, _core.CoreError):
                return dense
            runs, _ = _core.rle_from_dense(dense[None])
            counts.append(runs)
            lengths.append(len(runs))
            sizes.append(dense.shape)
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return DenseMasks(np.concatenate(counts), offsets, np.array(sizes, np.uint32), levels)

    def dense(self, mask: Any, path: str) -> npt.NDArray[np.uint8] | _core.CoreError:
        """One mask of lists as an array, or what is wrong with it."""
        if not isinstance(mask, (list, tuple)):
            return core_error("M35", show(mask), "a mask of rows, [H, W]", path)
        if not mask:
            return core_error("M34", "a mask without rows", "at least one row", path)
        for index, row in enumerate(mask):
            if not isinstance(row, (list, tuple)):
                return core_error("M35", show(row), "a row of numbers", f"{path}[{index}]")
            if len(row) != len(mask[0]):
                found = f"a row of {len(row):,}"
                return core_error("M31", found, f"{len(mask[0]):,} numbers, as the first row has", f"{path}[{index}]")
        if not len(mask[0]):
            return core_error("M34", "a mask without columns", "at least one column", path)
        kinds = set(chain.from_iterable(map(type, row) for row in mask))
        if any(issubclass(kind, (list, tuple)) for kind in kinds):
            return core_error("M35", "brackets of uneven depth", "a mask of rows, [H, W]", path)
        try:
            dense = np.array(mask, np.float64 if float in kinds else np.int64)
        except OverflowError:
            dense = np.array(mask, object)
        wrong = (dense != 0) & (dense != 1)
        if self.values_255:
            wrong &= dense != 255
        if wrong.any():
            y, x = np.argwhere(wrong)[0].tolist()
            return _bad_value(mask[y][x], f"{path}[{y}][{x}]")
        return np.asarray(dense != 0, np.uint8)


def _bad_value(value: float, path: str) -> _core.CoreError:
    return core_error("M33", show(value), "0 or 1", path, mask_value_hint(value))


def mask_value_hint(value: float) -> str:
    """What a mask value other than 0 and 1 suggests."""
    if 0 < value < 1:
        return "a probability map? Threshold it to 0 and 1 first"
    if value == 255:
        return "a 0/255 mask? Lenient mode (lenient=True, --lenient) reads 255 as 1"
    if value > 1 and value == int(value):
        return "a map of class numbers? Write one mask of 0 and 1 for each class"
    return ""


def _is_numeric(value: Any) -> bool:
    """Whether all leaves are numbers or booleans, judged by types only."""
    pending = [value]
    while pending:
        item = pending.pop()
        kinds = set(map(type, item))
        nested = {kind for kind in kinds if issubclass(kind, (list, tuple))}
        if any(kind not in nested and not issubclass(kind, (bool, int, float, np.generic)) for kind in kinds):
            return False
        if nested:
            pending.extend(part for part in item if isinstance(part, (list, tuple)))
    return True


def _levels(value: Any) -> int:
    levels = 0
    while isinstance(value, (list, tuple)):
        levels += 1
        if levels > MAX_DEPTH or not value:
            break
        value = value[0]
    return levels
