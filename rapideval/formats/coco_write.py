"""A Dataset into a COCO document."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.formats.files import Writable
from rapideval.formats.rowtext import (
    Column,
    Texts,
    floats,
    integers,
    json_objects,
    mask_counts,
    rows_of,
    strings,
    texts,
)
from rapideval.model import Annotations, Dataset, Masks, Polygons

__all__ = ["with_holes", "write_dataset", "write_results"]

Fields = list[tuple[str, Column]]
END = b"},\n"
_OWN = ("images", "categories", "annotations")


def write_dataset(dataset: Dataset, stream: Writable, rle: str) -> None:
    """Write the object of images, categories and annotations; one row of each a line."""
    rows = dataset.annotations
    fields: Fields = [
        ("id", integers(_ids(rows.ids, len(rows)))),
        *_references(dataset),
        ("segmentation", texts(_segmentations(dataset, rle, b"[]")[0])),
        ("area", floats(rows.area)),
        ("bbox", floats(rows.box)),
        ("iscrowd", integers(rows.crowd)),
    ]
    if rows.score is not None:
        fields.append(("score", floats(rows.score)))
    members = [_member(key, value) for key, value in dataset.info.items() if key not in _OWN]
    stream.write(b"{" + b"".join(member + b",\n" for member in members))
    _write_array(stream, b'"images":', _images(dataset))
    _write_array(stream, b',\n"categories":', _categories(dataset))
    _write_array(stream, b',\n"annotations":', json_objects(fields, len(rows), rows.extras, END))
    stream.write(b"}\n")


def write_results(dataset: Dataset, stream: Writable, rle: str) -> None:
    """Write the array of predictions, one a line.

    A box that was derived from a mask is left out: pycocotools takes the area of a result's box for the size of the
    object where there is one, and that of the mask where there is none.
    """
    rows = dataset.annotations
    segmentations, have = _segmentations(dataset, rle, b"")
    fields = _references(dataset)
    masked = np.zeros(len(rows), np.bool_) if rows.masks is None else rows.masks.present
    if "box" not in rows.derived or not (masked.all() and len(rows)):
        fields.append(("bbox", floats(rows.box)))
    fields.append(("segmentation", texts(segmentations, have)))
    if rows.score is not None:
        fields.append(("score", floats(rows.score)))
    if "area" not in rows.derived:
        fields.append(("area", floats(rows.area)))
    if rows.ids is not None:
        fields.append(("id", integers(rows.ids)))
    _write_array(stream, b"", json_objects(fields, len(rows), rows.extras, END))
    stream.write(b"\n")


def _member(key: str, value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"{json.dumps(key, ensure_ascii=False)}:{text}".encode()


def _write_array(stream: Writable, before: bytes, rows: Texts) -> None:
    """Write an array, one row a line; each row ends in a comma, of which the last is left out."""
    if not len(rows.data):
        stream.write(before + b"[]")
        return
    stream.write(before + b"[\n")
    stream.write(rows.data[: -len(END) + 1].data)
    stream.write(b"\n]")


def _ids(ids: npt.NDArray[np.int64] | None, count: int) -> npt.NDArray[np.int64]:
    return np.arange(1, count + 1) if ids is None else ids


def _images(dataset: Dataset) -> Texts:
    images = dataset.images
    known = images.sizes_known
    fields: Fields = [("id", integers(_ids(images.ids, len(images))))]
    if images.names is not None:
        fields.append(("file_name", strings(images.names)))
    fields.append(("height", integers(images.sizes[:, 0], present=known)))
    fields.append(("width", integers(images.sizes[:, 1], present=known)))
    return json_objects(fields, len(images), images.extras, END)


def _categories(dataset: Dataset) -> Texts:
    labels = dataset.labels
    fields: Fields = [("id", integers(_ids(labels.ids, len(labels)))), ("name", strings(labels.names))]
    if labels.supercategories is not None:
        have = np.array([name is not None for name in labels.supercategories], np.bool_)
        fields.append(("supercategory", strings((name or "" for name in labels.supercategories), present=have)))
    return json_objects(fields, len(labels), labels.extras, END)


def _references(dataset: Dataset) -> Fields:
    rows, images, labels = dataset.annotations, dataset.images, dataset.labels
    return [
        ("image_id", integers(_ids(images.ids, len(images)), rows.image)),
        ("category_id", integers(_ids(labels.ids, len(labels)), rows.label)),
    ]


# --- segmentation ------------------------------------------------------------------------------------


def _segmentations(dataset: Dataset, rle: str, absent: bytes) -> tuple[Texts, npt.NDArray[np.bool_]]:
    """JSON of each row's segmentation, and which rows have one.

    The source's outline where there is one, else the mask. COCO's polygons have no holes, so an outline with holes is
    written as its mask.
    """
    rows = dataset.annotations
    outlined = np.zeros(len(rows), np.bool_)
    if rows.polygons is not None:
        holed = with_holes(rows)
        outlined = rows.polygons.present & ~holed
        if holed.any():
            dataset = dataset.with_masks()
    masks = dataset.annotations.masks
    masked = np.zeros(len(rows), np.bool_) if masks is None else masks.present & ~outlined
    parts = [Texts.of([absent])]
    which = np.zeros(len(rows), np.int32)
    if rows.polygons is not None and outlined.any():
        parts.append(_polygons(rows.polygons.take(outlined)))
        which[outlined] = 1 + np.arange(int(outlined.sum()))
    if masks is not None and masked.any():
        which[masked] = sum(len(part.offsets) - 1 for part in parts) + np.arange(int(masked.sum()))
        parts.append(_masks(masks.take(masked), rle))
    return Texts.stacked(parts).take(which), outlined | masked


def with_holes(rows: Annotations) -> npt.NDArray[np.bool_]:
    """Which rows have an outline with holes."""
    return np.zeros(len(rows), np.bool_) if rows.polygons is None else rows.polygons.holed


def _polygons(polygons: Polygons) -> Texts:
    points = rows_of([b"", b""], [Column("float", polygons.coordinates)], len(polygons.coordinates))
    return points.arrays(polygons.ring_offsets).arrays(polygons.row_offsets)


def _masks(masks: Masks, rle: str) -> Texts:
    return json_objects([("size", integers(masks.sizes)), ("counts", mask_counts(masks, rle))], len(masks))
