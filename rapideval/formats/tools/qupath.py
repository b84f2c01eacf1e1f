"""QuPath's GeoJSON: a file of annotations and detections for each slide.

A FeatureCollection, or an array of features. ``geometry`` is a Polygon or MultiPolygon; ``properties`` have
``objectType`` (``annotation``, ``detection``, ``cell``), ``classification`` (``name``, or ``names``, and ``color``),
``name``, ``isLocked`` and ``measurements``, of which ``score`` is a score where all features have it; ``childObjects``
are features too. The label is the classification, else the name. Points and lines are counted as skipped; all other
properties are kept, and an ``id``.

Coordinates are pixels of the full resolution, x to the right and y down, from the top-left corner. The file does not
say whose it is: the image has the name of the file without ``.geojson``.

Masks become outlines along their pixel edges. Boxes are outlines whose ``metadata`` say ``shape: box``, so that they
are boxes again. GeoJSON of other tools, and with images, labels and masks kept, is the format ``geojson``.
"""

from __future__ import annotations

import re
import uuid
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.formats.capabilities import Capabilities, Loss, plural
from rapideval.formats.common.documents import documents, first_of, json_of, laid
from rapideval.formats.common.names import renamed, safe_path
from rapideval.formats.common.nodes import Node, decoded, guarded
from rapideval.formats.common.vectors import corners, outlines_of
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.geojson_geometry import Outline, Reader, outer_first
from rapideval.formats.notes import Report
from rapideval.formats.outlines import ring_areas
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_SUFFIXES = (".json", ".geojson")
_SCORE = "score"
_ANNOTATION = "annotation"
_UNNAMED = "object"
_NUCLEUS = "nucleusGeometry"  # of a cell: beside its geometry
_COLOURS = ([200, 0, 0], [0, 160, 0], [0, 90, 200], [220, 160, 0], [150, 0, 200], [0, 170, 170], [120, 80, 40])
_OBJECT = re.compile(rb'"objectType"\s*:')
_FEATURE = re.compile(rb'"type"\s*:\s*"Feature(Collection)?"')


def _sniff(source: Source) -> Guess | None:
    document = first_of(source, (".geojson",)) if source.is_folder else source
    if document is None:
        return None
    head = document.head()
    if _FEATURE.search(head) and b'"rapideval-geojson"' not in head and (_OBJECT.search(head) or source.is_folder):
        return Guess(1, "features with objectType" if _OBJECT.search(head) else "a folder of FeatureCollections")
    return None


# --- reading -----------------------------------------------------------------------------------------


