"""A Dataset into GeoJSON."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec import UNSET

from rapideval.errors import UsageError
from rapideval.formats.affine import Affine
from rapideval.formats.common.vectors import box_outlines, outlines_of
from rapideval.formats.files import Writable
from rapideval.formats.geojson_header import DEGREES, PIXELS, RESERVED, GeojsonHeader
from rapideval.formats.header import image_column, image_entries, label_entries
from rapideval.formats.outlines import ring_areas
from rapideval.formats.rowtext import Column, Texts, floats, integers, members, rows_of, strings, texts
from rapideval.model import Annotations, Dataset, Extras, Polygons
from rapideval.model.columns import offsets_of

__all__ = ["write"]

Flags = npt.NDArray[np.bool_]


def write(
    dataset: Dataset,
    stream: Writable,
    transform: Sequence[float] | None,
    crs: str | None,
    outline_iou: float | None,
) -> None:
    """Write the collection; one feature a line."""
    import msgspec

    affine = _affine(dataset, transform, crs)
    features = _features(dataset, affine, outline_iou)
    header = GeojsonHeader(
        schema="rapideval-geojson",
        version=1,
        coordinates=PIXELS if affine is None else DEGREES,
        scored=dataset.scored,
        images=image_entries(dataset.images),
        labels=label_entries(dataset.labels),
        transform=UNSET if affine is None else affine.numbers(),
        info=dataset.info or UNSET,
    )
    stream.write(b'{"type":"FeatureCollection",\n"rapideval":' + msgspec.json.encode(header) + b',\n"features":[')
    stream.write(features.data[:-2].data)
    stream.write(b"\n]}\n" if len(dataset) else b"]}\n")


def _affine(dataset: Dataset, transform: Sequence[float] | None, crs: str | None) -> Affine | None:
    if transform is None:
        if crs is not None:
            raise UsageError(f"the reference system {crs} without a transform: give the transform of the image too")
        return None
    if crs is None or crs.upper().replace(" ", "") not in ("EPSG:4326", "OGC:CRS84"):
        raise UsageError(
            f"a transform to {crs or 'a reference system that is not named'}: RFC 7946 has longitudes and latitudes of "
            "WGS 84 only; give the transform to those and crs='EPSG:4326'"
        )
    if len(np.unique(dataset.annotations.image)) > 1:
        raise UsageError("one transform for annotations of several images: write each image on its own")
    return Affine.of(transform)


# --- features ----------------------------------------------------------------------------------------


def _features(dataset: Dataset, affine: Affine | None, outline_iou: float | None) -> Texts:
    rows = dataset.annotations
    count = len(rows)
    shapes, shape = _shapes(rows, outline_iou)
    geometries = _geometries(shapes, affine)
    boxed = shape == _BOX if "box" in rows.derived else np.ones(count, np.bool_)
    crowd = Column("text", *Texts.of(["true"]), np.zeros(count, np.int32), rows.crowd)
    fields: list[tuple[bytes, Column]] = [(b'\n{"type":"Feature","geometry":', texts(geometries))]
    if rows.ids is not None:
        fields.append((b',"id":', integers(rows.ids)))
    fields += [
        (b',"properties":{"label":', strings(dataset.labels.names, rows.label)),
        (b',"image":', image_column(dataset)),
    ]
    if rows.score is not None:
        fields.append((b',"score":', floats(rows.score)))
    fields.append((b',"crowd":', crowd))
    if "area" not in rows.derived:
        fields.append((b',"area":', floats(rows.area)))
    fields += [
        (b',"box":', floats(rows.box, boxed)),
        (b',"shape":', strings(("box", "mask", "polygon"), shape)),
    ]
    if rows.extras is not None:
        fields.append((b",", members(_without_clashes(rows.extras))))
    return rows_of([*(name for name, _ in fields), b"}},\n"], [column for _, column in fields], count)


def _without_clashes(extras: Extras) -> Extras:
    """Further fields, those whose names have a meaning here moved into a member of their own."""
    if not any(f'"{name}"'.encode() in extras.data for name in RESERVED):
        return extras
    rows = []
    for row in range(len(extras)):
        fields = extras[row]
        clashing = {name: fields.pop(name) for name in RESERVED if name in fields}
        rows.append(fields | {"extras": clashing} if clashing else fields)
    return Extras.from_dicts(rows)


_BOX, _MASK, _POLYGON = 0, 1, 2


def _shapes(rows: Annotations, outline_iou: float | None) -> tuple[Polygons, npt.NDArray[np.int32]]:
    """Outline of each row, and what it was: a box, a mask or an outline already."""
    count = len(rows)
    shape = np.full(count, _BOX, np.int32)
    if rows.masks is not None:
        shape[rows.masks.present] = _MASK
    if rows.polygons is not None:
        shape[rows.polygons.present] = _POLYGON
    if not count:
        return Polygons.empty(0), shape
    boxes = np.flatnonzero(shape == _BOX)
    drawn = np.flatnonzero(shape != _BOX)
    parts = [box_outlines(rows.box[boxes]), outlines_of(rows, outline_iou).take(drawn)]
    return Polygons.concat(parts).take(np.argsort(np.concatenate([boxes, drawn]), kind="stable")), shape


# --- geometries --------------------------------------------------------------------------------------


def _geometries(shapes: Polygons, affine: Affine | None) -> Texts:
    """JSON geometries: Polygon, MultiPolygon for several parts, null for a row without any."""
    points = shapes.coordinates if affine is None else affine.apply(shapes.coordinates)
    if affine is not None and len(points):
        _check_degrees(points)
    points = _right_handed(points, shapes)
    closed, closed_offsets = _closed(points, shapes.ring_offsets)
    rings = rows_of([b"", b""], [floats(closed)], len(closed)).arrays(closed_offsets)
    exteriors = np.flatnonzero(~shapes.ring_is_hole)
    parts = rings.arrays(np.append(exteriors, len(shapes.ring_is_hole)) if len(exteriors) else np.zeros(1, np.int64))
    part_offsets = np.searchsorted(exteriors, shapes.row_offsets)
    several = np.diff(part_offsets)
    which = np.zeros(len(several), np.int32)
    single = np.flatnonzero(several == 1)
    which[single] = 1 + part_offsets[single]
    polygons = rows_of([b'{"type":"Polygon","coordinates":', b"}"], [texts(parts)], len(exteriors))
    multi = np.flatnonzero(several > 1)
    which[multi] = 1 + len(exteriors) + np.arange(len(multi))
    chosen = np.concatenate([np.arange(part_offsets[row], part_offsets[row + 1]) for row in multi] or [np.empty(0)])
    groups = offsets_of(several[multi])
    opening = b'{"type":"MultiPolygon","coordinates":['
    collections = parts.take(chosen.astype(np.int32)).joined(groups, opening, b",", b"]}")
    return Texts.stacked([Texts.of(["null"]), polygons, collections]).take(which)


def _check_degrees(points: npt.NDArray[np.float64]) -> None:
    low, high = points.min(axis=0), points.max(axis=0)
    if low[0] < -180 or high[0] > 180 or low[1] < -90 or high[1] > 90:
        raise UsageError(
            f"a transform that gives longitudes {low[0]:g} to {high[0]:g} and latitudes {low[1]:g} to {high[1]:g}: "
            "is it one to EPSG:4326?"
        )


def _right_handed(points: npt.NDArray[np.float64], shapes: Polygons) -> npt.NDArray[np.float64]:
    """Points of rings that keep the right-hand rule: exteriors counterclockwise in the plane of the numbers."""
    areas = ring_areas(points, shapes.ring_offsets)
    wrong = np.where(shapes.ring_is_hole, areas > 0, areas < 0)
    if not wrong.any():
        return points
    lengths = np.diff(shapes.ring_offsets)
    place = np.arange(len(points))
    turned = np.repeat(wrong, lengths)
    # The first point stays the first; the others run the other way.
    starts = np.repeat(shapes.ring_offsets[:-1], lengths)
    around = np.repeat(shapes.ring_offsets[1:], lengths) + starts - place
    place[turned] = np.where(place == starts, place, around)[turned]
    return points[place]


def _closed(
    points: npt.NDArray[np.float64], ring_offsets: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Rings whose first point is repeated as the last, as GeoJSON has them."""
    offsets = ring_offsets + np.arange(len(ring_offsets))
    place = np.empty(int(offsets[-1]), np.int64)
    last = np.zeros(len(place), np.bool_)
    last[offsets[1:] - 1] = True
    place[~last] = np.arange(len(points))
    place[last] = ring_offsets[:-1]
    return points[place], offsets
