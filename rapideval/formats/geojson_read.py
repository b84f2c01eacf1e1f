"""GeoJSON into a Dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from rapideval.errors import FormatError, InputError, Problem
from rapideval.formats.affine import Affine
from rapideval.formats.files import Source
from rapideval.formats.geojson_geometry import TYPES, Outline, Reader, outer_first
from rapideval.formats.geojson_header import MEMBER, GeojsonHeader
from rapideval.formats.geojson_properties import Properties, foreign_properties, own_properties
from rapideval.formats.header import extras_from, images_from, labels_from
from rapideval.formats.notes import Report
from rapideval.formats.outlines import ring_areas, to_shapely
from rapideval.model import Annotations, Dataset, Images, Labels, Masks, Polygons
from rapideval.model import Source as Origin

__all__ = ["read"]


class Features(NamedTuple):
    """Features that have an outline, or are known to be a mask or box without one."""

    outlines: list[Outline]
    properties: list[dict[str, Any]]
    ids: list[Any]
    places: list[int]


def read(
    source: Source,
    images: Images | None,
    labels: Labels | None,
    label_property: str | None,
    score_property: str | None,
    transform: Sequence[float] | None,
    lenient: bool,
) -> Dataset:
    """Read features; see `rapideval.formats.geojson`."""
    report = Report(source.name)
    document = _decoded(source, report)
    header = _header(document, report)
    reader = Reader(report, lenient)
    features, path = _features(document, reader, header is not None)
    report.close()
    if header is not None:
        properties = own_properties(features.properties, path, features.places, report)
    else:
        default = _default_image(source, images)
        properties = foreign_properties(
            features.properties, label_property, score_property, default, path, features.places, report
        )
    _note_skipped(reader, report)
    affine = Affine.of(transform) if transform is not None else None
    if affine is None and header is not None and header.transform is not UNSET:
        affine = Affine.of(header.transform)
    entries = header.images if header is not None else None
    images, image = images_from(
        entries, properties.images, images, lambda row: path.format(features.places[row]), report
    )
    labels, label = labels_from([] if header is None else header.labels, properties.labels, labels)
    report.close()
    polygons = _polygons(
        features.outlines, affine, report, check=header is None, lenient=lenient, path=path, places=features.places
    )
    report.close()
    annotations = _annotations(features, properties, polygons, images, image, label, header, path, report)
    info = _info(document, header, report)
    try:
        return Dataset(images, labels, annotations, info, report.notes)
    except InputError as error:
        raise FormatError(error.problems, error.total) from None


# --- the document ------------------------------------------------------------------------------------


def _decoded(source: Source, report: Report) -> dict[str, Any]:
    data = source.data().removeprefix(b"\xef\xbb\xbf")
    try:
        document = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        rule = "json-empty" if not data.strip() else "json-syntax"
        raise FormatError(Problem(rule, report.name, str(error), "a JSON object")) from None
    if not isinstance(document, dict):
        raise FormatError(
            Problem("geojson-object", f"{report.name}: $", f"a JSON {_kind(document)}", "a GeoJSON object")
        )
    return document


def _kind(value: Any) -> str:
    return {list: "array", str: "string", type(None): "null"}.get(type(value), "number")


def _header(document: dict[str, Any], report: Report) -> GeojsonHeader | None:
    member = document.get(MEMBER)
    if not isinstance(member, dict) or member.get("schema") != "rapideval-geojson":
        return None
    try:
        return msgspec.convert(member, GeojsonHeader)
    except msgspec.ValidationError as error:
        raise FormatError(
            Problem("geojson-header", f"{report.name}: $.{MEMBER}", str(error), "the header of version 1")
        ) from None


def _features(document: dict[str, Any], reader: Reader, own: bool) -> tuple[Features, str]:
    """Features of a document that is a collection, a feature or a bare geometry, and the template of their place."""
    found = Features([], [], [], [])
    kind = document.get("type")
    report = reader.report
    if kind == "FeatureCollection":
        reader.check_bbox(document, "$")
        items = document.get("features")
        if not isinstance(items, list):
            text = "no features" if "features" not in document else f"a JSON {_kind(items)}"
            report.refuse("geojson-features", "$.features", text, "an array of features")
            return found, "$"
        for i, item in enumerate(items):
            _feature(item, f"$.features[{i}]", i, found, reader, own)
        return found, "$.features[{}]"
    if kind == "Feature":
        _feature(document, "$", 0, found, reader, own)
        return found, "$"
    if kind in TYPES:
        outline = reader.read(document, "$")
        if outline.rings:
            found.outlines.append(outline)
            found.properties.append({})
            found.ids.append(None)
            found.places.append(0)
        return found, "$"
    hint = f"types are spelt {', '.join(('FeatureCollection', 'Feature'))}, ..." if isinstance(kind, str) else ""
    report.refuse("geojson-type", "$.type", repr(kind)[:60], "FeatureCollection, Feature or a geometry's type", hint)
    return found, "$"


def _feature(item: Any, path: str, place: int, found: Features, reader: Reader, own: bool) -> None:
    report = reader.report
    if not isinstance(item, dict) or item.get("type") != "Feature":
        text = repr(item.get("type")) if isinstance(item, dict) else repr(item)[:60]
        report.refuse("geojson-type", f"{path}.type" if isinstance(item, dict) else path, text, "a Feature")
        return
    reader.check_bbox(item, path)
    missing = [key for key in ("geometry", "properties") if key not in item]
    for key in missing:
        report.refuse("geojson-member", path, f"no {key}", f"a Feature's {key}, if need be null")
    properties = item.get("properties")
    if properties is not None and not isinstance(properties, dict):
        report.refuse("geojson-properties", f"{path}.properties", f"a JSON {_kind(properties)}", "an object or null")
        return
    identity = item.get("id")
    if "id" in item and (not isinstance(identity, int | float | str) or isinstance(identity, bool)):
        report.refuse("geojson-id", f"{path}.id", repr(identity)[:60], "a string or a number")
    if missing:
        return
    geometry = item["geometry"]
    outline = Outline([], [])
    if geometry is not None:
        outline = reader.read(geometry, f"{path}.geometry")
    elif not own:
        reader.skipped["null"] = reader.skipped.get("null", 0) + 1
    if not outline.rings and not (own and geometry is None):
        return
    found.outlines.append(outline)
    found.properties.append(properties or {})
    found.ids.append(identity)
    found.places.append(place)


def _note_skipped(reader: Reader, report: Report) -> None:
    if reader.skipped:
        kinds = ", ".join(f"{count:,} × {kind}" for kind, count in sorted(reader.skipped.items()))
        report.note(
            "geometry-skipped", f"geometries that have no area: {kinds}", hint="only polygons become annotations",
            severity="warning", count=sum(reader.skipped.values()),
        )  # fmt: skip
    for what, text in (("closed", "rings that were not closed"), ("height", "positions with a third number: left out")):
        if what in reader.counts:
            count, where = reader.counts[what]
            report.note(f"geojson-{what}", text, where, severity="warning", count=count)


def _info(document: dict[str, Any], header: GeojsonHeader | None, report: Report) -> dict[str, Any]:
    if header is not None:
        return {} if header.info is UNSET else dict(header.info)
    if document.get("type") != "FeatureCollection":
        return {}
    info = {key: value for key, value in document.items() if key not in ("type", "features", "bbox")}
    if "crs" in info:
        crs = info["crs"]
        name = crs.get("properties", {}).get("name") if isinstance(crs, dict) else None
        report.note(
            "geojson-crs", f"the reference system {name or crs!r}, which RFC 7946 does not have", "$.crs",
            hint="coordinates are taken as they stand, as if they were pixels", severity="warning",
        )  # fmt: skip
    return info


def _default_image(source: Source, images: Images | None) -> str:
    """The image of features that do not say theirs."""
    if images is not None and len(images) == 1:
        return images.key(0)
    return PurePath(source.name).name.split(".")[0] if source.path is not None else "image"


# --- outlines ----------------------------------------------------------------------------------------


def _polygons(
    outlines: list[Outline],
    affine: Affine | None,
    report: Report,
    *,
    check: bool,
    lenient: bool,
    path: str,
    places: list[int],
) -> Polygons:
    # What rapideval wrote lies in the order it is painted in; elsewhere a part may lie in a hole of a later one.
    ordered = [outer_first(outline) for outline in outlines] if check else outlines
    polygons = Polygons.from_rings([outline.rings for outline in ordered], [outline.holes for outline in ordered])
    if check and len(polygons):
        _check_rings(polygons, report, lenient, path, places)
    if affine is not None:
        points = affine.undo(polygons.coordinates)
        polygons = Polygons(points, polygons.ring_offsets, polygons.row_offsets, polygons.ring_is_hole)
    return polygons


def _check_rings(polygons: Polygons, report: Report, lenient: bool, path: str, places: list[int]) -> None:
    """Notes on rings that are turned or cross themselves; holes that reach beyond their exterior are refused."""
    import shapely

    areas = ring_areas(polygons.coordinates, polygons.ring_offsets)
    wrong = int(np.where(polygons.ring_is_hole, areas > 0, areas < 0).sum())
    if wrong:
        report.note(
            "geojson-right-hand", "rings that do not keep the right-hand rule: read as they are meant", count=wrong
        )
    shapes = to_shapely(polygons)
    invalid = np.flatnonzero(~shapely.is_valid(shapes))
    outside = [row for row in invalid.tolist() if polygons.holes(row).any() and _hole_is_outside(polygons, row)]
    for row in outside if not lenient else []:
        report.refuse(
            "geojson-hole", path.format(places[row]), "a hole that reaches beyond its exterior", "holes within",
            "lenient=True (--lenient) reads it",
        )  # fmt: skip
    if len(invalid):
        first = int(invalid[0])
        report.note(
            "geometry-invalid", f"polygons that are not valid ({shapely.is_valid_reason(shapes[first])})",
            path.format(places[first]), severity="warning", count=len(invalid),
        )  # fmt: skip


def _hole_is_outside(polygons: Polygons, row: int) -> bool:
    import shapely

    exterior = None
    for ring, hole in zip(polygons.rings(row), polygons.holes(row).tolist(), strict=True):
        shape = shapely.make_valid(shapely.Polygon(ring))
        if not hole:
            exterior = shape
        elif shapely.difference(shape, exterior).area > 1e-9 * shape.area:
            return True
    return False


# --- annotations -------------------------------------------------------------------------------------


def _annotations(
    features: Features,
    properties: Properties,
    polygons: Polygons,
    images: Images,
    image: npt.NDArray[np.int32],
    label: npt.NDArray[np.int32],
    header: GeojsonHeader | None,
    path: str,
    report: Report,
) -> Annotations:
    count = len(image)
    scored = properties.scores is not None or (header is not None and header.scored)
    if not count:
        return Annotations.empty(scored=scored)
    masks = box = None
    if properties.shapes is not None:
        box = _own_boxes(properties.boxes, polygons)
        masks, polygons = _own_shapes(properties.shapes, polygons, images.sizes[image], report)
    ids = _ids(features.ids, report)
    return Annotations(
        image,
        label,
        box,
        properties.scores,
        properties.areas,
        properties.crowd,
        masks,
        polygons if polygons.present.any() else None,
        ids,
        Origin([f"{report.name}: {path.format('{row}')}"], features.places),
        extras_from(_with_text_ids(properties.extras, features.ids)),
        set() if ids is not None else {"ids"},
    )


def _own_boxes(given: list[list[float] | None] | None, polygons: Polygons) -> npt.NDArray[np.float64] | None:
    """Boxes of features, those of their outlines where they have none; None where no feature has one."""
    if given is None:
        return None
    boxes = polygons.boxes
    for row, box in enumerate(given):
        if box is not None:
            boxes[row] = box
    return boxes


def _own_shapes(
    shapes: Sequence[str], polygons: Polygons, sizes: npt.NDArray[np.uint32], report: Report
) -> tuple[Masks | None, Polygons]:
    """Masks of the outlines that were masks, and the outlines that were outlines; boxes are neither."""
    kinds = np.array(shapes)
    known = (sizes > 0).all(axis=1)
    unknown = (kinds == "mask") & ~known
    if unknown.any():
        report.note(
            "image-size",
            "masks of images of unknown size: kept as outlines",
            severity="warning",
            count=int(unknown.sum()),
        )
    rows = np.flatnonzero((kinds == "mask") & known)
    masks = None
    if len(rows):
        masks = _drawn(polygons.take(rows), sizes[rows]).spread(rows, len(kinds))
    kept = np.flatnonzero((kinds == "polygon") | unknown)
    order = np.full(len(kinds), len(polygons))
    order[kept] = kept
    return masks, Polygons.concat([polygons, Polygons.empty(1)]).take(order)


def _drawn(polygons: Polygons, sizes: npt.NDArray[np.uint32]) -> Masks:
    """Masks of outlines; a row without an outline is an empty mask."""
    empty = np.flatnonzero(~polygons.present)
    masks = polygons.rasterise(sizes)
    if not len(empty):
        return masks
    blank = Masks.from_counts([[height * width] for height, width in sizes[empty].tolist()], sizes[empty])
    order = np.arange(len(polygons))
    order[empty] = len(polygons) + np.arange(len(empty))
    return Masks.concat([masks, blank]).take(order)


def _with_text_ids(extras: list[dict[str, Any]], ids: list[Any]) -> list[dict[str, Any]]:
    return [{"id": name} | row if isinstance(name, str) else row for row, name in zip(extras, ids, strict=True)]


def _ids(given: list[Any], report: Report) -> npt.NDArray[np.int64] | None:
    if any(isinstance(identity, str) for identity in given):
        report.note("id-text", "ids of features that are text: kept as the further field id", count=len(given))
        return None
    if any(identity is None or identity != int(identity) or abs(identity) >= 1 << 63 for identity in given):
        return None
    return np.array([int(identity) for identity in given], np.int64)
