"""Parquet into a Dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, InputError, Problem
from rapideval.formats.files import Source
from rapideval.formats.header import extras_from, images_from, labels_from
from rapideval.formats.notes import Report
from rapideval.formats.parquet_header import KEY, ParquetHeader
from rapideval.formats.registry import Guess
from rapideval.model import Annotations, Dataset, Extras, Images, Labels, Masks, Polygons
from rapideval.model import Source as Origin
from rapideval.model.columns import offsets_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read", "sniff"]

_BOX = ("x", "y", "width", "height")
_NEEDED = ("image", "label", *_BOX)


def sniff(source: Source) -> Guess | None:
    """Whether a Parquet file has the columns of a dataset."""
    try:
        schema = _open(source).schema_arrow
    except InputError:
        return None
    if KEY in (schema.metadata or {}) and "image_index" in schema.names:
        return Guess(1, "Parquet with the columns of a rapideval dataset")
    if set(_NEEDED) <= set(schema.names):
        return Guess(0.9, "Parquet with image, label, x, y, width and height")
    return None


def _open(source: Source) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    content = source.for_core()
    try:
        return pq.ParquetFile(content if isinstance(content, str) else pa.BufferReader(content))
    except (pa.ArrowException, OSError, ValueError) as error:
        text = str(error).splitlines()[0]
        raise FormatError(Problem("parquet", source.name, text, "a Parquet file")) from None


def read(source: Source, images: Images | None, labels: Labels | None) -> Dataset:
    """Read a file; see `rapideval.formats.parquet`."""
    import pyarrow as pa

    report = Report(source.name)
    try:
        table = _open(source).read().combine_chunks()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise FormatError(Problem("parquet", source.name, str(error).splitlines()[0], "a Parquet file")) from None
    header = _header(table, report)
    missing = [name for name in _NEEDED if name not in table.column_names]
    if missing:
        found = f"the columns {', '.join(table.column_names[:12])}"
        raise FormatError(Problem("parquet-column", source.name, found, f"a column {missing[0]}"))
    columns = _Columns(table, report)
    if header is not None and "image_index" in table.column_names and "label_index" in table.column_names:
        images, image = _own_images(header), columns.places("image_index", len(header.images))
        labels, _ = labels_from(header.labels, [], None)
        label = columns.places("label_index", len(header.labels))
    else:
        names = columns.words("image")
        report.close()
        images, image = images_from(None, names, images, lambda row: f"row {row}", report)
        labels, label = labels_from([], columns.words("label"), labels)
    report.close()
    annotations = _annotations(columns, image, label, header)
    report.close()
    info = None if header is None or header.info is msgspec.UNSET else header.info
    try:
        return Dataset(images, labels, annotations, info, report.notes)
    except InputError as error:
        raise FormatError(error.problems, error.total) from None


def _header(table: pa.Table, report: Report) -> ParquetHeader | None:
    text = (table.schema.metadata or {}).get(KEY)
    if text is None:
        return None
    try:
        return msgspec.json.decode(text, type=ParquetHeader)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        expected = "images and labels of version 1"
        raise FormatError(Problem("parquet-header", f"{report.name}: metadata", str(error), expected)) from None


def _own_images(header: ParquetHeader) -> Images:
    names = [entry.name for entry in header.images if entry.name is not msgspec.UNSET]
    ids = [entry.id for entry in header.images if entry.id is not msgspec.UNSET]
    count = len(header.images)
    try:
        return Images(
            names if len(names) == count else None,
            ids if count and len(ids) == count else None,
            [[0, 0] if entry.size is msgspec.UNSET else entry.size for entry in header.images] or None,
            extras_from([entry.extras for entry in header.images]),
        )
    except InputError as error:
        raise FormatError(error.problems, error.total) from None


def _annotations(
    columns: _Columns, image: npt.NDArray[np.int32], label: npt.NDArray[np.int32], header: ParquetHeader | None
) -> Annotations:
    count = len(image)
    scored = header.scored if header is not None else "score" in columns.names
    if not count:
        return Annotations.empty(scored)
    derived = set() if header is None else set(header.derived) & {"box", "area", "crowd", "ids"}
    box = np.stack([columns.numbers(name) for name in _BOX], axis=1)
    area = columns.numbers("area") if "area" in columns.names else None
    crowd = columns.flags("crowd") if "crowd" in columns.names else None
    score = columns.numbers("score") if "score" in columns.names else None
    ids = columns.integers("id") if "id" in columns.names else None
    masks, polygons, extras = columns.masks(), columns.polygons(), columns.extras()
    columns.report.close()
    try:
        return Annotations(
            image, label, box, score, area, crowd, masks, polygons, ids,
            Origin([f"{columns.report.name}: row {{row}}"], np.arange(count)), extras, derived,
        )  # fmt: skip
    except InputError as error:
        raise FormatError(error.problems, error.total) from None


class _Columns:
    """Columns of a table as arrays; what is null where it must not be, or of another kind, is refused."""

    def __init__(self, table: pa.Table, report: Report) -> None:
        self._table, self.report = table, report
        self.names = set(table.column_names)

    def _array(self, name: str, kinds: str, expected: str) -> Any:
        """A column of one of the kinds (as pyarrow.types calls them), without nulls."""
        import pyarrow as pa

        column = self._table[name]
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if not any(getattr(pa.types, f"is_{name}")(kind) for name in kinds.split()):
            self.report.refuse("parquet-type", f"column {name}", str(column.type), expected)
            self.report.close()
        if column.null_count:
            row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
            self.report.refuse("parquet-null", f"column {name}: row {row}", "null", expected, count=column.null_count)
            self.report.close()
        return column

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A column of numbers."""
        column = self._array(name, "floating integer", "numbers")
        return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)

    def integers(self, name: str) -> npt.NDArray[np.int64]:
        """A column of whole numbers."""
        column = self._array(name, "integer", "whole numbers")
        return np.asarray(column.to_numpy(zero_copy_only=False), np.int64)

    def flags(self, name: str) -> npt.NDArray[np.bool_]:
        """A column of truth values."""
        return np.asarray(self._array(name, "boolean", "true and false").to_numpy(zero_copy_only=False), np.bool_)

    def words(self, name: str) -> list[str]:
        """A column of text."""
        column = self._array(name, "string large_string", "text")
        listed: list[str] = column.to_pylist()
        return listed

    def places(self, name: str, count: int) -> npt.NDArray[np.int32]:
        """A column of places in a list."""
        places = self.integers(name)
        wrong = np.flatnonzero((places < 0) | (places >= count))
        if len(wrong):
            row = int(wrong[0])
            expected = f"a place from 0 in a list of {count:,}"
            self.report.refuse("parquet-place", f"column {name}: row {row}", str(places[row]), expected, "", len(wrong))
            self.report.close()
        return places.astype(np.int32)

    def _lists(self, name: str, depth: int) -> tuple[list[npt.NDArray[np.int64]], Any, npt.NDArray[np.bool_]]:
        """Offsets of each depth, the values, and which rows are null."""
        import pyarrow as pa

        column = self._table[name]
        column = column.chunk(0) if column.num_chunks else pa.array([], column.type)
        absent = np.asarray(column.is_null().to_numpy(zero_copy_only=False), np.bool_)
        offsets = []
        for _ in range(depth):
            if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
                self.report.refuse("parquet-type", f"column {name}", str(self._table[name].type), "lists of numbers")
                self.report.close()
            lengths = np.asarray(column.value_lengths().fill_null(0).to_numpy(zero_copy_only=False), np.int64)
            offsets.append(offsets_of(lengths))
            column = column.flatten()
        if column.null_count:
            self.report.refuse("parquet-null", f"column {name}", "null in a list", "values")
            self.report.close()
        return offsets, column.to_numpy(zero_copy_only=False), absent

    def masks(self) -> Masks | None:
        """Masks, where there are columns of them."""
        if "mask_counts" not in self.names:
            return None
        for name in ("mask_height", "mask_width"):
            if name not in self.names:
                self.report.refuse("parquet-column", f"column {name}", "mask_counts without it", "sizes of masks")
        self.report.close()
        (offsets,), counts, absent = self._lists("mask_counts", 1)
        sides = [self._table[name].fill_null(0).to_numpy().astype(np.int64) for name in ("mask_height", "mask_width")]
        sizes = np.stack(sides, axis=1)
        if (sizes < 0).any() or (sizes >= 2**32).any():
            self.report.refuse("parquet-mask", "column mask_height", "sizes below 0 or above 2^32", "sizes in pixels")
            self.report.close()
        present = ~absent & (sizes > 0).all(axis=1)
        sizes[~present] = 0
        try:
            return Masks(np.asarray(counts, np.uint32), offsets, sizes.astype(np.uint32))
        except InputError as error:
            raise FormatError(error.problems, error.total) from None

    def polygons(self) -> Polygons | None:
        """Outlines, where there are columns of them."""
        if "rings" not in self.names:
            return None
        (rows, rings), numbers, _ = self._lists("rings", 2)
        if (np.diff(rings) % 2).any():
            self.report.refuse("parquet-rings", "column rings", "a ring of an odd count of numbers", "x, y, x, y, ...")
            self.report.close()
        holes = None
        if "holes" in self.names:
            (hole_rows,), holes, _ = self._lists("holes", 1)
            if not np.array_equal(hole_rows, rows):
                self.report.refuse("parquet-rings", "column holes", "another count than rings", "one for each ring")
                self.report.close()
        points = np.asarray(numbers, np.float64).reshape(-1, 2)
        try:
            return Polygons(points, rings // 2, rows, None if holes is None else np.asarray(holes, np.bool_))
        except InputError as error:
            raise FormatError(error.problems, error.total) from None

    def extras(self) -> Extras | None:
        """Further fields, where there is a column of them."""
        if "extras" not in self.names:
            return None
        texts = self._table["extras"].to_pylist()
        fields = []
        for row, text in enumerate(texts):
            try:
                fields.append(None if text is None else msgspec.json.decode(text, type=dict[str, Any]))
            except (msgspec.MsgspecError, TypeError) as error:
                self.report.refuse("parquet-extras", f"column extras: row {row}", str(error), "a JSON object")
        self.report.close()
        return extras_from(fields)
