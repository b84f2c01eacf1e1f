"""labelme: a JSON document beside each image.

``imagePath``, ``imageHeight``, ``imageWidth`` and ``shapes``, each with ``label``, ``points`` in pixels from the
top-left corner and ``shape_type``: ``polygon``, ``rectangle`` (two corners, in any order), ``circle`` (its centre and a
point on it; read as an outline), ``mask`` (a PNG within the rectangle of its two points, both ends within). Polygons of
one label that share a ``group_id`` are the parts of one object. Lines and points are counted as skipped. Further fields
of shapes and documents are kept.

Masks and outlines with holes are written as ``mask``, outlines of several parts as polygons of one group. A folder is
written, images not within their documents (``imageData`` is null) but beside them.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.canvas import cropped, placed
from rapideval.formats.common.documents import documents, first_of, json_of, laid
from rapideval.formats.common.losses import file_names, holes_as_masks
from rapideval.formats.common.names import clashing, file_stems, safe_path
from rapideval.formats.common.nodes import Node, decoded, guarded
from rapideval.formats.common.png import base64_png, decoded_png
from rapideval.formats.common.vectors import corners, ellipse, masks_of_holed
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels, Masks

__all__ = ["FORMATS"]

_SUFFIXES = (".json",)
_DOCUMENT = ("version", "flags", "shapes", "imagePath", "imageData", "imageHeight", "imageWidth")
_SHAPE = ("label", "points", "group_id", "shape_type", "mask")
_UNSET: dict[str, Any] = {"description": "", "flags": {}}  # what labelme writes where nothing was said
_SKIPPED = ("line", "linestrip", "point", "points")


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    shape = json_shape(document)
    keys = shape.get("$", set())
    # The image itself may stand before the shapes, and fill what is looked at.
    if ("imagePath" in keys and keys & {"shapes", "imageData"}) or {"shapes", "version", "flags"} <= keys:
        return Guess(1, "a JSON object with imagePath and shapes")
    return None


# --- reading -----------------------------------------------------------------------------------------


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read a document, or all of a folder; images and labels given stand before those of the documents."""
    found = Gathered(Report(source.name), images, labels)
    skipped: dict[str, int] = {}
    for document in documents(source, _SUFFIXES, "labelme documents (.json)"):
        with guarded():
            _document(decoded(document, found.report.within(document.name)), found, skipped)
    for kind, count in skipped.items():
        found.report.note(
            "labelme-skipped", f"{count:,} × {kind}: neither box nor area", severity="warning", count=count
        )
    return found.dataset()


def _document(root: Node, found: Gathered, skipped: dict[str, int]) -> None:
    name = root["imagePath"].text().replace("\\", "/")
    size = (root["imageHeight"].size(), root["imageWidth"].size()) if "imageHeight" in root else None
    extras = root.rest(*_DOCUMENT)
    flags = root.members().get("flags")
    if flags:
        extras["flags"] = flags
    # labelme names the image from where the document lies: ../images/a.jpg
    plain = str(PurePosixPath(*[part for part in PurePosixPath(name).parts if part != ".."])) if ".." in name else name
    place = found.image(plain, size, extras=extras)
    groups: dict[tuple[str, Any], list[Node]] = {}
    for number, shape in enumerate(root["shapes"]):
        with guarded():
            members = shape.members()
            kind = members.get("shape_type") or "polygon"
            if kind in _SKIPPED:
                skipped[kind] = skipped.get(kind, 0) + 1
                continue
            group = members.get("group_id")
            alone = group is None or kind != "polygon"
            groups.setdefault((shape["label"].text(), ("", number) if alone else group), []).append(shape)
    for (label, _), shapes in groups.items():
        with guarded():
            _object(shapes, found.label(label), place, size, found)


def _object(shapes: list[Node], label: int, place: int, size: tuple[int, int] | None, found: Gathered) -> None:
    first = shapes[0]
    extras = {name: value for name, value in first.rest(*_SHAPE).items() if _UNSET.get(name) != value}
    group = first.members().get("group_id")
    if group is not None and len(shapes) == 1:
        extras["group_id"] = group
    kind = first.members().get("shape_type") or "polygon"
    points = np.array([point for shape in shapes[:1] for point in shape["points"].points()], np.float64).reshape(-1, 2)
    geometry: dict[str, Any]
    if kind == "polygon":
        geometry = {"rings": [shape["points"].points() for shape in shapes]}
    elif kind == "rectangle":
        _count(first, points, 2)
        low, high = points.min(axis=0), points.max(axis=0)
        geometry = {"box": (*low.tolist(), *(high - low).tolist())}
    elif kind == "circle":
        _count(first, points, 2)
        radius = float(np.hypot(*(points[1] - points[0])))
        geometry = {"rings": [ellipse(float(points[0, 0]), float(points[0, 1]), radius, radius)]}
    elif kind == "mask":
        _count(first, points, 2)
        geometry = {"mask": _mask(first, points, size)}
    else:
        first["shape_type"].refuse("labelme-shape", repr(kind), "polygon, rectangle, circle or mask")
    found.add(place, label, extras=extras, at=first.place, **geometry)


