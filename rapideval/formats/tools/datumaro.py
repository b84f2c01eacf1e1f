"""Datumaro JSON: the dataset format of Datumaro and OpenVINO, of one subset.

``categories.label.labels`` name the labels, ``items`` are images with ``annotations``: ``bbox`` (``[x, y, w, h]``),
``polygon`` (flat points) and ``mask`` (COCO run lengths), in pixels from the top-left corner. Polygons of one label
that share a ``group`` other than 0 are the parts of one object. The attributes ``score`` and ``is_crowd`` are what they
are called; others are kept as further fields. Labels of whole images, captions, points and polylines are counted as
skipped.

Outlines with holes are written as masks. Of a folder, each document is a split, which images keep as ``split``.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

import numpy as np

from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.documents import documents, first_of, json_of
from rapideval.formats.common.losses import holes_as_masks
from rapideval.formats.common.names import clashing
from rapideval.formats.common.nodes import Node, decoded, guarded
from rapideval.formats.common.runs import mask_of_runs
from rapideval.formats.common.vectors import masks_of_holed
from rapideval.formats.files import Source, Writable
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_SUFFIXES = (".json",)
_READ = ("bbox", "polygon", "mask")
_OWN = ("score", "is_crowd")


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    shape = json_shape(document)
    keys = shape.get("$", set())
    if {"categories", "items"} <= keys or ({"infos", "categories"} <= keys or {"dm_format_version"} <= keys):
        return Guess(1, "a JSON object with categories and items")
    return None


# --- reading -----------------------------------------------------------------------------------------


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read a document, or all of a folder; images and labels given stand before those of the documents."""
    found = Gathered(Report(source.name), images, labels)
    skipped: dict[str, int] = {}
    listed = documents(source, _SUFFIXES, "Datumaro documents (.json)")
    roots = [decoded(document, found.report.within(document.name)) for document in listed]
    scored = _scored([root.value for root in roots])
    for document, root in zip(listed, roots, strict=True):
        if source.is_folder and not {"categories", "items"} <= root.members().keys():
            continue
        with guarded():
            names = []
            for entry in root["categories"]["label"]["labels"] if "label" in root["categories"] else ():
                parent = entry.members().get("parent")
                names.append(entry["name"].text())
                found.label(names[-1], supercategory=parent if isinstance(parent, str) and parent else None)
            split = PurePath(document.name).stem if source.is_folder and len(listed) > 1 else None
            for item in root["items"]:
                with guarded():
                    _item(item, names, split, scored, found, skipped)
    for kind, count in skipped.items():
        found.report.note("datumaro-skipped", f"{count:,} × {kind}: not read", severity="warning", count=count)
    return found.dataset()


def _scored(contents: list[Any]) -> bool:
    """Whether every shape has the attribute ``score``."""
    attributes = [
        annotation.get("attributes")
        for content in contents
        for item in _objects(content, "items")
        for annotation in _objects(item, "annotations")
        if annotation.get("type") in _READ
    ]
    return bool(attributes) and all(isinstance(found, dict) and "score" in found for found in attributes)


