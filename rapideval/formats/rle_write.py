"""A Dataset into RLE lines."""

from __future__ import annotations

import numpy as np
from msgspec import UNSET

from rapideval.formats.files import Writable
from rapideval.formats.header import image_column, image_entries, label_entries
from rapideval.formats.rle_lines import Header
from rapideval.formats.rowtext import Column, Texts, floats, integers, mask_counts, rows_of, strings, texts
from rapideval.model import Dataset, Masks

__all__ = ["header", "write"]


def write(dataset: Dataset, stream: Writable, rle: str) -> None:
    """Write the header and a line for each annotation."""
    import msgspec

    dataset = dataset.with_masks()
    stream.write(msgspec.json.encode(header(dataset)) + b"\n")
    stream.write(_lines(dataset, rle).data.data)


def header(dataset: Dataset) -> Header:
    """Images, labels and metadata of a dataset."""
    return Header(
        schema="rapideval-rle",
        version=1,
        scored=dataset.scored,
        labels=label_entries(dataset.labels),
        images=image_entries(dataset.images),
        info=dataset.info or UNSET,
    )


def _lines(dataset: Dataset, rle: str) -> Texts:
    rows = dataset.annotations
    count = len(rows)
    masks = Masks.empty(count) if rows.masks is None else rows.masks
    have = masks.present
    boxed = ~have if "box" in rows.derived else np.ones(count, np.bool_)
    crowd = Column("text", *Texts.of(["true"]), np.zeros(count, np.int32), rows.crowd)
    members: list[tuple[bytes, Column]] = [
        (b'{"image":', image_column(dataset)),
        (b',"label":', strings(dataset.labels.names, rows.label)),
    ]
    if rows.score is not None:
        members.append((b',"score":', floats(rows.score)))
    members += [
        (b',"size":', integers(masks.sizes, present=have)),
        (b',"counts":', mask_counts(masks, rle)._replace(present=have)),
        (b',"box":', floats(rows.box, boxed)),
        (b',"crowd":', crowd),
    ]
    if "area" not in rows.derived:
        members.append((b',"area":', floats(rows.area)))
    if rows.ids is not None:
        members.append((b',"id":', integers(rows.ids)))
    if rows.extras is not None:
        extras = Texts(np.frombuffer(rows.extras.data, np.uint8), rows.extras.offsets)
        members.append((b',"extras":', texts(extras, rows.extras.present)))
    return rows_of([*(name for name, _ in members), b"}\n"], [column for _, column in members], count)
