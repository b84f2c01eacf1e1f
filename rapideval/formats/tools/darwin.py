"""V7 Darwin JSON 2.0: a document for each image.

``item`` has the image's ``name``, ``path`` and, in its first slot, size; ``annotations`` have ``name``,
``bounding_box`` (``x``, ``y``, ``w``, ``h``) and one of ``polygon`` (``paths``: what an odd number of them surrounds is
inside, so that there are parts and holes), ``ellipse``, or ``mask`` with a ``raster_layer`` (run lengths row by row).
Coordinates are pixels from the top-left corner. ``inference.confidence`` is a score. ``properties``, ``attributes``,
``text`` and ``instance_id`` are kept as further fields. Keypoints, lines, skeletons, cuboids and tags are counted as
skipped.

Version 1.0 is read too: ``image`` in place of ``item``; ``complex_polygon``, or ``path`` and ``additional_paths``, for
what is ``paths`` now.

Masks are written as polygons.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.documents import documents, first_of, json_of, laid
from rapideval.formats.common.losses import beyond
from rapideval.formats.common.names import file_stems
from rapideval.formats.common.nodes import Node, decoded, guarded
from rapideval.formats.common.vectors import ellipse, even_odd, outlines_of
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels, Masks

__all__ = ["FORMATS"]

_SUFFIXES = (".json",)
_KEPT = ("properties", "attributes", "text", "instance_id")
_SHAPES = ("polygon", "complex_polygon", "ellipse", "mask", "bounding_box")
_SKIPPED = ("keypoint", "line", "skeleton", "cuboid", "tag", "link", "directional_vector")


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    shape = json_shape(document)
    keys = shape.get("$", set())
    if {"item", "annotations"} <= keys or {"version", "item"} <= keys:
        return Guess(1, "a JSON object with item and annotations")
    if "image" in keys and {"width", "height", "original_filename"} <= shape.get("$.image", set()):
        return Guess(1, "a JSON object with an image that has an original_filename")
    return None


# --- reading -----------------------------------------------------------------------------------------


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read a document, or all of a folder; images and labels given stand before those of the documents."""
    found = Gathered(Report(source.name), images, labels)
    skipped: dict[str, int] = {}
    for document in documents(source, _SUFFIXES, "Darwin documents (.json)"):
        root = decoded(document, found.report.within(document.name))
        with guarded():
            _document(root, found, skipped)
    for kind, count in skipped.items():
        found.report.note("darwin-skipped", f"{count:,} × {kind}: not read", severity="warning", count=count)
    return found.dataset()


def _document(root: Node, found: Gathered, skipped: dict[str, int]) -> None:
    older = "image" in root and "item" not in root
    item = root["image" if older else "item"]
    folder = item["path"].text().strip("/") if "path" in item else ""
    name = item["original_filename" if older else "name"].text()
    slots = [item] if older else list(item["slots"]) if "slots" in item else []
    size = None
    if slots and "width" in slots[0] and "height" in slots[0]:
        size = (slots[0]["height"].size(), slots[0]["width"].size())
    place = found.image(f"{folder}/{name}" if folder else name, size)
    annotations = list(root["annotations"])
    layers = [node for node in annotations if "raster_layer" in node]
    for node in annotations:
        with guarded():
            if "raster_layer" not in node:
                _annotation(node, place, size, layers, found, skipped)


def _annotation(
    node: Node,
    place: int,
    size: tuple[int, int] | None,
    layers: Sequence[Node],
    found: Gathered,
    skipped: dict[str, int],
) -> None:
    kind = next((kind for kind in _SHAPES if kind in node), None)
    if kind is None or (kind == "bounding_box" and any(other in node for other in _SKIPPED)):
        other = next((other for other in _SKIPPED if other in node), "annotation without shape")
        skipped[other] = skipped.get(other, 0) + 1
        return
    geometry: dict[str, Any] = {}
    if kind in ("polygon", "complex_polygon"):
        geometry["rings"], geometry["holes"] = even_odd(_rings(node[kind]))
    elif kind == "ellipse":
        shape = node["ellipse"]
        centre, radius = shape["center"], shape["radius"]
        angle = float(np.degrees(shape["angle"].number())) if "angle" in shape else 0.0
        numbers = (centre["x"].number(), centre["y"].number(), radius["x"].number(0), radius["y"].number(0))
        geometry["rings"] = [ellipse(*numbers, angle)]
    elif kind == "mask":
        geometry["mask"] = _mask(node, size, layers)
    if "bounding_box" in node:
        box = node["bounding_box"]
        geometry["box"] = (box["x"].number(), box["y"].number(), box["w"].number(0), box["h"].number(0))
    score = None
    if "inference" in node and "confidence" in node["inference"]:
        score = node["inference"]["confidence"].score()
    extras = {name: node.value[name] for name in _KEPT if node.value.get(name) not in (None, [], {})}
    found.add(place, found.label(node["name"].text()), score=score, extras=extras, at=node.place, **geometry)


