"""Saved evaluations: one Parquet file with a row group for each kind of row, and a document that says what they mean.

Any Parquet reader can open such a file: column ``kind`` tells the rows apart, and what a kind has no use for is null.
The document is JSON in the file's metadata under ``rapideval``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, InputError, Problem

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["VERSION", "Group", "read_groups", "write_groups"]

KEY = b"rapideval"
VERSION = 1
Group = dict[str, Any]
"""Columns of one kind of row, by name: NumPy arrays of one length, or lists of text."""


def write_groups(path: str | os.PathLike[str], document: Mapping[str, Any], groups: Mapping[str, Group]) -> None:
    """Write the groups, in their order, and the document; whole or not at all, the same bytes for the same content."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from rapideval.formats.files import whole_file

    tables = {
        kind: pa.table({name: pa.array(values) for name, values in group.items()}) for kind, group in groups.items()
    }
    fields: dict[str, pa.DataType] = {"kind": pa.string()}
    for table in tables.values():
        for field in table.schema:
            if fields.setdefault(field.name, field.type) != field.type:
                raise TypeError(f"column {field.name} has two types: {fields[field.name]} and {field.type}")
    columns_of = {kind: table.column_names for kind, table in tables.items()}
    whole = {"version": VERSION, "columns": columns_of, **document}
    text = json.dumps(whole, ensure_ascii=False)
    schema = pa.schema(list(fields.items()))
    floats = [name for name, kind in fields.items() if pa.types.is_floating(kind)]
    with (
        whole_file(path) as file,
        pq.ParquetWriter(
            file,
            schema,
            compression="zstd",
            use_dictionary=[name for name in fields if name not in floats],
            column_encoding=dict.fromkeys(floats, "BYTE_STREAM_SPLIT"),
            write_page_checksum=True,
            store_schema=False,
        ) as writer,
    ):
        for kind, table in tables.items():
            columns = [pa.repeat(kind, len(table))]
            columns += [
                table[name] if name in table.column_names else pa.nulls(len(table), fields[name])
                for name in list(fields)[1:]
            ]
            writer.write_table(pa.table(columns, schema), row_group_size=max(len(table), 1))
        writer.add_key_value_metadata({KEY: text.encode()})


def read_groups(path: str | os.PathLike[str], formats: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Group]]:
    """Document and groups of a saved evaluation of one of these formats; its pages' checksums are verified."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = os.fspath(path)
    if not Path(path).is_file():
        raise InputError(Problem("file-missing", name, "no such file", "a saved evaluation"))
    try:
        metadata = pq.read_metadata(path)
        document = _document(metadata.metadata, name, formats)
        file = pq.ParquetFile(path, metadata=metadata, page_checksum_verification=True, read_dictionary=["kind"])
        wanted = document.pop("columns")
        groups: dict[str, Group] = {}
        for number, (kind, columns) in enumerate(wanted.items()):
            table = file.read_row_group(number, columns=["kind", *columns])
            kinds = {found for chunk in table["kind"].chunks for found in chunk.dictionary.to_pylist()}
            if kinds - {kind} or table["kind"].null_count:
                raise _broken(name, f"rows of {sorted(kinds)}", f"rows of {kind!r}")
            groups[kind] = {column: _values(table[column], name) for column in columns}
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise _broken(name, f"a damaged file ({str(error).splitlines()[0]})", "a saved evaluation") from None
    return document, groups


def _document(metadata: Mapping[bytes, bytes] | None, name: str, formats: tuple[str, ...]) -> dict[str, Any]:
    text = (metadata or {}).get(KEY)
    if text is None:
        raise _broken(name, "a Parquet file without rapideval's document", "a saved evaluation")
    document: dict[str, Any] = json.loads(text)
    if document.get("version") != VERSION:
        raise _broken(name, f"version {document.get('version')!r}", f"version {VERSION}")
    if document.get("format") not in formats:
        raise _broken(name, f"format {document.get('format')!r}", " or ".join(formats))
    return document


def _values(column: pa.ChunkedArray, name: str) -> npt.NDArray[Any] | list[str]:
    import pyarrow as pa

    if column.null_count:
        raise _broken(name, "a missing value", "a value in every row")
    if pa.types.is_string(column.type):
        texts: list[str] = column.to_pylist()
        return texts
    # Arrow's to_numpy would import pandas, which takes longer than all else that a gate does
    return np.from_dlpack(column.chunk(0) if column.num_chunks == 1 else column.combine_chunks())


def _broken(name: str, found: str, expected: str) -> FormatError:
    return FormatError(Problem("evaluation-file", name, found, expected))
