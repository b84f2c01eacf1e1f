"""COCO: ground truth, and results of object detection and instance segmentation.

Two documents bear the name. A *dataset* is an object with ``images``, ``categories`` and ``annotations``; here an
annotation may have a score too. *Results* are an array of predictions, whose ``image_id`` and ``category_id`` refer to
the ground truth, which has to be given (``images=``, ``labels=``) for images and labels to have names.

Coordinates are pixels with the origin at the top-left corner of the top-left pixel, x to the right, y down; boxes are
``[x, y, width, height]``. Masks are polygons, or run lengths in column-major order that begin with background, plain or
as a compressed string. See https://cocodataset.org/#format-data and #format-results.
"""

from __future__ import annotations

from typing import Any

from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.files import Source, Writable
from rapideval.formats.jsonshape import json_shape, mentions
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]


def _sniff_dataset(source: Source) -> Guess | None:
    shape = json_shape(source)
    top = shape.get("$", set())
    if {"image_id", "category_id"} <= shape.get("$.annotations[]", set()):
        return Guess(1, "a JSON object whose annotations have image_id and category_id")
    found = [key for key in ("images", "annotations", "categories") if "" in shape.get(f"$.{key}", set())]
    if "" not in top and len(found) >= 2 and not mentions(source, b'"segments_info"'):  # which is panoptic
        return Guess(1, f"a JSON object with {' and '.join(found)}")
    keys = shape.get("$.images[]", set())
    if found == ["images"] and "id" in keys and keys & {"file_name", "height", "width"}:
        return Guess(0.8, "a JSON object with images that have an id")
    return None


def _sniff_results(source: Source) -> Guess | None:
    shape = json_shape(source)
    if "" not in shape.get("$", set()):
        return None
    keys = shape.get("$[]", set())
    geometry = [key for key in ("bbox", "segmentation", "keypoints") if key in keys]
    if {"image_id", "category_id"} <= keys and geometry:
        return Guess(1, f"a JSON array of objects with image_id, category_id, {', '.join(geometry)}")
    if "image_id" in keys:
        return Guess(0.5, "a JSON array of objects with image_id")
    if not keys and source.head(100).split() in ([b"[]"], [b"[", b"]"]):
        return Guess(0.3, "an empty JSON array")
    return None


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    extras: bool = True,
    lenient: bool = False,
    label_base: int | None = None,
) -> Dataset:
    """Read either document.

    Parameters
    ----------
    source
        The document.
    images, labels
        What the numbers of results refer to.
    extras
        Keep unknown fields of annotations and images; without them reading is faster.
    lenient
        Mend what is unmistakable, and note it: numbers as text, flags as ``"true"`` or ``"false"``.
    label_base
        The category_id of the first label, where ``labels`` have no ids: 0 or 1.
    """
    from rapideval.formats import coco_read

    return coco_read.read(source, images, labels, extras=extras, lenient=lenient, label_base=label_base)


def _write_dataset(dataset: Dataset, stream: Writable, *, rle: str = "compressed") -> None:
    """Write the dataset document.

    Parameters
    ----------
    dataset, stream
        What to write, and where.
    rle
        How run lengths are written: ``"compressed"`` (strings) or ``"counts"`` (lists of numbers).
    """
    from rapideval.formats import coco_write

    coco_write.write_dataset(dataset, stream, rle)


def _write_results(dataset: Dataset, stream: Writable, *, rle: str = "compressed") -> None:
    """Write the array of results; see `_write_dataset`."""
    from rapideval.formats import coco_write

    coco_write.write_results(dataset, stream, rle)


def _outlines_with_holes(dataset: Dataset, **_: Any) -> list[Loss]:
    from rapideval.formats.coco_write import with_holes

    count = int(with_holes(dataset.annotations).sum())
    return [Loss("holes", count, f"{count:,} outlines with holes: written as masks, as COCO's polygons have no holes")]


_SHARED: dict[str, Any] = {
    "boxes": True,
    "masks": True,
    "polygons": True,
    "parts": True,
    "scores": True,
    "ids": True,
    "attributes": True,
    "keypoints": True,
    "image_ids": True,
    "label_ids": True,
    "convention": "pixels, origin at the top-left corner of the top-left pixel, boxes x, y, width, height",
    "index_base": "ids as given; where they are made: from 1",
}

FORMATS = {
    "coco": Format(
        name="coco",
        title="COCO dataset: images, categories and annotations as one JSON object",
        suffixes=(".json",),
        sniff=_sniff_dataset,
        reader=_read,
        writer=_write_dataset,
        capabilities=Capabilities(
            **_SHARED,
            crowd=True,
            areas=True,
            image_attributes=True,
            label_attributes=True,
            empty_images=True,
            image_sizes=True,
            unused_labels=True,
            label_order=True,
            supercategories=True,
            info=True,
            specification="https://cocodataset.org/#format-data",
        ),
        special_losses=_outlines_with_holes,
    ),
    "coco-results": Format(
        name="coco-results",
        title="COCO results: predictions as one JSON array",
        suffixes=(".json",),
        sniff=_sniff_results,
        reader=_read,
        writer=_write_results,
        capabilities=Capabilities(
            **_SHARED,
            image_names=False,
            label_names=False,
            specification="https://cocodataset.org/#format-results",
        ),
        special_losses=_outlines_with_holes,
    ),
}
