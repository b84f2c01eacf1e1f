"""A Dataset into RLE lines."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import UNSET

from rapideval.formats.files import Writable
from rapideval.formats.rle_lines import Header, ImageEntry, LabelEntry
from rapideval.formats.rowtext import Column, Texts, floats, integers, mask_counts, rows_of, strings, texts
from rapideval.model import Dataset, Images, Masks

__all__ = ["header", "write"]


def write(dataset: Dataset, stream: Writable, rle: str) -> None:
    """Write the header and a line for each annotation."""
    import msgspec

    dataset = dataset.with_masks()
    stream.write(msgspec.json.encode(header(dataset)) + b"\n")
    stream.write(_lines(dataset, rle).data.data)


def header(dataset: Dataset) -> Header:
    """Images, labels and metadata of a dataset."""
    images, labels = dataset.images, dataset.labels
    return Header(
        schema="rapideval-rle",
        version=1,
        scored=dataset.scored,
        labels=[
            LabelEntry(
                label.name,
                UNSET if label.id is None else label.id,
                UNSET if label.supercategory is None else label.supercategory,
                _extras(labels.extras, label.index),
            )
            for label in labels
        ],
        images=[
            ImageEntry(
                UNSET if image.name is None else image.name,
                UNSET if image.id is None else image.id,
                UNSET if image.height is None or image.width is None else [image.height, image.width],
                _extras(images.extras, image.index),
            )
            for image in images
        ],
        info=dataset.info or UNSET,
    )


def _extras(extras: Any, index: int) -> Any:
    return UNSET if extras is None else extras[index] or UNSET


def _image_keys(images: Images, which: Any) -> Column:
    """What lines call images: their names, or their ids where names do not tell them apart."""
    if images.names is not None and len(set(images.names)) == len(images.names):
        return strings(images.names, which)
    assert images.ids is not None
    return integers(images.ids, which)


def _lines(dataset: Dataset, rle: str) -> Texts:
    rows, images, labels = dataset.annotations, dataset.images, dataset.labels
    count = len(rows)
    masks = Masks.empty(count) if rows.masks is None else rows.masks
    have = masks.present
    boxed = ~have if "box" in rows.derived else np.ones(count, np.bool_)
    crowd = Column("text", *Texts.of(["true"]), np.zeros(count, np.int32), rows.crowd)
    members: list[tuple[bytes, Column]] = [
        (b'{"image":', _image_keys(images, rows.image)),
        (b',"label":', strings(labels.names, rows.label)),
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
