"""VGG Image Annotator (VIA 1 and 2): JSON and CSV.

JSON is an object with a member for each image, or a project that has such under ``_via_img_metadata``: ``filename``,
``size`` (of the file, in bytes), ``file_attributes`` and ``regions``, each with ``shape_attributes`` (``rect``,
``polygon``, ``circle``, ``ellipse``; in pixels from the top-left corner) and ``region_attributes``, one of which is the
label. CSV has a line for each region with the same. Points and polylines are counted as skipped. Circles and ellipses
become outlines. Further region attributes are kept.

VIA's outlines are one ring: a hole is joined to its exterior by a line, and so are several parts.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from rapideval.errors import FormatError, Problem
from rapideval.formats.capabilities import Capabilities, Loss
from rapideval.formats.common.documents import documents, first_of, json_of
from rapideval.formats.common.names import clashing
from rapideval.formats.common.nodes import Node, decoded, guarded
from rapideval.formats.common.vectors import Holes, bridged, ellipse, one_ring_losses, outlines_of, single_rings
from rapideval.formats.common.words import value_of, word_of
from rapideval.formats.files import Source, Writable
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_COLUMNS = ("filename", "file_size", "file_attributes", "region_count", "region_id", "region_shape_attributes",
            "region_attributes")  # fmt: skip
_NAMES = ("label", "labels", "class", "category", "name", "type", "object")
_SKIPPED = ("point", "polyline", "line")
_METADATA = "_via_img_metadata"


def _sniff_json(source: Source) -> Guess | None:
    document = first_of(source, (".json",))
    if document is None:
        return None
    shape = json_shape(document)
    if _METADATA in shape.get("$", ()) or "_via_settings" in shape.get("$", ()):
        return Guess(1, "a VIA project")
    images = [keys for path, keys in shape.items() if path.count(".") >= 1 and {"filename", "regions"} <= keys]
    return Guess(1, "a JSON object of images with filename and regions") if images else None


def _sniff_csv(source: Source) -> Guess | None:
    document = first_of(source, (".csv",))
    if document is None:
        return None
    line = document.head(400).split(b"\n", 1)[0]
    if b"filename" in line and b"region_shape_attributes" in line:
        return Guess(1, "CSV with region_shape_attributes")
    return None


# --- reading -----------------------------------------------------------------------------------------


class _Reading:
    """What is found, and what is skipped."""

    def __init__(
        self, source: Source, images: Images | None, labels: Labels | None, label_attribute: str | None
    ) -> None:
        self.found = Gathered(Report(source.name), images, labels)
        self.label_attribute = label_attribute
        self.skipped: dict[str, int] = {}

    def image(self, name: Node, attributes: Node | None) -> int:
        """An image."""
        return self.found.image(name.text(), extras=attributes.members() if attributes is not None else None)

    def region(self, place: int, shape: Node, attributes: Node, at: Node) -> None:
        """A region of it."""
        kind = shape["name"].text()
        if kind in _SKIPPED:
            self.skipped[kind] = self.skipped.get(kind, 0) + 1
            return
        readers = {
            "rect": self._rect, "polygon": self._polygon, "circle": self._circle, "ellipse": self._ellipse,
        }  # fmt: skip
        if kind not in readers:
            shape["name"].refuse("via-shape", repr(kind), "rect, polygon, circle or ellipse")
        geometry = readers[kind](shape)
        label, extras = self._label(attributes)
        self.found.add(place, self.found.label(label), extras=extras, at=at.place, **geometry)

    def _label(self, attributes: Node) -> tuple[str, dict[str, Any]]:
        """The attribute that is the label, and the others."""
        members = attributes.members()
        key = self.label_attribute or next((name for name in _NAMES if name in members), None)
        if key is None and len(members) == 1:
            key = next(iter(members))
        if key is None or key not in members:
            found = f"the attributes {', '.join(members)}" if members else "no attributes"
            attributes.refuse("label-missing", found, "one that is the label", "say which: label_attribute")
        value = members[key]
        if isinstance(value, dict):  # check boxes: {"cat": true}
            chosen = [name for name, on in value.items() if on]
            if len(chosen) != 1:
                attributes[key].refuse("label-several", f"{len(chosen)} labels", "one")
            value = chosen[0]
        if not isinstance(value, str) or not value:
            attributes[key].refuse("label-missing", repr(value), "the name of a label")
        return value, {
            name: value_of(other) if isinstance(other, str) else other for name, other in members.items() if name != key
        }

    def _rect(self, shape: Node) -> dict[str, Any]:
        return {"box": (shape["x"].number(), shape["y"].number(), shape["width"].number(0), shape["height"].number(0))}

    def _polygon(self, shape: Node) -> dict[str, Any]:
        xs, ys = shape["all_points_x"].numbers(), shape["all_points_y"].numbers()
        if len(xs) != len(ys):
            shape.refuse("via-points", f"{len(xs)} x and {len(ys)} y", "as many of each")
        return {"rings": [list(zip(xs, ys, strict=True))]}

    def _circle(self, shape: Node) -> dict[str, Any]:
        radius = shape["r"].number(0)
        return {"rings": [ellipse(shape["cx"].number(), shape["cy"].number(), radius, radius)]}

    def _ellipse(self, shape: Node) -> dict[str, Any]:
        turn = shape["theta"].number() if "theta" in shape else 0.0  # radians
        numbers = [shape[name].number() for name in ("cx", "cy", "rx", "ry")]
        return {"rings": [ellipse(numbers[0], numbers[1], numbers[2], numbers[3], float(np.degrees(turn)))]}

    def dataset(self) -> Dataset:
        """All of it."""
        for kind, count in self.skipped.items():
            self.found.report.note(
                "via-skipped", f"{count:,} × {kind}: neither box nor area", severity="warning", count=count
            )
        return self.found.dataset()


def _read_json(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    label_attribute: str | None = None,
) -> Dataset:
    """Read JSON.

    Parameters
    ----------
    source
        A document, or a folder of them.
    images, labels
        They stand before those of the documents.
    label_attribute
        Which region attribute is the label; ``label``, ``class`` or its like, or the only one, if not given.
    """
    reading = _Reading(source, images, labels, label_attribute)
    for document in documents(source, (".json",), "VIA documents (.json)"):
        with guarded():
            root = decoded(document, reading.found.report.within(document.name))
            entries = root.get(_METADATA) or root
            for _, entry in entries.entries():
                with guarded():
                    place = reading.image(entry["filename"], entry.get("file_attributes"))
                    regions = entry["regions"]
                    keyed = isinstance(regions.value, dict)  # VIA 1 numbers them
                    for region in [node for _, node in regions.entries()] if keyed else regions:
                        with guarded():
                            reading.region(place, region["shape_attributes"], region["region_attributes"], region)
    return reading.dataset()


def _read_csv(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    label_attribute: str | None = None,
) -> Dataset:
    """Read CSV; the options are those of `_read_json`."""
    reading = _Reading(source, images, labels, label_attribute)
    for document in documents(source, (".csv",), "VIA documents (.csv)"):
        report = reading.found.report.within(document.name)
        for number, fields in _lines(document):
            with guarded():
                at = Node(fields, f"line[{number}]", report)
                place = reading.image(at["filename"], _inner(at, "file_attributes"))
                shape = _inner(at, "region_shape_attributes")
                if shape.members():
                    reading.region(place, shape, _inner(at, "region_attributes"), at)
    return reading.dataset()


def _lines(document: Source) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = document.data().decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = set(_COLUMNS[:3] + _COLUMNS[5:]) - set(reader.fieldnames or ())
        if missing:
            problem = Problem(
                "csv-columns", f"{document.name}: line 1", f"no column {sorted(missing)[0]}", "VIA's columns"
            )
            raise FormatError(problem)
        for fields in reader:
            yield reader.line_num, fields
    except UnicodeDecodeError:
        raise FormatError(Problem("csv-utf8", document.name, "bytes that are not UTF-8", "UTF-8")) from None
    except csv.Error as error:
        raise FormatError(Problem("csv-syntax", document.name, str(error), "comma-separated values")) from None


def _inner(at: Node, column: str) -> Node:
    """The JSON object that a column of CSV holds."""
    import msgspec

    text = at[column].text()
    try:
        return Node(msgspec.json.decode(text or "{}"), f"{at.path}.{column}", at.report)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        at[column].refuse("json-syntax", repr(text[:60]), "a JSON object")


# --- writing -----------------------------------------------------------------------------------------


def _regions(dataset: Dataset, outline_iou: float | None, holes: Holes) -> list[list[dict[str, Any]]]:
    """Regions of each image."""
    rows = dataset.annotations
    polygons = outlines_of(rows, outline_iou)
    found: list[list[dict[str, Any]]] = [[] for _ in range(len(dataset.images))]
    shape: dict[str, Any]
    for row, image in enumerate(rows.image.tolist()):
        if polygons.present[row]:
            rings = single_rings(polygons, row, holes)
            ring = bridged(rings)
            shape = {"name": "polygon", "all_points_x": ring[:, 0].tolist(), "all_points_y": ring[:, 1].tolist()}
        else:
            x, y, width, height = rows.box[row].tolist()
            shape = {"name": "rect", "x": x, "y": y, "width": width, "height": height}
        extras = {} if rows.extras is None else rows.extras[row]
        attributes = {"label": dataset.labels.names[rows.label[row]]}
        attributes |= {name: word_of(value) for name, value in extras.items() if name not in attributes}
        found[image].append({"shape_attributes": shape, "region_attributes": attributes})
    return found


def _write_json(
    dataset: Dataset, stream: Writable, *, outline_iou: float | None = None, holes: Holes = "bridge"
) -> None:
    """Write JSON, a member for each image.

    Parameters
    ----------
    dataset, stream
        What to write, and where.
    outline_iou
        Lowest IoU of a mask and its outline, where points may be left out; exact outlines without it.
    holes
        ``"bridge"`` joins a hole to its exterior by a line, ``"fill"`` leaves it out, ``"refuse"`` refuses.
    """
    regions = _regions(dataset, outline_iou, holes)
    document = {}
    for place, key in enumerate(dataset.images.keys):
        fields = {} if dataset.images.extras is None else dataset.images.extras[place]
        document[f"{key}-1"] = {"filename": key, "size": -1, "regions": regions[place], "file_attributes": fields}
    stream.write(json_of(document))


def _write_csv(
    dataset: Dataset, stream: Writable, *, outline_iou: float | None = None, holes: Holes = "bridge"
) -> None:
    """Write CSV, a line for each region, and one for each image without; the options are those of `_write_json`."""
    import msgspec

    def text(value: Any) -> str:
        return msgspec.json.encode(value).decode()

    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for place, regions in enumerate(_regions(dataset, outline_iou, holes)):
        key = dataset.images.key(place)
        fields = text({} if dataset.images.extras is None else dataset.images.extras[place])
        for number, region in enumerate(regions):
            shape, attributes = text(region["shape_attributes"]), text(region["region_attributes"])
            writer.writerow([key, -1, fields, len(regions), number, shape, attributes])
        if not regions:
            writer.writerow([key, -1, fields, 0, 0, "{}", "{}"])
    stream.write(out.getvalue().encode("utf-8"))


def _losses(dataset: Dataset, *, holes: Holes = "bridge", **_: Any) -> list[Loss]:
    return [*one_ring_losses(dataset, holes), *clashing(dataset, ("label",))]


_HOLDS = Capabilities(
    boxes=False,
    polygons=True,
    attributes=True,
    image_attributes=True,
    keypoints=True,
    empty_images=True,
    convention="pixels, origin at the top-left corner of the top-left pixel",
    specification="https://www.robots.ox.ac.uk/~vgg/software/via/",
)

FORMATS = {
    "via": Format(
        name="via",
        title="VGG Image Annotator: regions as JSON, of VIA 1 and 2",
        suffixes=(".json",),
        sniff=_sniff_json,
        reader=_read_json,
        writer=_write_json,
        special_losses=_losses,
        capabilities=_HOLDS,
    ),
    "via-csv": Format(
        name="via-csv",
        title="VGG Image Annotator: regions as CSV",
        suffixes=(".csv",),
        sniff=_sniff_csv,
        reader=_read_csv,
        writer=_write_csv,
        special_losses=_losses,
        capabilities=_HOLDS,
    ),
}
"""Formats of this module."""
