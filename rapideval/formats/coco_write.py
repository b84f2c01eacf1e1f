"""A Dataset into a COCO document."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import UsageError
from rapideval.formats.files import Writable
from rapideval.formats.rowtext import Field, Texts, join_rows, number_texts, ragged_texts, string_texts
from rapideval.model import Annotations, Dataset, Extras, Masks, Polygons

__all__ = ["write_dataset", "write_results"]


def write_dataset(dataset: Dataset, stream: Writable, rle: str) -> None:
    """Write the object of images, categories and annotations; one row of each a line."""
    members = [_member(key, value) for key, value in dataset.info.items() if key not in _OWN]
    members.append(b'"images":' + _array(_images(dataset)))
    members.append(b'"categories":' + _array(_categories(dataset)))
    rows = dataset.annotations
    fields: list[Field] = [
        ("id", number_texts(_ids(rows.ids, len(rows))), None),
        *_references(dataset),
        ("segmentation", _segmentations(dataset, rle, "[]")[0], None),
        ("area", number_texts(rows.area), None),
        ("bbox", _boxes(rows.box), None),
        ("iscrowd", number_texts(rows.crowd), None),
    ]
    if rows.score is not None:
        fields.append(("score", number_texts(rows.score), None))
    members.append(b'"annotations":' + _array(join_rows(fields, _extra_texts(rows.extras), len(rows))))
    stream.write(b"{" + b",\n".join(members) + b"}\n")


def write_results(dataset: Dataset, stream: Writable, rle: str) -> None:
    """Write the array of predictions, one a line.

    A box that was derived from a mask is left out: pycocotools takes the area of a result's box for the size of the
    object where there is one, and that of the mask where there is none.
    """
    rows = dataset.annotations
    texts, have = _segmentations(dataset, rle, "")
    fields = _references(dataset)
    masked = np.zeros(len(rows), np.bool_) if rows.masks is None else rows.masks.present
    if "box" not in rows.derived or not (masked.all() and len(rows)):
        fields.append(("bbox", _boxes(rows.box), None))
    if have.any():
        fields.append(("segmentation", texts, have))
    if rows.score is not None:
        fields.append(("score", number_texts(rows.score), None))
    if "area" not in rows.derived:
        fields.append(("area", number_texts(rows.area), None))
    if rows.ids is not None:
        fields.append(("id", number_texts(rows.ids), None))
    stream.write(_array(join_rows(fields, _extra_texts(rows.extras), len(rows))) + b"\n")


_OWN = ("images", "categories", "annotations")


def _member(key: str, value: Any) -> bytes:
    return (
        f"{json.dumps(key, ensure_ascii=False)}:{json.dumps(value, ensure_ascii=False, separators=(',', ':'))}".encode()
    )


def _array(rows: bytes) -> bytes:
    return b"[\n" + rows + b"\n]" if rows else b"[]"


def _ids(ids: npt.NDArray[np.int64] | None, count: int) -> npt.NDArray[np.int64]:
    return np.arange(1, count + 1) if ids is None else ids


def _extra_texts(extras: Extras | None) -> list[bytes] | None:
    return None if extras is None else [extras.text(row) for row in range(len(extras))]


def _images(dataset: Dataset) -> bytes:
    images = dataset.images
    known = images.sizes_known
    fields: list[Field] = [("id", number_texts(_ids(images.ids, len(images))), None)]
    if images.names is not None:
        fields.append(("file_name", string_texts(images.names), None))
    if known.any():
        fields.append(("height", number_texts(images.sizes[:, 0]), known))
        fields.append(("width", number_texts(images.sizes[:, 1]), known))
    return join_rows(fields, _extra_texts(images.extras), len(images))


def _categories(dataset: Dataset) -> bytes:
    labels = dataset.labels
    fields: list[Field] = [
        ("id", number_texts(_ids(labels.ids, len(labels))), None),
        ("name", string_texts(labels.names), None),
    ]
    if labels.supercategories is not None:
        have = np.array([name is not None for name in labels.supercategories], np.bool_)
        fields.append(("supercategory", string_texts(name or "" for name in labels.supercategories), have))
    return join_rows(fields, _extra_texts(labels.extras), len(labels))


def _references(dataset: Dataset) -> list[Field]:
    rows = dataset.annotations
    image_ids = _ids(dataset.images.ids, len(dataset.images))
    label_ids = _ids(dataset.labels.ids, len(dataset.labels))
    return [
        ("image_id", number_texts(image_ids[rows.image]), None),
        ("category_id", number_texts(label_ids[rows.label]), None),
    ]


def _boxes(boxes: npt.NDArray[np.float64]) -> Texts:
    return ragged_texts(number_texts(boxes.reshape(-1)), np.arange(0, boxes.size + 1, 4))


# --- segmentation ------------------------------------------------------------------------------------


def _segmentations(dataset: Dataset, rle: str, absent: str) -> tuple[Texts, npt.NDArray[np.bool_]]:
    """JSON of each row's segmentation, and which rows have one.

    The source's outline where there is one, else the mask. COCO's polygons have no holes, so an outline with holes is
    written as its mask.
    """
    if rle not in ("compressed", "counts"):
        raise UsageError(f"no form {rle!r} of run lengths: there are compressed and counts")
    rows = dataset.annotations
    texts = [absent] * len(rows)
    have = np.zeros(len(rows), np.bool_)
    outlined = np.zeros(len(rows), np.bool_)
    if rows.polygons is not None:
        outlined = rows.polygons.present & ~with_holes(rows)
        polygons = rows.polygons
        if (polygons.present & ~outlined).any():
            dataset = dataset.with_masks()
        for row, text in zip(np.flatnonzero(outlined).tolist(), _polygons(polygons.take(outlined)), strict=True):
            texts[row] = text
        have |= outlined
    masks = dataset.annotations.masks
    if masks is not None:
        chosen = masks.present & ~outlined
        for row, text in zip(np.flatnonzero(chosen).tolist(), _masks(masks.take(chosen), rle), strict=True):
            texts[row] = text
        have |= chosen
    return texts, have


def with_holes(rows: Annotations) -> npt.NDArray[np.bool_]:
    """Which rows have an outline with holes."""
    polygons = rows.polygons
    if polygons is None or not polygons.ring_is_hole.any():
        return np.zeros(len(rows), np.bool_)
    upto = np.concatenate([[0], np.cumsum(polygons.ring_is_hole)])
    holed: npt.NDArray[np.bool_] = np.diff(upto[polygons.row_offsets]) > 0
    return holed


def _polygons(polygons: Polygons) -> Texts:
    numbers = number_texts(polygons.coordinates.reshape(-1))
    return ragged_texts(ragged_texts(numbers, polygons.ring_offsets * 2), polygons.row_offsets)


def _masks(masks: Masks, rle: str) -> Texts:
    sizes = masks.sizes.tolist()
    if rle == "counts":
        runs = ragged_texts(number_texts(masks.counts), masks.offsets)
    else:
        data, offsets = _core.rle_to_strings(masks.counts, masks.offsets)
        bounds = offsets.tolist()
        # Of the 64 characters of a compressed string only the backslash needs an escape in JSON.
        parts = [data[a:b].decode("ascii") for a, b in itertools.pairwise(bounds)]
        runs = ['"' + part.replace("\\", "\\\\") + '"' for part in parts]
    return [f'{{"size":[{h},{w}],"counts":{text}}}' for (h, w), text in zip(sizes, runs, strict=True)]