def _rings(polygon: Node) -> list[Any]:
    """Rings of ``paths``, or of the forms that it had before."""
    if "paths" in polygon:
        paths = list(polygon["paths"])
    else:
        first = polygon["path"]
        several = bool(first.items()) and isinstance(first.items()[0], list)  # as complex polygons had them
        paths = list(first) if several else [first]
        paths += list(polygon["additional_paths"]) if "additional_paths" in polygon else []
    return [_points(path) for path in paths]


def _points(path: Node) -> Any:
    return np.array([[point["x"].number(), point["y"].number()] for point in path], np.float64).reshape(-1, 2)


def _mask(node: Node, size: tuple[int, int] | None, layers: Sequence[Node]) -> Masks:
    """A mask of a raster layer: where the layer has the number that is mapped to the annotation's id."""
    if size is None:
        node.refuse("image-size", "a mask on an image of unknown size", "width and height in the item's slot")
    own = node["id"].text()
    holding = [layer for layer in layers if own in layer["raster_layer"]["mask_annotation_ids_mapping"].members()]
    if not holding:
        node.refuse("darwin-raster", "no raster layer that maps its id", "one among the annotations")
    raster = holding[0]["raster_layer"]
    number = raster["mask_annotation_ids_mapping"].members()[own]
    runs = raster["dense_rle"].numbers()
    values, counts = np.array(runs[0::2]), np.array(runs[1::2], np.int64)
    if len(values) != len(counts) or (counts < 0).any() or int(counts.sum()) != size[0] * size[1]:
        found = f"run lengths of {int(counts.sum()):,} pixels"
        raster["dense_rle"].refuse("darwin-raster", found, f"those of {size[1]} × {size[0]} pixels")
    return Masks.from_dense(np.repeat(values == number, counts).reshape(size))


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, folder: Path, *, outline_iou: float | None = None) -> None:
    """Write a document for each image, those without annotations too.

    Parameters
    ----------
    dataset, folder
        What to write, and where.
    outline_iou
        Lowest IoU of a mask and its outline, where points may be left out; exact outlines without it.
    """
    rows = dataset.annotations
    polygons = outlines_of(rows, outline_iou)
    listed: list[list[dict[str, Any]]] = [[] for _ in range(len(dataset.images))]
    for row, image in enumerate(rows.image.tolist()):
        x, y, width, height = rows.box[row].tolist()
        key = f"{dataset.images.key(image)}#{len(listed[image])}"
        item: dict[str, Any] = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, key)),
            "name": dataset.labels.names[rows.label[row]],
            "slot_names": ["0"],
            "bounding_box": {"x": x, "y": y, "w": width, "h": height},
        }
        if polygons.present[row]:
            paths = [[{"x": px, "y": py} for px, py in ring.tolist()] for ring in polygons.rings(row)]
            item["polygon"] = {"paths": paths}
        if rows.score is not None:
            item["inference"] = {"confidence": float(rows.score[row]), "model": {"name": "rapideval"}}
        fields = {} if rows.extras is None else rows.extras[row]
        listed[image].append(item | {name: fields[name] for name in _KEPT if name in fields})
    for image_row, stem in zip(dataset.images, file_stems(dataset.images), strict=True):
        path, _, name = image_row.key.rpartition("/")
        slot: dict[str, Any] = {"type": "image", "slot_name": "0"}
        if image_row.width is not None and image_row.height is not None:
            slot |= {"width": image_row.width, "height": image_row.height}
        slot["source_files"] = [{"file_name": name}]
        document = {
            "version": "2.0",
            "schema_ref": "https://darwin-public.s3.eu-west-1.amazonaws.com/darwin_json/2.0/schema.json",
            "item": {"name": name, "path": f"/{path}", "slots": [slot]},
            "annotations": listed[image_row.index],
        }
        with laid(folder, f"{stem}.json") as stream:
            stream.write(json_of(document))


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    return [beyond(dataset.annotations.extras, _KEPT, "attributes", "annotation")]


FORMATS = {
    "darwin": Format(
        name="darwin",
        title="V7 Darwin JSON 2.0: polygons and boxes, a document an image",
        suffixes=_SUFFIXES,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            polygons=True,
            holes=True,
            parts=True,
            scores=True,
            empty_images=True,
            image_sizes=True,
            convention="pixels, origin at the top-left corner of the top-left pixel",
            specification="https://docs.v7labs.com/reference/darwin-json",
        ),
    ),
}
"""Formats of this module."""
