"""Parquet: the canonical columns of a dataset, a row for each annotation, for pipelines of tables.

Always there: ``image`` and ``label`` (names), ``x``, ``y``, ``width``, ``height`` (float64, pixels from the top-left
corner of the top-left pixel), ``area`` (float64), ``crowd`` (bool). Where the dataset has them: ``score`` (float64),
``id`` (int64), ``mask_height``, ``mask_width`` (uint32) and ``mask_counts`` (list of uint32: COCO run lengths, column
by column, background first), ``rings`` (list of lists of float64: x, y, x, y, ...) and ``holes`` (list of bool, one for
each ring), ``extras`` (further fields as JSON). Null where a row has none. ``image_index`` and ``label_index`` (int32)
are places in the lists of images and labels that the file's metadata has under ``rapideval``, as JSON, with their ids,
sizes and further fields, and the dataset's own.

A file of another maker is read by the columns ``image``, ``label``, ``x``, ``y``, ``width``, ``height`` and those of
the others that it has. Row groups are written one by one, of `rows_per_group` rows.
"""

from __future__ import annotations

from rapideval.formats.capabilities import Capabilities
from rapideval.formats.files import Source, Writable
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]


def _sniff(source: Source) -> Guess | None:
    if source.is_folder or not source.head(4).startswith(b"PAR1"):
        return None
    from rapideval.formats import parquet_read

    return parquet_read.sniff(source)


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read a file; images and labels given stand before those of a file that has no lists of its own."""
    from rapideval.formats import parquet_read

    return parquet_read.read(source, images, labels)


def _write(dataset: Dataset, stream: Writable, *, rows_per_group: int = 131072, compression: str = "zstd") -> None:
    """Write a file.

    Parameters
    ----------
    dataset, stream
        What to write, and where.
    rows_per_group
        Annotations of a row group.
    compression
        ``"zstd"``, ``"snappy"``, ``"gzip"`` or ``"none"``.
    """
    from rapideval.formats import parquet_write

    parquet_write.write(dataset, stream, rows_per_group, compression)


FORMATS = {
    "parquet": Format(
        name="parquet",
        title="Parquet: the columns of a dataset, all of them",
        suffixes=(".parquet",),
        sniff=_sniff,
        reader=_read,
        writer=_write,
        capabilities=Capabilities.all_but(
            convention="pixels, origin at the top-left corner of the top-left pixel, boxes x, y, width, height",
            index_base="image_index and label_index from 0",
            specification="rapideval.formats.parquet",
        ),
    ),
}
"""Formats of this module."""
