"""Segment Anything (SA-1B): a JSON document for each image, with masks that have no labels.

``image`` (``image_id``, ``file_name``, ``height``, ``width``) and ``annotations``: ``segmentation`` (COCO run lengths),
``bbox`` (x, y, width, height in pixels), ``area``, ``id``, and what the model said of the mask (``predicted_iou``,
``stability_score``, ``point_coords``, ``crop_box``), which is kept as further fields. The label is ``object``, or the
one that is given.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from rapideval.errors import UsageError
from rapideval.formats.capabilities import Capabilities, Loss, plural
from rapideval.formats.common.canvas import drawn_masks
from rapideval.formats.common.documents import documents, first_of, json_of, laid
from rapideval.formats.common.losses import file_names
from rapideval.formats.common.names import clashing, file_stems
from rapideval.formats.common.nodes import decoded, guarded
from rapideval.formats.common.runs import mask_of_runs
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_SUFFIXES = (".json",)
_LABEL = "object"
_OWN = ("segmentation", "bbox", "area", "id")


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    shape = json_shape(document)
    if {"image", "annotations"} <= shape.get("$", set()) and "image_id" in shape.get("$.image", ()):
        return Guess(1, "a JSON object with one image and its annotations")
    return None


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read a document, or all of a folder; images given stand before theirs, the only label given is that of all."""
    if labels is not None and len(labels) != 1:
        raise UsageError(f"{len(labels)} labels for masks that have none: give one")
    found = Gathered(Report(source.name), images, labels)
    label = found.label(_LABEL if labels is None else labels.names[0])
    for document in documents(source, _SUFFIXES, "Segment Anything documents (.json)"):
        root = decoded(document, found.report.within(document.name))
        with guarded():
            image = root["image"]
            size = (image["height"].size(), image["width"].size()) if "height" in image and "width" in image else None
            extras = image.rest("image_id", "file_name", "height", "width")
            place = found.image(image["file_name"].text(), size, id=image["image_id"].whole(), extras=extras)
            for item in root["annotations"]:
                with guarded():
                    found.add(
                        place,
                        label,
                        box=item["bbox"].numbers(4) if "bbox" in item else None,
                        mask=mask_of_runs(item["segmentation"]),
                        area=item["area"].number(0) if "area" in item else None,
                        id=item["id"].whole() if "id" in item else None,
                        extras=item.rest(*_OWN),
                        at=item.place,
                    )
    return found.dataset()


def _write(dataset: Dataset, folder: Path) -> None:
    """Write a document for each image, those without annotations too; outlines as masks."""
    rows = dataset.annotations
    masks = drawn_masks(dataset)
    strings = masks.to_strings()
    listed: list[list[dict[str, Any]]] = [[] for _ in range(len(dataset.images))]
    for row in np.flatnonzero(masks.present).tolist():
        extras = {} if rows.extras is None else rows.extras[row]
        item = extras | {
            "id": row + 1 if rows.ids is None else int(rows.ids[row]),
            "segmentation": {"size": masks.sizes[row].tolist(), "counts": strings[row].decode()},
            "bbox": rows.box[row].tolist(),
            "area": float(rows.area[row]),
        }
        listed[rows.image[row]].append(item)
    extras_of = dataset.images.extras
    for image, stem in zip(dataset.images, file_stems(dataset.images), strict=True):
        number = image.index + 1 if image.id is None else image.id
        entry: dict[str, Any] = {} if extras_of is None else extras_of[image.index]
        entry = entry | {"image_id": number, "file_name": image.key, "height": image.height, "width": image.width}
        with laid(folder, f"{stem}.json") as stream:
            stream.write(json_of({"image": entry, "annotations": listed[image.index]}))


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    boxes = int((~drawn_masks(dataset).present).sum())
    labels = len(dataset.labels) if dataset.labels.names != (_LABEL,) else 0
    return [
        Loss("boxes", boxes, f"{plural(boxes, 'annotation')} with a box alone: left out"),
        Loss("label_names", labels, f"the names of {plural(labels, 'label')}: masks here have none"),
        file_names(dataset.images),
        *clashing(dataset, _OWN),
    ]


FORMATS = {
    "segment-anything": Format(
        name="segment-anything",
        title="Segment Anything (SA-1B): masks without labels, a document an image",
        suffixes=_SUFFIXES,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=True,
            masks=True,
            ids=True,
            areas=True,
            attributes=True,
            image_attributes=True,
            keypoints=True,
            empty_images=True,
            image_ids=True,
            image_sizes=True,
            unused_labels=True,
            convention="pixels, boxes x, y, width, height, run lengths column by column",
            specification="https://github.com/facebookresearch/segment-anything#dataset",
        ),
    ),
}
"""Formats of this module."""
