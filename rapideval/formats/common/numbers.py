"""Text files of numbers in lines, read into columns: no Python object for each number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.formats.notes import Place, Report

__all__ = ["Lines", "read_numbers"]

_SPACE = 32  # it and all below: tabs, ends of lines
_NEWLINE = 10


class Lines(NamedTuple):
    """Lines of numbers, those without any left out.

    Attributes
    ----------
    values : float64 array of shape (V,)
    offsets : int64 array of shape (L + 1,)
        Line n has ``values[offsets[n]:offsets[n + 1]]``.
    document, number : int64 arrays of shape (L,)
        Which document a line is of, and its number there, from 1.
    names
        What messages call the documents.
    """

    values: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.int64]
    document: npt.NDArray[np.int64]
    number: npt.NDArray[np.int64]
    names: Sequence[str]

    def place(self, line: int) -> Place:
        """Where a line stands."""
        return Place(self.names[self.document[line]], "line {row}", int(self.number[line]))

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """How many numbers each line has, (L,)."""
        return np.diff(self.offsets)

    def column(self, lines: npt.NDArray[np.int64], place: int) -> npt.NDArray[np.float64]:
        """The number at one place of the chosen lines; below 0 from their ends."""
        return self.values[(self.offsets[lines] if place >= 0 else self.offsets[lines + 1]) + place]


def read_numbers(texts: Sequence[bytes], names: Sequence[str], report: Report) -> Lines:
    r"""Read numbers that white space separates, as doubles, each as Python's ``float`` reads it.

    Parameters
    ----------
    texts, names
        Contents of the documents, and what messages call them.
    report
        What is no number is refused there, with its line.

    Examples
    --------
    >>> lines = read_numbers([b"0 .5 1e-3\n\n7", b"2 3\n"], ["a.txt", "b.txt"], Report("x"))
    >>> lines.values.tolist(), lines.lengths.tolist(), str(lines.place(1)), str(lines.place(2))
    ([0.0, 0.5, 0.001, 7.0, 2.0, 3.0], [3, 1, 2], 'a.txt: line 3', 'b.txt: line 1')
    """
    data = np.frombuffer(b"\n".join([*texts, b""]), np.uint8)
    space = data <= _SPACE
    edges = np.flatnonzero(np.diff(np.concatenate([[True], space, [True]]).view(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    breaks = np.flatnonzero(data == _NEWLINE)
    line_of = np.searchsorted(breaks, starts)
    counts = np.bincount(line_of, minlength=len(breaks))
    filled = np.flatnonzero(counts)
    document_ends = np.cumsum([len(text) + 1 for text in texts]) - 1
    first_lines = np.concatenate([[0], np.searchsorted(breaks, document_ends)[:-1] + 1]) if texts else np.zeros(0, int)
    document = np.searchsorted(first_lines, filled, side="right") - 1
    lines = Lines(
        _values(data, space, starts, ends),
        np.concatenate([[0], np.cumsum(counts[filled])]),
        document,
        filled - first_lines[document] + 1 if len(filled) else filled,
        names,
    )
    wrong = np.flatnonzero(~np.isfinite(lines.values))
    if len(wrong):
        first = int(wrong[0])
        place = lines.place(int(np.searchsorted(lines.offsets, first, side="right")) - 1)
        found = repr(bytes(data[starts[first] : ends[first]]).decode("utf-8", "replace"))
        report.within(place.document).refuse("text-number", f"line {place.row}", found, "a number", count=len(wrong))
    return lines


def _values(
    data: npt.NDArray[np.uint8],
    space: npt.NDArray[np.bool_],
    starts: npt.NDArray[np.intp],
    ends: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    """Numbers; what is none is NaN."""
    import pyarrow as pa
    import pyarrow.compute as pc

    offsets = np.concatenate([[0], np.cumsum(ends - starts)])
    packed = data[~space]
    kind = pa.string() if offsets[-1] < 2**31 else pa.large_string()
    buffers = [None, pa.py_buffer(offsets.astype(np.int32 if kind == pa.string() else np.int64)), pa.py_buffer(packed)]
    tokens = pa.Array.from_buffers(kind, len(starts), buffers)
    try:
        return np.asarray(pc.cast(tokens, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    except pa.ArrowInvalid:
        return np.array([_number(bytes(data[a:b])) for a, b in zip(starts, ends, strict=True)], np.float64)


def _number(text: bytes) -> float:
    try:
        return float("nan") if b"_" in text else float(text)
    except ValueError:
        return float("nan")
