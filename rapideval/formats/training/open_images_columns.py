"""Boxes of Open Images as columns: a million lines without a Python object each.

A file that is in any way out of the ordinary is left to the reading line by line, which says where and why.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.formats.files import Source
from rapideval.model import Annotations, Extras
from rapideval.model import Source as Origins

__all__ = ["EDGES", "FLAGS", "Table", "annotations_of", "csv_of", "table_of"]

EDGES = ("XMin", "XMax", "YMin", "YMax")
FLAGS = ("IsOccluded", "IsTruncated", "IsDepiction", "IsInside")

_Places = npt.NDArray[np.int64]


class Table(NamedTuple):
    """Columns of a file of boxes.

    Attributes
    ----------
    name
        Of the file.
    images, labels
        Names in the order in which they come first.
    image, label
        Places among these, (N,).
    edges
        Left, right, top, bottom, relative, (N, 4).
    crowd
        ``IsGroupOf``, (N,).
    flags
        A bit for each of `FLAGS`, (N,).
    sources
        What there is as ``Source``.
    confidence
        As numbers (N,), None where they are none.
    """

    name: str
    images: list[str]
    labels: list[str]
    image: _Places
    label: _Places
    edges: npt.NDArray[np.float64]
    crowd: npt.NDArray[np.bool_]
    flags: npt.NDArray[np.uint8]
    sources: set[str]
    confidence: npt.NDArray[np.float64] | None


def table_of(document: Source) -> Table | None:
    """A file of boxes as columns; None where it is to be read line by line."""
    import pyarrow as pa
    from pyarrow import csv

    data = document.data()
    if b'"' in data:  # what quotes mean where they stand oddly, readers do not agree on
        return None
    word = pa.dictionary(pa.int32(), pa.string())
    kinds = dict.fromkeys(("ImageID", "LabelName", "Source", "Confidence", "IsGroupOf", *FLAGS), word)
    try:
        table = csv.read_csv(
            io.BytesIO(data),
            read_options=csv.ReadOptions(use_threads=True),
            convert_options=csv.ConvertOptions(
                column_types=kinds | dict.fromkeys(EDGES, pa.float64()), strings_can_be_null=False, null_values=[]
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    names = table.column_names
    if len(set(names)) < len(names) or not {"ImageID", "LabelName", *EDGES} <= set(names) or not len(table):
        return None
    if not _is_a_line_a_row(data, len(table)):
        return None
    edges = np.stack([table[name].to_numpy() for name in EDGES], axis=1)
    if not np.isfinite(edges).all() or (edges[:, 1] < edges[:, 0]).any() or (edges[:, 3] < edges[:, 2]).any():
        return None
    images, image = _words(table, "ImageID")
    labels, label = _words(table, "LabelName")
    flags = np.zeros(len(table), np.uint8)
    for place, name in enumerate(FLAGS):
        flags |= _is_one(table, name).astype(np.uint8) << place
    sources = set(_words(table, "Source")[0]) if "Source" in names else {""}
    crowd = _is_one(table, "IsGroupOf")
    return Table(document.name, images, labels, image, label, edges, crowd, flags, sources, _confidence(table))


def _is_a_line_a_row(data: bytes, rows: int) -> bool:
    """Whether rows stand in lines one after another, so that their places are known."""
    returns, lines = data.count(b"\r"), data.count(b"\n")
    return returns in (0, lines) and lines + (not data.endswith(b"\n")) == rows + 1


def _words(table: Any, name: str) -> tuple[list[str], _Places]:
    """Words of a column in the order in which they come first, and the place of each row's."""
    chunks = table[name].unify_dictionaries().chunks
    words = chunks[0].dictionary.to_pylist()
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in chunks]).astype(np.int64)
    used, first = np.unique(codes, return_index=True)
    order = used[np.argsort(first)]
    places = np.zeros(len(words), np.int64)
    places[order] = np.arange(len(order))
    return [words[code] for code in order.tolist()], places[codes]


def _is_one(table: Any, name: str) -> npt.NDArray[np.bool_]:
    if name not in table.column_names:
        return np.zeros(len(table), np.bool_)
    words, places = _words(table, name)
    return np.array([word == "1" for word in words], np.bool_)[places]


def _confidence(table: Any) -> npt.NDArray[np.float64] | None:
    if "Confidence" not in table.column_names:
        return None
    words, places = _words(table, "Confidence")
    try:
        return np.array([float(word) for word in words])[places]
    except ValueError:
        return None


def annotations_of(
    tables: Sequence[Table],
    images: Sequence[_Places],
    labels: Sequence[_Places],
    sizes: npt.NDArray[np.float64],
    scored: bool,
) -> Annotations:
    """Annotations of files of boxes.

    Parameters
    ----------
    tables
        The files, at least one.
    images, labels
        For each file: places in the dataset of its images and labels.
    sizes
        Height and width of each image of the dataset, (M, 2).
    scored
        Whether confidences are scores.
    """
    image = np.concatenate([known[table.image] for known, table in zip(images, tables, strict=True)])
    label = np.concatenate([known[table.label] for known, table in zip(labels, tables, strict=True)])
    left, right, top, bottom = np.concatenate([table.edges for table in tables]).T
    height, width = sizes[image].T
    crowd = np.concatenate([table.crowd for table in tables])
    lengths = [len(table.image) for table in tables]
    return Annotations(
        image,
        label,
        np.stack([left * width, top * height, (right - left) * width, (bottom - top) * height], axis=1),
        np.concatenate([table.confidence for table in tables if table.confidence is not None]) if scored else None,
        crowd=crowd if crowd.any() else None,
        source=Origins(
            [f"{table.name}: line {{row}}" for table in tables],
            np.concatenate([np.arange(2, length + 2) for length in lengths]),
            np.repeat(np.arange(len(tables)), lengths),
        ),
        extras=_extras(np.concatenate([table.flags for table in tables])),
        derived={"ids"},
    )


def _extras(flags: npt.NDArray[np.uint8]) -> Extras | None:
    """Further fields of rows by their bits."""
    if not flags.any():
        return None
    kinds = Extras.from_dicts(
        [{name: True for place, name in enumerate(FLAGS) if bits >> place & 1} for bits in range(1 << len(FLAGS))]
    )
    return kinds.take(flags.astype(np.int64))


def csv_of(columns: dict[str, npt.NDArray[Any] | tuple[Sequence[str], npt.NDArray[Any]]]) -> bytes:
    """Columns as CSV; words are given once each, with the place of each row's."""
    import pyarrow as pa
    from pyarrow import csv

    arrays, quoted = {}, False
    for name, values in columns.items():
        if isinstance(values, tuple):
            words, places = values
            quoted = quoted or any(set(word) & set(',"\r\n') for word in words)
            arrays[name] = pa.array(words, pa.string()).take(pa.array(places))
        else:
            arrays[name] = pa.array(values)
    stream = io.BytesIO()
    stream.write((",".join(columns) + "\n").encode())
    style = "needed" if quoted else "none"
    csv.write_csv(pa.table(arrays), stream, csv.WriteOptions(include_header=False, quoting_style=style))
    return stream.getvalue()