def _objects(value: Any, name: str) -> list[dict[str, Any]]:
    """Objects of an array that a member holds; what is no such array is refused when it is read."""
    listed = value.get(name) if isinstance(value, dict) else None
    return [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []


def _item(
    item: Node, names: list[str], split: str | None, scored: bool, found: Gathered, skipped: dict[str, int]
) -> None:
    media = item.get("image") or item.get("media")
    path = media.get("path") if media is not None else None
    size = media.get("size") if media is not None else None
    shape = None
    if size is not None:
        height, width = size.numbers(2)
        shape = (int(height), int(width)) if height > 0 and width > 0 else None
    attributes = dict(item["attr"].members()) if "attr" in item else {}
    if split is not None:
        attributes["split"] = split
    place = found.image(path.text() if path is not None and path.value else item["id"].text(), shape, extras=attributes)
    groups: dict[tuple[int, Any], list[Node]] = {}
    for number, annotation in enumerate(item["annotations"]):
        with guarded():
            kind = annotation["type"].text()
            if kind not in _READ:
                skipped[kind] = skipped.get(kind, 0) + 1
                continue
            label = annotation["label_id"].whole(0)
            if label >= len(names):
                annotation["label_id"].refuse("label-unknown", str(label), f"one of the {len(names)} labels, from 0")
            group = annotation["group"].whole() if "group" in annotation else 0
            joined = kind == "polygon" and group
            groups.setdefault((label, group if joined else ("", number)), []).append(annotation)
    for (label, _), shapes in groups.items():
        with guarded():
            _add(shapes, found.label(names[label]), place, scored, found)


def _add(shapes: list[Node], label: int, place: int, scored: bool, found: Gathered) -> None:
    first = shapes[0]
    attributes = dict(first["attributes"].members()) if "attributes" in first else {}
    geometry: dict[str, Any]
    kind = first["type"].value
    if kind == "bbox":
        box = first["bbox"].numbers(4)
        if box[2] < 0 or box[3] < 0:
            first["bbox"].refuse("datumaro-box", str(box), "a width and height of 0 or more")
        geometry = {"box": box}
    elif kind == "polygon":
        geometry = {"rings": [_points(shape["points"]) for shape in shapes]}
    else:
        geometry = {"mask": mask_of_runs(first["rle"])}
    score = first["attributes"]["score"].score() if scored else None
    if scored:
        attributes.pop("score")
    crowd = attributes.pop("is_crowd") if isinstance(attributes.get("is_crowd"), bool) else None
    found.add(place, label, score=score, crowd=crowd or None, extras=attributes, at=first.place, **geometry)


def _points(node: Node) -> Any:
    numbers = node.numbers()
    if len(numbers) % 2:
        node.refuse("datumaro-points", f"{len(numbers)} numbers", "x, y, x, y, ...")
    return np.array(numbers, np.float64).reshape(-1, 2)


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, stream: Writable) -> None:
    """Write one subset: an item for each image, those without annotations too."""
    rows = dataset.annotations
    masks = masks_of_holed(dataset)
    strings = [] if masks is None else masks.to_strings()
    listed: list[list[dict[str, Any]]] = [[] for _ in range(len(dataset.images))]
    for row, image in enumerate(rows.image.tolist()):
        attributes: dict[str, Any] = {} if rows.extras is None else dict(rows.extras[row])
        if rows.score is not None:
            attributes["score"] = float(rows.score[row])
        if rows.crowd[row]:
            attributes["is_crowd"] = True
        common = {"attributes": attributes, "group": 0, "label_id": int(rows.label[row]), "z_order": 0}
        rings = [] if rows.polygons is None else rows.polygons.rings(row)
        if masks is not None and masks.present[row]:
            rle = {"counts": strings[row].decode(), "size": masks.sizes[row].tolist()}
            shapes: list[dict[str, Any]] = [{"type": "mask", **common, "rle": rle}]
        elif rings:
            if len(rings) > 1:
                common["group"] = 1 + max((shape["group"] for shape in listed[image]), default=0)
            shapes = [{"type": "polygon", **common, "points": ring.reshape(-1).tolist()} for ring in rings]
        else:
            shapes = [{"type": "bbox", **common, "bbox": rows.box[row].tolist()}]
        for shape in shapes:
            listed[image].append({"id": len(listed[image]), **shape})
    items = []
    for place in dataset.images:
        media: dict[str, Any] = {"path": place.key}
        if place.height is not None and place.width is not None:
            media["size"] = [place.height, place.width]
        extras = dataset.images.extras
        attr = {} if extras is None else extras[place.index]
        items.append({"id": place.key, "annotations": listed[place.index], "attr": attr, "image": media})
    labels = [{"name": label.name, "parent": label.supercategory or "", "attributes": []} for label in dataset.labels]
    document = {"info": {}, "categories": {"label": {"labels": labels, "attributes": list(_OWN)}}, "items": items}
    stream.write(json_of(document))


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    return [holes_as_masks(dataset), *clashing(dataset, _OWN)]


FORMATS = {
    "datumaro": Format(
        name="datumaro",
        title="Datumaro JSON: boxes, polygons and masks of a subset",
        suffixes=_SUFFIXES,
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            polygons=True,
            parts=True,
            crowd=True,
            scores=True,
            attributes=True,
            image_attributes=True,
            keypoints=True,
            empty_images=True,
            image_sizes=True,
            unused_labels=True,
            label_order=True,
            supercategories=True,
            convention="pixels, origin at the top-left corner of the top-left pixel, boxes x, y, width, height",
            index_base="label_id from 0",
            specification="https://open-edge-platform.github.io/datumaro/latest/docs/data-formats/formats/datumaro.html",
        ),
    ),
}
"""Formats of this module."""
