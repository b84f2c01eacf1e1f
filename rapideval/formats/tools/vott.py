"""VoTT: JSON of a project's export, and CSV.

JSON has ``assets``, each with ``asset`` (``name``, ``size``) and ``regions`` (``tags``, ``boundingBox`` and, for
polygons, ``points``). CSV has a line for each box: ``image``, ``xmin``, ``ymin``, ``xmax``, ``ymax``, ``label``. In
pixels from the top-left corner. A region of several tags becomes an annotation of each. They are read, not written.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from rapideval.errors import FormatError, Problem
from rapideval.formats.capabilities import Capabilities
from rapideval.formats.common.documents import documents, first_of
from rapideval.formats.common.nodes import Node, decoded, guarded
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.notes import Place, Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_COLUMNS = ["image", "xmin", "ymin", "xmax", "ymax", "label"]


def _sniff_json(source: Source) -> Guess | None:
    document = first_of(source, (".json", ".vott"))
    if document is None:
        return None
    shape = json_shape(document)
    if "assets" in shape.get("$", ()) and any(
        path.startswith("$.assets.") and "regions" in keys for path, keys in shape.items()
    ):
        return Guess(1, "a JSON object with assets that have regions")
    return None


def _sniff_csv(source: Source) -> Guess | None:
    document = first_of(source, (".csv",))
    if document is None:
        return None
    line = document.head(200).decode("utf-8", "replace").splitlines()[:1]
    if line and [name.strip('" ') for name in line[0].split(",")] == _COLUMNS:
        return Guess(1, "CSV with image, xmin, ymin, xmax, ymax, label")
    return None


def _read_json(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read an export, or all of a folder; images and labels given stand before those of the documents."""
    found = Gathered(Report(source.name), images, labels)
    untagged = [0]
    for document in documents(source, (".json", ".vott"), "VoTT exports (.json)"):
        root = decoded(document, found.report.within(document.name))
        with guarded():
            if "assets" not in root and source.is_folder:
                continue
            for _, entry in root["assets"].entries():
                with guarded():
                    _asset(entry, found, untagged)
    if untagged[0]:
        text = f"{untagged[0]:,} regions without tag: not read"
        found.report.note("vott-skipped", text, severity="warning", count=untagged[0])
    return found.dataset()


def _asset(entry: Node, found: Gathered, untagged: list[int]) -> None:
    asset = entry["asset"]
    size = asset.get("size")
    shape = None if size is None else (size["height"].size(), size["width"].size())
    place = found.image(asset["name"].text(), shape)
    for region in entry["regions"]:
        with guarded():
            geometry: dict[str, Any]
            if region.members().get("type") == "POLYGON":
                points = [[point["x"].number(), point["y"].number()] for point in region["points"]]
                geometry = {"rings": [points]}
            else:
                box = region["boundingBox"]
                corner = box["left"].number(), box["top"].number()
                geometry = {"box": (*corner, box["width"].number(0), box["height"].number(0))}
            tags = [tag.text() for tag in region["tags"]]
            untagged[0] += not tags
            for tag in tags:
                found.add(place, found.label(tag), at=region.place, **geometry)


def _read_csv(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read an export, or all of a folder; images and labels given stand before those of the documents."""
    found = Gathered(Report(source.name), images, labels)
    for document in documents(source, (".csv",), "VoTT exports (.csv)"):
        report = found.report.within(document.name)
        try:
            reader = csv.reader(io.StringIO(document.data().decode("utf-8-sig"), newline=""), strict=True)
            lines = [(reader.line_num, line) for line in reader if line]
        except UnicodeDecodeError:
            raise FormatError(Problem("csv-utf8", document.name, "bytes that are not UTF-8", "UTF-8")) from None
        except csv.Error as error:
            raise FormatError(Problem("csv-syntax", document.name, str(error), "comma-separated values")) from None
        if not lines or [name.strip() for name in lines[0][1]] != _COLUMNS:
            problem = Problem("csv-columns", f"{document.name}: line 1", "other columns", ", ".join(_COLUMNS))
            raise FormatError(problem)
        for number, line in lines[1:]:
            with guarded():
                at = Node(dict(zip(_COLUMNS, line, strict=False)), f"line {number}", report)
                if len(line) != len(_COLUMNS):
                    at.refuse("csv-columns", f"{len(line)} values", f"{len(_COLUMNS)}")
                edges = [_number(at[name]) for name in _COLUMNS[1:5]]
                if edges[2] < edges[0] or edges[3] < edges[1]:
                    at.refuse("vott-box", f"edges {edges}", "ends behind starts")
                box = (edges[0], edges[1], edges[2] - edges[0], edges[3] - edges[1])
                label = found.label(at["label"].text())
                found.add(
                    found.image(at["image"].text()), label, box=box, at=Place(document.name, "line {row}", number)
                )
    return found.dataset()


def _number(node: Node) -> float:
    try:
        return Node(float(node.text()), node.path, node.report).number()
    except ValueError:
        node.refuse("text-number", repr(node.value), "a number")


_CONVENTION = "pixels, origin at the top-left corner of the top-left pixel"
_SPECIFICATION = "https://github.com/microsoft/VoTT"

FORMATS = {
    "vott": Format(
        name="vott",
        title="VoTT: regions as JSON",
        suffixes=(".json",),
        sniff=_sniff_json,
        reader=_read_json,
        writer=None,
        capabilities=Capabilities(
            polygons=True, empty_images=True, image_sizes=True, convention=_CONVENTION, specification=_SPECIFICATION
        ),
    ),
    "vott-csv": Format(
        name="vott-csv",
        title="VoTT: boxes as CSV",
        suffixes=(".csv",),
        sniff=_sniff_csv,
        reader=_read_csv,
        writer=None,
        capabilities=Capabilities(convention=_CONVENTION, specification=_SPECIFICATION),
    ),
}
"""Formats of this module."""
