"""Labelbox: exports as NDJSON, and imports of pre-labels.

An export has a line for each image: ``data_row``, ``media_attributes`` (its size), ``projects`` with ``labels`` whose
``objects`` are boxes (``top``, ``left``, ``height``, ``width``) or polygons, in pixels from the top-left corner. Masks
of exports are addresses, which are never fetched: they are counted as skipped, as are lines and points. Of several
labels of one image, the first counts.

An import has a line for each object: ``name``, ``dataRow`` with the image's ``globalKey``, one of ``bbox``, ``polygon``
and ``mask`` (a PNG of the image's size in base64), and ``confidence``. Imports are what is written: boxes, outlines of
one ring, and masks for all else.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from typing import Any

from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.documents import documents, first_of, json_lines_of
from rapideval.formats.common.losses import beyond, outlines_as_masks
from rapideval.formats.common.nodes import Node, decoded, decoded_lines, guarded
from rapideval.formats.common.png import base64_png, decoded_png
from rapideval.formats.common.vectors import masks_of_complex
from rapideval.formats.files import Source, Writable
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels, Masks

__all__ = ["FORMATS"]

_SUFFIXES = (".ndjson", ".jsonl", ".json")
_SKIPPED = ("line", "point", "mask", "composite_mask", "location", "text")


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, _SUFFIXES)
    if document is None:
        return None
    head = document.head(65536)
    line = head.lstrip(b"\xef\xbb\xbf \t\r\n[").split(b"\n", 1)[0]
    if b'"data_row"' in line and (b'"projects"' in line or b'"media_attributes"' in line):
        return Guess(1, "lines with data_row and projects")
    if b'"dataRow"' in head[:4096] and any(key in head for key in (b'"bbox"', b'"polygon"', b'"mask"')):
        return Guess(1, "objects with dataRow")
    return None


# --- reading -----------------------------------------------------------------------------------------


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read exports or imports; images and labels given stand before those of the documents."""
    reading = _Reading(Gathered(Report(source.name), images, labels))
    for document in documents(source, _SUFFIXES, "Labelbox documents (.ndjson)"):
        for node in _objects(document, reading.found.report.within(document.name)):
            with guarded():
                if "data_row" in node:
                    reading.exported(node)
                else:
                    reading.imported(node)
    return reading.dataset()


def _objects(document: Source, report: Report) -> Iterator[Node]:
    """Objects of a document: of an array, or of lines."""
    if document.head(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        return iter(decoded(document, report))
    return decoded_lines(document, report)


class _Reading:
    """What is found, and what is left out."""

    def __init__(self, found: Gathered) -> None:
        self.found = found
        self.skipped: dict[str, int] = {}
        self.others = 0

    def exported(self, node: Node) -> None:
        """An image of an export."""
        row = node["data_row"]
        name = next((row[key] for key in ("external_id", "global_key", "id") if key in row), None)
        media = node.get("media_attributes")
        size = None
        if media is not None and "height" in media and "width" in media:
            size = (media["height"].size(), media["width"].size())
        place = self.found.image((name or row["id"]).text(), size)
        listed = [label for _, project in node["projects"].entries() for label in project["labels"]]
        self.others += max(0, len(listed) - 1)
        for label in listed[:1]:
            for item in label["annotations"]["objects"]:
                with guarded():
                    self._object(item, place, "bounding_box")

    def imported(self, node: Node) -> None:
        """An object of an import."""
        row = node["dataRow"]
        name = (row["globalKey"] if "globalKey" in row else row["id"]).text()
        self._object(node, self.found.image(name), "bbox")

    def _object(self, item: Node, place: int, box_key: str) -> None:
        geometry: dict[str, Any]
        if box_key in item:
            box = item[box_key]
            numbers = [box[name].number(0 if name in ("width", "height") else None) for name in
                       ("left", "top", "width", "height")]  # fmt: skip
            geometry = {"box": numbers}
        elif "polygon" in item:
            geometry = {"rings": [[[point["x"].number(), point["y"].number()] for point in item["polygon"]]]}
        elif "mask" in item and "png" in item["mask"]:
            geometry = {"mask": self._mask(item["mask"]["png"], place)}
        else:
            kind = next((kind for kind in _SKIPPED if kind in item), "object without shape")
            self.skipped[kind] = self.skipped.get(kind, 0) + 1
            return
        label = item["name"] if "name" in item else item["schemaId"]
        score = item["confidence"].score() if "confidence" in item else None
        extras = {"classifications": item.value["classifications"]} if item.value.get("classifications") else None
        self.found.add(place, self.found.label(label.text()), score=score, extras=extras, at=item.place, **geometry)

    def _mask(self, node: Node, place: int) -> Masks:
        try:
            pixels = decoded_png(base64.b64decode(node.text(), validate=True))
        except ValueError as error:
            node.refuse("labelbox-mask", str(error), "a PNG of one channel in base64")
        height, width = (int(side) for side in pixels.shape)
        self.found.size(place, (height, width), node.path)
        return Masks.from_dense(pixels > 0)

    def dataset(self) -> Dataset:
        """All of it."""
        report = self.found.report
        for kind, count in self.skipped.items():
            why = "an address, which is not fetched" if kind in ("mask", "composite_mask") else "not read"
            report.note("labelbox-skipped", f"{count:,} × {kind}: {why}", severity="warning", count=count)
        if self.others:
            found = f"{self.others:,} further labels of the same images: the first is read"
            report.note("labelbox-others", found, severity="warning", count=self.others)
        return self.found.dataset()


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, stream: Writable) -> None:
    """Write an import: a line for each annotation."""
    rows = dataset.annotations
    masks = masks_of_complex(dataset)
    lines = []
    numbers = [0] * len(dataset.images)  # of the annotations of each image
    for row, image in enumerate(rows.image.tolist()):
        key = dataset.images.key(image)
        item: dict[str, Any] = {
            "uuid": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{key}#{numbers[image]}")),
            "dataRow": {"globalKey": key},
            "name": dataset.labels.names[rows.label[row]],
        }
        if masks is not None and masks.present[row]:
            item["mask"] = {"png": base64_png(masks.dense(row))}
        elif rows.polygons is not None and rows.polygons.present[row]:
            item["polygon"] = [{"x": x, "y": y} for x, y in rows.polygons.rings(row)[0].tolist()]
        else:
            left, top, width, height = rows.box[row].tolist()
            item["bbox"] = {"top": top, "left": left, "height": height, "width": width}
        if rows.score is not None:
            item["confidence"] = float(rows.score[row])
        fields = {} if rows.extras is None else rows.extras[row]
        if isinstance(fields.get("classifications"), list):
            item["classifications"] = fields["classifications"]
        lines.append(item)
        numbers[image] += 1
    stream.write(json_lines_of(lines))


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    kept = ("classifications",)
    return [*outlines_as_masks(dataset), beyond(dataset.annotations.extras, kept, "attributes", "annotation")]


FORMATS = {
    "labelbox": Format(
        name="labelbox",
        title="Labelbox: exports are read, imports of pre-labels read and written, as NDJSON",
        suffixes=_SUFFIXES,
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            masks=True,
            polygons=True,
            scores=True,
            convention="pixels, origin at the top-left corner of the top-left pixel",
            specification="https://docs.labelbox.com/reference/import-image-annotations",
        ),
    ),
}
"""Formats of this module."""
