"""What the columns of the model have in common: immutable, checked, ragged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn, Self

import numpy as np
import numpy.typing as npt

from rapideval.errors import InputError, Problem

__all__ = ["Extras", "Frozen", "Rows"]

Rows = npt.NDArray[np.intp] | npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice
"""Which rows: row numbers, a boolean mask, or a slice."""


class Frozen:
    """Base of objects whose attributes are set once, on construction."""

    __slots__ = ()

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable: make a new one instead")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is immutable")

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for cls in type(self).__mro__ for name in getattr(cls, "__slots__", ())}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for value in state.values():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        self._set(**state)


def refuse(rule: str, where: str, found: str, expected: str, hint: str = "") -> NoReturn:
    """Raise the InputError of one broken rule."""
    raise InputError(Problem(rule, where, found, expected, hint))


def column(
    value: npt.ArrayLike,
    dtype: npt.DTypeLike,
    where: str,
    length: int | None = None,
    width: int | None = None,
) -> npt.NDArray[Any]:
    """Give a read-only, C-contiguous array of `dtype` and shape (length,) or (length, width), or refuse.

    An array that is already of that kind is not copied. Numbers are converted only where the values survive.
    """
    wanted = np.dtype(dtype)
    array = np.asarray(value)
    if array.ndim and not len(array):
        array = np.empty(0 if width is None else (0, width), wanted)
    if array.dtype != wanted:
        array = _convert(array, wanted, where)
    if array.ndim != (1 if width is None else 2) or (width is not None and array.shape[1] != width):
        shape = "(N,)" if width is None else f"(N, {width})"
        refuse("column-shape", where, f"an array of shape {array.shape}", f"shape {shape}")
    if length is not None and array.shape[0] != length:
        refuse("column-length", where, f"{array.shape[0]} rows", f"{length} rows, as the other columns")
    view = np.ascontiguousarray(array).view()
    view.flags.writeable = False
    return view


def _convert(array: npt.NDArray[Any], wanted: np.dtype[Any], where: str) -> npt.NDArray[Any]:
    if array.dtype.kind not in "biuf" or (wanted.kind != "b" and array.dtype.kind == "b"):
        refuse("column-type", where, f"an array of {array.dtype}", f"{wanted}")
    with np.errstate(invalid="ignore", over="ignore"):
        converted = array.astype(wanted)
    if wanted.kind in "iub" and not np.array_equal(converted, array):
        row = int(np.flatnonzero((converted != array).reshape(len(array), -1).any(axis=1))[0])
        refuse("column-range", f"{where}[{row}]", f"{array[row]}", f"a value that {wanted} can hold")
    return converted


def check_finite(values: npt.NDArray[np.float64], where: str) -> None:
    """Refuse NaN and infinity, naming the first row."""
    # A finite sum proves that all are finite; only a doubtful one is worth the second, slower pass.
    with np.errstate(over="ignore", invalid="ignore"):
        if values.size == 0 or np.isfinite(values.sum()):
            return
    bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        refuse(
            "not-finite",
            f"{where}[{row}]",
            f"{values[row]}",
            f"finite numbers ({int(bad.sum()):,} rows have others)",
        )


def names_of(names: Iterable[str], where: str) -> tuple[str, ...]:
    """Names as a tuple; one text in place of a list of them is refused, as its letters would be the names."""
    if isinstance(names, str):
        refuse("column-type", where, f"one text, {names!r:.60}", "a list of names")
    return tuple(names)


def refuse_duplicate_ids(ids: npt.NDArray[np.int64], kind: str) -> None:
    """Refuse an id that stands twice, naming both places."""
    ordered = np.sort(ids)
    same = np.flatnonzero(ordered[1:] == ordered[:-1])
    if len(same):
        value = int(ordered[same[0]])
        first, second = np.flatnonzero(ids == value)[:2].tolist()
        refuse(f"{kind}-id-duplicate", f"{kind}s[{second}].id", f"{value}, as {kind}s[{first}]", "unique ids")


def row_numbers(rows: Rows, length: int) -> npt.NDArray[np.int64]:
    """Row numbers from row numbers, a boolean mask or a slice."""
    if isinstance(rows, slice):
        return np.arange(length, dtype=np.int64)[rows]
    array = np.asarray(rows)
    if array.dtype == np.bool_:
        if array.shape != (length,):
            raise IndexError(f"a boolean mask of shape {array.shape} cannot select from {length} rows")
        return np.flatnonzero(array).astype(np.int64, copy=False)
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise IndexError(f"rows are selected by integers or booleans, not {array.dtype} of shape {array.shape}")
    numbers = array.astype(np.int64, copy=False)
    if numbers.min() < -length or numbers.max() >= length:
        raise IndexError(f"row numbers {numbers.min()} to {numbers.max()} reach outside {length} rows")
    return np.where(numbers < 0, numbers + length, numbers) if numbers.min() < 0 else numbers


def distinct(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Sorted values, each once. NumPy's unique and quantile import numpy.ma, which is a tenth of all start-up."""
    ordered = np.sort(values, axis=None)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