def _count(shape: Node, points: npt.NDArray[np.float64], count: int) -> None:
    if len(points) != count:
        shape["points"].refuse("labelme-points", f"{len(points)} points", f"{count} points")


def _mask(shape: Node, points: npt.NDArray[np.float64], size: tuple[int, int] | None) -> Masks:
    if size is None:
        shape.refuse("image-size", "a mask in a document without imageHeight and imageWidth", "the image's size")
    node = shape["mask"]
    try:
        pixels = decoded_png(base64.b64decode(node.text(), validate=True))
    except ValueError as error:  # PngError is one, so is what base64 raises
        node.refuse("labelme-mask", str(error), "a PNG of one channel in base64")
    left, top = (int(value) for value in np.floor(points.min(axis=0)))
    mask = placed(pixels > 0, left, top, size)
    if mask is None:
        height, width = pixels.shape
        found = f"a mask from {left}, {top} to {left + width}, {top + height}"
        node.refuse("labelme-mask", found, f"one within {size[1]} × {size[0]} pixels")
    return mask


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, folder: Path) -> None:
    """Write a document for each image, those without annotations too."""
    masks = masks_of_holed(dataset)
    shapes: list[list[dict[str, Any]]] = [[] for _ in range(len(dataset.images))]
    for row, image in enumerate(dataset.annotations.image.tolist()):
        shapes[image] += _shapes_of(dataset, masks, row, shapes[image])
    for image, stem in zip(dataset.images, file_stems(dataset.images), strict=True):
        extras = {} if dataset.images.extras is None else dataset.images.extras[image.index]
        document = {
            **{name: value for name, value in extras.items() if name not in _DOCUMENT},
            "version": "5.5.0",
            "flags": extras.get("flags", {}),
            "shapes": shapes[image.index],
            "imagePath": image.key,
            "imageData": None,
            "imageHeight": image.height,
            "imageWidth": image.width,
        }
        with laid(folder, f"{stem}.json") as stream:
            stream.write(json_of(document))


Shape = dict[str, Any]


def _shapes_of(dataset: Dataset, masks: Masks | None, row: int, others: Sequence[Shape]) -> list[Shape]:
    rows = dataset.annotations
    extras = {} if rows.extras is None else rows.extras[row]
    rings = [] if rows.polygons is None else rows.polygons.rings(row)
    common = {
        **{name: value for name, value in extras.items() if name not in _SHAPE},
        "label": dataset.labels.names[rows.label[row]],
        "group_id": extras.get("group_id"),
    }
    if masks is not None and masks.present[row]:
        part, left, top = cropped(masks.dense(row))
        height, width = part.shape
        ends = [[left, top], [left + width - 1, top + height - 1]]
        return [common | {"shape_type": "mask", "points": ends, "mask": base64_png(part, bits=1)}]
    if not rings:
        first, _, last, _ = corners(rows.box[row]).tolist()
        return [common | {"shape_type": "rectangle", "points": [first, last]}]
    if len(rings) > 1:
        taken = [shape["group_id"] for shape in others if isinstance(shape["group_id"], int)]
        common["group_id"] = max(taken, default=0) + 1
    return [common | {"shape_type": "polygon", "points": ring.tolist()} for ring in rings]


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    return [
        *clashing(dataset, tuple(name for name in _SHAPE if name != "group_id")),
        holes_as_masks(dataset),
        file_names(dataset.images),
    ]


FORMATS = {
    "labelme": Format(
        name="labelme",
        title="labelme: polygons, rectangles and masks, a JSON document an image",
        suffixes=_SUFFIXES,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        picture_paths=lambda images: [safe_path(key) for key in images.keys],
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            polygons=True,
            parts=True,
            attributes=True,
            image_attributes=True,
            keypoints=True,
            empty_images=True,
            image_sizes=True,
            convention="pixels, origin at the top-left corner of the top-left pixel",
            specification="https://github.com/wkentaro/labelme",
        ),
    ),
}
"""Formats of this module."""
