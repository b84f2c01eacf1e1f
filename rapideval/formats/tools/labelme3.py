"""LabelMe 3.0, the web tool of MIT: an XML document for each image.

``annotation`` with ``filename``, ``folder``, ``imagesize`` and an ``object`` each: ``name`` and a ``polygon`` of points
``pt`` in pixels from the top-left corner, or a ``segm`` whose ``mask`` is a picture in the folder ``Masks``. A polygon
whose ``type`` is ``bounding_box`` is a box. ``occluded``, ``attributes`` and the numbers of parts (``hasparts``,
``ispartof``, which speak of ``id``) are kept as further fields. Objects that are deleted are counted as skipped. It is
read, not written.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from rapideval.formats.capabilities import Capabilities
from rapideval.formats.common.canvas import read_index
from rapideval.formats.common.documents import documents, first_of
from rapideval.formats.common.nodes import guarded
from rapideval.formats.common.xmltree import Element, parsed
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels, Masks

__all__ = ["FORMATS"]

_SUFFIXES = (".xml",)
_LEVELS = 4  # how far above a document its Masks are looked for


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    head = document.head()
    if b"<annotation" in head and (b"<imagesize>" in head or b"<pt>" in head or b"<sourceAnnotation>" in head):
        return Guess(1, "XML annotations of LabelMe, with imagesize or points")
    return None


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read a document, or all of a folder; images and labels given stand before those of the documents."""
    found = Gathered(Report(source.name), images, labels)
    deleted = 0
    for document in documents(source, _SUFFIXES, "LabelMe documents (.xml)"):
        root = parsed(document, found.report.within(document.name))
        with guarded():
            deleted += _image(root, document, found)
    if deleted:
        found.report.note("labelme-deleted", f"{deleted:,} objects that were deleted: not read", count=deleted)
    return found.dataset()


def _image(root: Element, document: Source, found: Gathered) -> int:
    folder = root.word("folder").strip("/")
    name = root.word("filename") or PurePosixPath(document.name).stem
    size = None
    if root.find("imagesize") is not None:
        sides = root.child("imagesize")
        size = (sides.text_of("nrows").whole(1), sides.text_of("ncols").whole(1))
    place = found.image(f"{folder}/{name}" if folder else name, size)
    deleted = 0
    for item in root.all("object"):
        with guarded():
            if item.word("deleted") == "1":
                deleted += 1
                continue
            geometry = _geometry(item, document, folder, size)
            found.add(place, found.label(item.text_of("name").value), extras=_fields(item), at=item.place, **geometry)
    return deleted


def _geometry(item: Element, document: Source, folder: str, size: tuple[int, int] | None) -> dict[str, Any]:
    polygon = item.find("polygon")
    if polygon is None:
        return {"mask": _mask(item.child("segm"), document, folder, size)}
    points = np.array([[pt.text_of("x").number(), pt.text_of("y").number()] for pt in polygon.all("pt")]).reshape(-1, 2)
    if not len(points):
        polygon.refuse("labelme-points", "no points", "points of an outline")
    if item.word("type") == "bounding_box":
        low, high = points.min(axis=0), points.max(axis=0)
        return {"box": (*low.tolist(), *(high - low).tolist())}
    return {"rings": [points]}


def _mask(segment: Element, document: Source, folder: str, size: tuple[int, int] | None) -> Masks:
    name = segment.text_of("mask").value
    path = _beside(document, folder, Path(name).name)
    if path is None:
        segment.child("mask").refuse("mask-missing", repr(name), "a picture in the folder Masks")
    dense = read_index(path, colours=True)
    inside = dense.any(axis=2) if dense.ndim == 3 else dense > 0
    if size is not None and inside.shape != size:
        found = f"a mask of {inside.shape[1]} × {inside.shape[0]} pixels"
        segment.refuse("image-size", found, f"{size[1]} × {size[0]}, as the image has")
    return Masks.from_dense(inside)


def _beside(document: Source, folder: str, name: str) -> Path | None:
    """The picture of a mask: in ``Masks`` beside the document, or above it, where it may be in the image's folder."""
    for above in [] if document.path is None else list(document.path.resolve().parents)[:_LEVELS]:
        for place in (above / "Masks" / folder / name, above / "Masks" / name):
            if place.is_file():
                return place
    return None


def _fields(item: Element) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if item.word("occluded") == "yes":
        fields["occluded"] = True
    if item.word("attributes"):
        fields["attributes"] = item.word("attributes")
    parts = item.find("parts")
    for name in ("hasparts", "ispartof"):
        if parts is not None and parts.word(name):
            fields |= {name: parts.word(name), "id": item.word("id")}
    return fields


FORMATS = {
    "labelme3": Format(
        name="labelme3",
        title="LabelMe 3.0: polygons, boxes and masks of MIT's web tool as XML",
        suffixes=_SUFFIXES,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=None,
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            polygons=True,
            empty_images=True,
            image_sizes=True,
            convention="pixels, origin at the top-left corner of the top-left pixel",
            specification="https://github.com/CSAILVision/LabelMeAnnotationTool",
        ),
    ),
}
"""Formats of this module."""