class _Feature(NamedTuple):
    node: Node
    image: int
    outline: Outline
    label: str
    score: float | None
    extras: dict[str, Any]


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read a file, or all of a folder; images and labels given stand before those of the files."""
    found = Gathered(Report(source.name), images, labels)
    features: list[_Feature] = []
    skipped: dict[str, int] = {}
    for document in documents(source, (".geojson",) if source.is_folder else _SUFFIXES, "files of QuPath (.geojson)"):
        root = decoded(document, found.report.within(document.name))
        with guarded():
            name = _name_of(source, document, images)
            reader = Reader(root.report, lenient=False)
            features += _features(root, name, found, reader)
            for kind, count in reader.skipped.items():
                skipped[kind] = skipped.get(kind, 0) + count
    for kind, count in skipped.items():
        found.report.note("qupath-skipped", f"{count:,} × {kind}: no area", severity="warning", count=count)
    unnamed = sum(1 for feature in features if feature.label == _UNNAMED)
    if unnamed:
        text = f"features without a classification or name: called {_UNNAMED!r}"
        found.report.note("label-missing", text, severity="warning", count=unnamed)
    scored = bool(features) and all(feature.score is not None for feature in features)
    for feature in features:
        with guarded():
            _add(feature, scored, found)
    return found.dataset()


def _name_of(source: Source, document: Source, images: Images | None) -> str:
    """The image of a file: the one that is given, or that of its name."""
    if images is not None and len(images) == 1 and not source.is_folder:
        return images.key(0)
    if document.path is None:
        return "image"
    inside = source.is_folder and source.path is not None
    path = document.path.relative_to(source.path) if inside and source.path else PurePath(document.path.name)
    name = re.sub(r"\.(geo)?json$", "", path.as_posix(), flags=re.IGNORECASE)
    if images is not None and name not in images.keys:
        same = [key for key in images.keys if PurePath(key).stem == PurePath(name).name]
        return same[0] if len(same) == 1 else name
    return name


def _features(root: Node, name: str, found: Gathered, reader: Reader) -> list[_Feature]:
    place = found.image(name)
    features: list[_Feature] = []
    waiting = list(root if isinstance(root.value, list) else root["features"])[::-1]
    while waiting:
        node = waiting.pop()
        with guarded():
            properties = node.get("properties") or Node({}, f"{node.path}.properties", node.report)
            extras = dict(properties.members())
            if "childObjects" in properties:
                waiting += list(properties["childObjects"])[::-1]
                del extras["childObjects"]
            if "geometry" not in node:
                reader.skipped["null"] = reader.skipped.get("null", 0) + 1
                continue
            outline = reader.read(node["geometry"].value, f"{node.path}.geometry")
            if not outline.rings:
                continue
            label = _label(properties)
            if label is None and "name" in properties:
                label = properties["name"].text()
                del extras["name"]
            given = node.members().get("id")
            if isinstance(given, str) and given != _identity(name, len(features)):
                extras["id"] = given
            if _NUCLEUS in node:
                extras[_NUCLEUS] = node[_NUCLEUS].value
            if extras.get("objectType") == _ANNOTATION:
                del extras["objectType"]
            features.append(_Feature(node, place, outline, label or _UNNAMED, _score(properties), extras))
    return features


def _label(properties: Node) -> str | None:
    """The name of the classification; that of one within another is written ``Tumor: Positive``."""
    if "classification" not in properties:
        return None
    given = properties["classification"]
    if isinstance(given.value, str):
        return given.text() or None
    if "names" in given:
        return ": ".join(name.text() for name in given["names"]) or None
    return given["name"].text() if "name" in given else None


def _score(properties: Node) -> float | None:
    """The measurement ``score``, in the map of today or the list of before 0.4."""
    if "measurements" not in properties:
        return None
    measured = properties["measurements"]
    if isinstance(measured.value, list):
        return next((m["value"].score() for m in measured if "value" in m and m["name"].value == _SCORE), None)
    return measured[_SCORE].score() if _SCORE in measured else None


def _add(feature: _Feature, scored: bool, found: Gathered) -> None:
    extras = dict(feature.extras)
    given = extras.get("classification")
    if isinstance(given, str) or (isinstance(given, dict) and _is_plain(given)):
        del extras["classification"]
    if scored:
        measured = extras["measurements"]
        rest = (
            {name: value for name, value in measured.items() if name != _SCORE}
            if isinstance(measured, dict)
            else [entry for entry in measured if entry.get("name") != _SCORE]
        )
        extras["measurements"] = rest
        if not rest:
            del extras["measurements"]
    outline = feature.outline
    geometry: dict[str, Any] = {"rings": outline.rings, "holes": outline.holes}
    metadata = extras.get("metadata")
    if isinstance(metadata, dict) and metadata.get("shape") == "box":
        box = _box(outline)
        if box is not None:
            geometry = {"box": box}
        extras["metadata"] = {name: value for name, value in metadata.items() if name != "shape"}
        if not extras["metadata"]:
            del extras["metadata"]
    if "rings" in geometry:
        ordered = outer_first(outline)
        geometry = {"rings": ordered.rings, "holes": ordered.holes}
    score = feature.score if scored else None
    place = feature.node.place
    found.add(feature.image, found.label(feature.label), score=score, extras=extras, at=place, **geometry)


def _is_plain(classification: dict[str, Any]) -> bool:
    """Whether a classification has nothing but its name, and a colour of those that are written here."""
    colour = classification.get("color")
    plain = colour is None or (isinstance(colour, list) and colour in _COLOURS)
    return plain and classification.keys() <= {"name", "color"}


def _box(outline: Outline) -> list[float] | None:
    """A rectangle along the axes as x, y, width, height; None for another outline."""
    ring = outline.rings[0]
    if len(outline.rings) != 1 or len(ring) != 4:
        return None
    low, high = ring.min(axis=0), ring.max(axis=0)
    edges = np.diff(np.concatenate([ring, ring[:1]]), axis=0)
    return [*low.tolist(), *(high - low).tolist()] if not (edges != 0).all(axis=1).any() else None


# --- writing -----------------------------------------------------------------------------------------


def _write(dataset: Dataset, folder: Path, *, outline_iou: float | None = None) -> None:
    """Write a file for each image, those without annotations too.

    Parameters
    ----------
    dataset, folder
        What to write, and where.
    outline_iou
        Lowest IoU of a mask and its outline, where points may be left out; exact outlines without it.
    """
    rows = dataset.annotations
    polygons = outlines_of(rows, outline_iou)
    features: list[list[dict[str, Any]]] = [[] for _ in range(len(dataset.images))]
    paths = _paths(dataset.images)
    for row, image in enumerate(rows.image.tolist()):
        extras = {} if rows.extras is None else dict(rows.extras[row])
        label = int(rows.label[row])
        given, nucleus, classified = (extras.pop(name, None) for name in ("id", _NUCLEUS, "classification"))
        classification = {"name": dataset.labels.names[label], "color": _COLOURS[label % len(_COLOURS)]}
        if isinstance(classified, dict):
            classification |= {name: value for name, value in classified.items() if name not in ("name", "names")}
        properties: dict[str, Any] = {"objectType": _ANNOTATION, "classification": classification, **extras}
        if rows.score is not None:
            properties["measurements"] = _measured(extras.get("measurements"), float(rows.score[row]))
        if polygons.present[row]:
            geometry = _geometry(polygons.rings(row), polygons.holes(row).tolist())
        else:
            geometry = _geometry([corners(rows.box[row])], [False])
            metadata = extras.get("metadata")
            properties["metadata"] = (metadata if isinstance(metadata, dict) else {}) | {"shape": "box"}
        identity = given if isinstance(given, str) else _identity(paths[image], len(features[image]))
        feature = {"type": "Feature", "id": identity, "geometry": geometry, "properties": properties}
        features[image].append(feature if nucleus is None else feature | {_NUCLEUS: nucleus})
    for path, listed in zip(paths, features, strict=True):
        with laid(folder, f"{path}.geojson") as stream:
            stream.write(json_of({"type": "FeatureCollection", "features": listed}))


def _identity(image: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{image}#{number}"))


def _paths(images: Images) -> list[str]:
    first: dict[str, str] = {}
    for key in images.keys:
        path = safe_path(key)
        other = first.setdefault(path.lower(), key)  # some systems do not tell upper from lower case
        if other != key:
            raise UsageError(f"the images {other!r} and {key!r} would share the file {path!r}: rename one of them")
    return [safe_path(key) for key in images.keys]


def _measured(given: Any, score: float) -> Any:
    if isinstance(given, list):
        return [*given, {"name": _SCORE, "value": score}]
    return (given if isinstance(given, dict) else {}) | {_SCORE: score}


def _geometry(rings: list[npt.NDArray[np.float64]], holes: list[bool]) -> dict[str, Any]:
    parts: list[list[Any]] = []
    for ring, hole in zip(rings, holes, strict=True):
        if not hole:
            parts.append([])
        parts[-1].append(_closed(ring, hole))
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


def _closed(ring: npt.NDArray[np.float64], hole: bool) -> list[list[float]]:
    """A ring that ends where it begins and keeps the right-hand rule, as RFC 7946 wants it."""
    area = float(ring_areas(ring, np.array([0, len(ring)]))[0])
    if area > 0 if hole else area < 0:
        ring = np.concatenate([ring[:1], ring[:0:-1]])
    return [*ring.tolist(), ring[0].tolist()]


_MEANT: dict[str, tuple[type, ...]] = {  # further fields that QuPath means something by, and what they are there
    "id": (str,), "objectType": (str,), "classification": (dict,), "metadata": (dict,), "measurements": (dict, list),
    _NUCLEUS: (dict,), "childObjects": (),
}  # fmt: skip


def _losses(dataset: Dataset, **_: Any) -> list[Loss]:
    extras = dataset.annotations.extras
    count = 0
    if extras is not None:
        rows = (extras[row] for row in range(len(extras)))
        count = sum(1 for row in rows if any(not isinstance(row[key], _MEANT[key]) for key in row.keys() & _MEANT))
    text = f"further fields of {plural(count, 'annotation')} by whose names QuPath means something else"
    return [Loss("attributes", count, text), renamed(dataset.images)]


FORMATS = {
    "qupath": Format(
        name="qupath",
        title="QuPath: annotations and detections as GeoJSON, a file a slide",
        suffixes=_SUFFIXES,
        kind="folder",
        sniff=_sniff,
        reader=_read,
        writer=_write,
        special_losses=_losses,
        capabilities=Capabilities(
            boxes=False,
            polygons=True,
            holes=True,
            parts=True,
            scores=True,
            attributes=True,
            keypoints=True,
            empty_images=True,
            convention="pixels of the full resolution, y down, origin at the top-left corner of the top-left pixel",
            specification="https://qupath.readthedocs.io/en/stable/docs/advanced/exporting_annotations.html",
        ),
    ),
}
"""Formats of this module."""
