"""Columns into text, for the writers: no Python object for each row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import UsageError
from rapideval.model import Extras, Masks
from rapideval.model.columns import offsets_of

__all__ = [
    "Column",
    "Texts",
    "floats",
    "integers",
    "json_objects",
    "mask_counts",
    "members",
    "rows_of",
    "strings",
    "texts",
]

Index = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


class Texts(NamedTuple):
    """Ragged UTF-8: row i is ``data[offsets[i]:offsets[i + 1]]``."""

    data: npt.NDArray[np.uint8]
    offsets: npt.NDArray[np.int64]

    @classmethod
    def of(cls, rows: Iterable[str | bytes]) -> Self:
        """Texts of these rows."""
        encoded = [row if isinstance(row, bytes) else row.encode("utf-8", "surrogatepass") for row in rows]
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets_of([len(row) for row in encoded]))

    def joined(self, groups: npt.NDArray[np.int64], opening: bytes, separator: bytes, closing: bytes) -> Texts:
        """One text for each group of consecutive rows."""
        return Texts(*_core.join_texts(self.data, self.offsets, groups, opening, separator, closing))

    @classmethod
    def stacked(cls, parts: Sequence[Texts]) -> Self:
        """Texts of several, one after another."""
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        return cls(np.concatenate([part.data for part in parts]), offsets_of(lengths))

    def take(self, which: Index) -> Texts:
        """The chosen rows."""
        return rows_of([b"", b""], [Column("text", self.data, self.offsets, which)], len(which))

    def arrays(self, groups: npt.NDArray[np.int64]) -> Texts:
        """JSON arrays of consecutive rows."""
        return self.joined(groups, b"[", b",", b"]")


class Column(NamedTuple):
    """Values to be written; see ``_core.format_rows``."""

    kind: str
    values: npt.NDArray[Any]
    offsets: npt.NDArray[np.int64] | None = None
    which: Index | None = None
    present: Flags | None = None


def integers(values: npt.ArrayLike, which: Index | None = None, present: Flags | None = None) -> Column:
    """Whole numbers (N,), or arrays of them (N, W)."""
    array = np.ascontiguousarray(values, np.int64)
    return Column("int" if array.ndim == 1 else "int-array", array, None, which, present)


def floats(values: npt.NDArray[np.float64], present: Flags | None = None) -> Column:
    """Numbers (N,), or arrays of them (N, W)."""
    array = np.ascontiguousarray(values, np.float64)
    return Column("float" if array.ndim == 1 else "float-array", array, None, None, present)


def texts(values: Texts, present: Flags | None = None) -> Column:
    """Text as it is."""
    return Column("text", values.data, values.offsets, None, present)


def strings(values: Iterable[str], which: Index | None = None, present: Flags | None = None) -> Column:
    """JSON strings."""
    return Column("string", *Texts.of(values), which, present)


def members(extras: Extras) -> Column:
    """Members of JSON objects, without the braces."""
    return Column("members", np.frombuffer(extras.data, np.uint8), extras.offsets)


def rows_of(literals: Sequence[bytes], columns: Sequence[Column], count: int, separator: bytes = b",") -> Texts:
    """Text of rows: literal, column, literal, column, ..., literal."""
    return Texts(*_core.format_rows(list(literals), list(columns), count, separator))


def json_objects(
    fields: Sequence[tuple[str, Column]], count: int, extras: Extras | None = None, end: bytes = b"}"
) -> Texts:
    """JSON objects of these members, then those of the extras.

    The first member must be there in every row.
    """
    columns = [column for _, column in fields]
    literals = [
        ("{" if i == 0 else ",").encode() + json.dumps(name).encode() + b":" for i, (name, _) in enumerate(fields)
    ]
    if extras is not None:
        columns.append(members(extras))
        literals.append(b",")
    return rows_of([*literals, end], columns, count)


def mask_counts(masks: Masks, rle: str) -> Column:
    """COCO run lengths: ``"compressed"`` strings, or ``"counts"``, lists of numbers."""
    if rle == "compressed":
        data, offsets = _core.rle_to_strings(masks.counts, masks.offsets)
        return Column("string", np.frombuffer(data, np.uint8), offsets)
    if rle == "counts":
        return texts(rows_of([b"", b""], [integers(masks.counts)], len(masks.counts)).arrays(masks.offsets))
    raise UsageError(f"no form {rle!r} of run lengths: there are compressed and counts")
