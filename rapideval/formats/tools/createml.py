"""CreateML: Apple's object detection JSON, also as Roboflow exports it.

An array with an object for each image: ``image`` (older files: ``imagefilename``) and ``annotations``, each with
``label`` and ``coordinates``: ``x`` and ``y`` of the box's **centre**, ``width`` and ``height``, in pixels from the
top-left corner of the image. Fields beyond those are kept as further fields, and written back.
"""

from __future__ import annotations

from typing import Any

from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.documents import documents, first_of, json_of
from rapideval.formats.common.names import clashing
from rapideval.formats.common.nodes import Node, decoded, guarded
from rapideval.formats.files import Source, Writable
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_SUFFIXES = (".json",)
_NAMES = ("image", "imagefilename")


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    shape = json_shape(document)
    keys = shape.get("$[]", set())
    if "" in shape.get("$", ()) and "annotations" in keys and keys & set(_NAMES) and "data" not in keys:
        inside = shape.get("$[].annotations[]", {"label", "coordinates"})
        if {"label", "coordinates"} <= inside:
            return Guess(1, "a JSON array of objects with image and annotations")
    return None


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read a document, or all of a folder; images and labels given stand before those of the documents."""
    found = Gathered(Report(source.name), images, labels)
    for document in documents(source, _SUFFIXES, "CreateML documents (.json)"):
        report = found.report.within(document.name)
        for entry in decoded(document, report):
            with guarded():
                _image(entry, found)
    return found.dataset()


def _image(entry: Node, found: Gathered) -> None:
    name = next((entry[key] for key in _NAMES if key in entry), None) or entry["image"]
    place = found.image(name.text(), extras=entry.rest(*_NAMES, "annotations"))
    for item in entry["annotations"]:
        with guarded():
            box = item["coordinates"]
            x, y = box["x"].number(), box["y"].number()
            width, height = box["width"].number(0), box["height"].number(0)
            label = found.label(item["label"].text())
            extras = item.rest("label", "coordinates")
            corner = (x - width / 2, y - height / 2, width, height)
            found.add(place, label, box=corner, extras=extras, at=item.place)


def _write(dataset: Dataset, stream: Writable) -> None:
    """Write the array, an image each, those without annotations too."""
    entries: list[dict[str, Any]] = [{"image": key, "annotations": []} for key in dataset.images.keys]
    rows = dataset.annotations
    for row, (image, label, box) in enumerate(zip(rows.image, rows.label, rows.box.tolist(), strict=True)):
        x, y, width, height = box
        centre = {"x": x + width / 2, "y": y + height / 2, "width": width, "height": height}
        item = {"label": dataset.labels.names[label], "coordinates": centre}
        if rows.extras is not None:
            item = rows.extras[row] | item
        entries[image]["annotations"].append(item)
    stream.write(json_of(entries))


def _losses(dataset: Dataset) -> list[Loss]:
    return clashing(dataset, ("label", "coordinates"))


FORMATS = {
    "createml": Format(
        name="createml",
        title="CreateML: Apple's boxes as JSON, also Roboflow's",
        suffixes=_SUFFIXES,
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            attributes=True,
            keypoints=True,
            empty_images=True,
            convention="centre, width and height in pixels, origin at the top-left corner of the image",
            specification=(
                "https://developer.apple.com/documentation/createml/building-an-object-detector-data-source"
            ),
        ),
    ),
}
"""Formats of this module."""