def offsets_of(lengths: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Offsets (N + 1,) of ragged rows from their lengths (N,)."""
    lengths = np.asarray(lengths, np.int64)
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def take_ragged(
    offsets: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Where the values of the chosen ragged rows stand, and the offsets they have once taken.

    Returns
    -------
    positions : int64 array
        Places of the values, row after row.
    offsets : int64 array of shape (len(rows) + 1,)
    """
    starts = offsets[rows]
    taken = offsets_of(offsets[rows + 1] - starts)
    positions = np.arange(taken[-1], dtype=np.int64)
    positions += np.repeat(starts - taken[:-1], np.diff(taken))
    return positions, taken


def concat_offsets(parts: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Offsets of several ragged columns laid one after another."""
    return offsets_of(np.concatenate([np.diff(part) for part in parts])) if parts else np.zeros(1, np.int64)


def check_offsets(offsets: npt.NDArray[np.int64], values: int, where: str) -> None:
    """Refuse offsets that do not rise from 0 to the number of values."""
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != values or (offsets[1:] < offsets[:-1]).any():
        refuse(
            "column-offsets",
            where,
            "offsets that do not fit the values",
            f"offsets rising from 0 to {values}",
        )


class Extras(Frozen):
    """Fields the model has no column for, one JSON object a row, kept as text so that writing back is lossless.

    Parameters
    ----------
    data
        JSON texts, one after another; an empty one is a row without such fields.
    offsets : int64 array of shape (N + 1,)

    Examples
    --------
    >>> extras = Extras.from_dicts([{"occluded": True}, {}])
    >>> extras[0], extras[1]
    ({'occluded': True}, {})
    """

    __slots__ = ("data", "offsets")
    data: bytes
    offsets: npt.NDArray[np.int64]

    def __init__(self, data: bytes | npt.NDArray[np.uint8], offsets: npt.ArrayLike) -> None:
        text = data if isinstance(data, bytes) else data.tobytes()
        checked = column(offsets, np.int64, "extras.offsets")
        check_offsets(checked, len(text), "extras.offsets")
        self._set(data=text, offsets=checked)

    @classmethod
    def from_dicts(cls, rows: Iterable[Mapping[str, Any] | None]) -> Self:
        """Extras of these dictionaries; None and {} are rows without any."""
        texts = [_json(row, place) if row else b"" for place, row in enumerate(rows)]
        return cls(b"".join(texts), offsets_of([len(text) for text in texts]))

    @classmethod
    def empty(cls, length: int) -> Self:
        """Extras of `length` rows without any."""
        return cls(b"", np.zeros(length + 1, np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def text(self, row: int) -> bytes:
        """JSON text of one row, b"" where it has none."""
        row = range(len(self))[row]
        return self.data[self.offsets[row] : self.offsets[row + 1]]

    def __getitem__(self, row: int) -> dict[str, Any]:
        import json

        text = self.text(row)
        value: dict[str, Any] = json.loads(text) if text else {}
        return value

    @property
    def present(self) -> npt.NDArray[np.bool_]:
        """Which rows have any, (N,)."""
        return np.diff(self.offsets) > 0

    def take(self, rows: Rows) -> Self:
        """Extras of the chosen rows."""
        positions, offsets = take_ragged(self.offsets, row_numbers(rows, len(self)))
        return type(self)(np.frombuffer(self.data, np.uint8)[positions], offsets)

    @classmethod
    def concat(cls, parts: Sequence[Extras]) -> Self:
        """Extras of several columns, one after another."""
        return cls(b"".join(part.data for part in parts), concat_offsets([part.offsets for part in parts]))

    def __repr__(self) -> str:
        return f"Extras({len(self):,} rows, {int(self.present.sum()):,} with fields, {len(self.data):,} bytes)"


def _json(row: Mapping[str, Any], place: int) -> bytes:
    import json

    try:
        text = json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError as error:
        refuse("extras-json", f"extras[{place}]", f"{row!r:.100} ({error})", "what JSON can hold")
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which only an escape can hold
        return json.dumps(row, allow_nan=False, separators=(",", ":")).encode()
