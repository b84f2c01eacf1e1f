"""A Dataset into Parquet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.formats.files import Writable
from rapideval.formats.header import image_entries, label_entries
from rapideval.formats.parquet_header import KEY, ParquetHeader
from rapideval.model import Annotations, Dataset

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["write"]

_COMPRESSIONS = ("zstd", "snappy", "gzip", "none")


def write(dataset: Dataset, stream: Writable, rows_per_group: int, compression: str) -> None:
    """Write the file; see `rapideval.formats.parquet`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if rows_per_group < 1:
        raise UsageError(f"rows_per_group={rows_per_group}: 1 or more")
    if compression not in _COMPRESSIONS:
        raise UsageError(f"compression={compression!r}: one of {', '.join(_COMPRESSIONS)}")
    schema = _schema(dataset).with_metadata({KEY: msgspec.json.encode(_header(dataset))})
    rows = dataset.annotations
    sink = pa.PythonFile(_Sink(stream), mode="w")
    # bytes that depend on nothing but the content: no statistics of a thread's order, one version of the format
    with pq.ParquetWriter(sink, schema, compression=compression, version="2.6", store_schema=True) as writer:
        for start in range(0, len(rows), rows_per_group):
            part = rows.take(np.arange(start, min(start + rows_per_group, len(rows))))
            writer.write_table(pa.Table.from_arrays(_columns(dataset, part), schema=schema))


class _Sink:
    """What Arrow writes to, of what our writers write to."""

    closed = False

    def __init__(self, stream: Writable) -> None:
        self._stream, self._place = stream, 0

    def write(self, data: Any) -> int:
        """Append."""
        view = memoryview(data).cast("B")
        self._stream.write(view)
        self._place += len(view)
        return len(view)

    def tell(self) -> int:
        """How much was written."""
        return self._place

    def flush(self) -> None:
        """Nothing is held back here."""

    def close(self) -> None:
        """The stream is closed by whoever opened it."""


def _header(dataset: Dataset) -> ParquetHeader:
    return ParquetHeader(
        schema="rapideval-dataset",
        version=1,
        scored=dataset.scored,
        images=image_entries(dataset.images),
        labels=label_entries(dataset.labels),
        derived=sorted(dataset.annotations.derived),
        info=dataset.info or msgspec.UNSET,
    )


def _schema(dataset: Dataset) -> pa.Schema:
    import pyarrow as pa

    rows = dataset.annotations
    words = pa.dictionary(pa.int32(), pa.string())
    fields: list[tuple[str, Any]] = [("image", words), ("label", words)]
    fields += [(name, pa.float64()) for name in ("x", "y", "width", "height", "area")]
    fields += [("crowd", pa.bool_()), ("image_index", pa.int32()), ("label_index", pa.int32())]
    if rows.score is not None:
        fields.append(("score", pa.float64()))
    if rows.ids is not None:
        fields.append(("id", pa.int64()))
    if rows.masks is not None:
        fields += [("mask_height", pa.uint32()), ("mask_width", pa.uint32()), ("mask_counts", pa.list_(pa.uint32()))]
    if rows.polygons is not None:
        fields += [("rings", pa.list_(pa.list_(pa.float64()))), ("holes", pa.list_(pa.bool_()))]
    if rows.extras is not None:
        fields.append(("extras", pa.string()))
    return pa.schema(fields)


def _columns(dataset: Dataset, rows: Annotations) -> list[Any]:
    import pyarrow as pa

    def words(codes: npt.NDArray[np.int32], names: tuple[str, ...]) -> pa.Array:
        used, places = np.unique(codes, return_inverse=True)  # a group's dictionary has what the group uses
        listed = list(dict.fromkeys(names[place] for place in used))
        by_name = {name: place for place, name in enumerate(listed)}
        index = np.array([by_name[names[place]] for place in used], np.int32)[places]
        return pa.DictionaryArray.from_arrays(pa.array(index), pa.array(listed, pa.string()))

    columns = [words(rows.image, dataset.images.keys), words(rows.label, dataset.labels.names)]
    columns += [pa.array(np.ascontiguousarray(column)) for column in rows.box.T]
    columns += [pa.array(rows.area), pa.array(rows.crowd), pa.array(rows.image), pa.array(rows.label)]
    if rows.score is not None:
        columns.append(pa.array(rows.score))
    if rows.ids is not None:
        columns.append(pa.array(rows.ids))
    if rows.masks is not None:
        absent = ~rows.masks.present
        columns += [pa.array(np.ascontiguousarray(side), mask=absent) for side in rows.masks.sizes.T]
        columns.append(_list(rows.masks.offsets, pa.array(rows.masks.counts), absent))
    if rows.polygons is not None:
        absent = ~rows.polygons.present
        points = pa.array(rows.polygons.coordinates.reshape(-1))
        rings = _list(2 * rows.polygons.ring_offsets, points, None)
        columns.append(_list(rows.polygons.row_offsets, rings, absent))
        columns.append(_list(rows.polygons.row_offsets, pa.array(rows.polygons.ring_is_hole), absent))
    if rows.extras is not None:
        texts = [rows.extras.text(row).decode() or None for row in range(len(rows))]
        columns.append(pa.array(texts, pa.string()))
    return columns


def _list(offsets: npt.NDArray[np.int64], values: Any, absent: npt.NDArray[np.bool_] | None) -> Any:
    import pyarrow as pa

    mask = None if absent is None else pa.array(absent)
    return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), values, mask=mask)
