"""Geometries of GeoJSON, checked as RFC 7946 defines them, into rings."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.formats.notes import Report
from rapideval.formats.outlines import ring_areas

__all__ = ["Outline", "Reader", "outer_first"]

Ring = npt.NDArray[np.float64]

# How deep coordinates are nested above a position.
_LEVELS = {
    "Point": 0,
    "MultiPoint": 1,
    "LineString": 1,
    "MultiLineString": 2,
    "Polygon": 2,
    "MultiPolygon": 3,
}
TYPES = (*_LEVELS, "GeometryCollection")


class Outline(NamedTuple):
    """Rings of the polygons of one feature, an exterior before its holes."""

    rings: list[Ring]
    holes: list[bool]


class Reader:
    """Reads geometries and counts what it meets.

    Parameters
    ----------
    report
        Where what is refused and noted goes.
    lenient
        Whether to read what RFC 7946 only advises against, and to mend what can be.
    """

    def __init__(self, report: Report, lenient: bool) -> None:
        self.report = report
        self.lenient = lenient
        self.skipped: dict[str, int] = {}
        self.counts: dict[str, tuple[int, str]] = {}

    def read(self, geometry: Any, path: str, depth: int = 0) -> Outline:
        """Rings of a geometry; of points and lines none, and they are counted."""
        outline = Outline([], [])
        if not isinstance(geometry, dict):
            self._refuse("geojson-geometry", path, geometry, "a geometry object")
            return outline
        kind = geometry.get("type")
        self.check_bbox(geometry, path)
        if kind == "GeometryCollection":
            self._collection(geometry, path, depth, outline)
            return outline
        if not isinstance(kind, str) or kind not in _LEVELS:
            self._refuse("geojson-type", f"{path}.type", kind, f"one of {', '.join(TYPES)}")
            return outline
        if "coordinates" not in geometry:
            self.report.refuse("geojson-coordinates", path, "no coordinates", f"those of a {kind}")
            return outline
        coordinates = geometry["coordinates"]
        where = f"{path}.coordinates"
        if coordinates == [] and kind != "Point":
            self.skipped[f"empty {kind}"] = self.skipped.get(f"empty {kind}", 0) + 1
        elif kind == "Polygon":
            self._polygon(coordinates, where, outline)
        elif kind == "MultiPolygon":
            for i, polygon in enumerate(self._array(coordinates, where)):
                self._polygon(polygon, f"{where}[{i}]", outline)
        else:
            self.skipped[kind] = self.skipped.get(kind, 0) + 1
            self._check_skipped(coordinates, _LEVELS[kind], where, 2 if "Line" in kind else 1)
        return outline

    def check_bbox(self, thing: dict[str, Any], path: str) -> None:
        """The bbox that any GeoJSON object may have: two corners of two or three numbers each."""
        if "bbox" not in thing:
            return
        box = thing["bbox"]
        if not isinstance(box, list) or len(box) not in (4, 6) or not all(map(_is_number, box)):
            self._refuse("geojson-bbox", f"{path}.bbox", box, "4 or 6 numbers")

    def count(self, what: str, where: str) -> None:
        """Count something worth a note."""
        number, first = self.counts.get(what, (0, where))
        self.counts[what] = (number + 1, first)

    # --- parts -----------------------------------------------------------------------------------

    def _refuse(self, rule: str, where: str, found: Any, expected: str, hint: str = "") -> None:
        text = repr(found)
        self.report.refuse(rule, where, text if len(text) <= 60 else text[:57] + "...", expected, hint)

    def _array(self, value: Any, where: str) -> list[Any]:
        if isinstance(value, list):
            return value
        self._refuse("geojson-coordinates", where, value, "an array")
        return []

    def _collection(self, geometry: dict[str, Any], path: str, depth: int, outline: Outline) -> None:
        geometries = geometry.get("geometries")
        if not isinstance(geometries, list):
            found = "no geometries" if "geometries" not in geometry else repr(geometries)[:60]
            self.report.refuse("geojson-geometries", f"{path}.geometries", found, "an array of geometries")
            return
        if not self.lenient and (depth or len(geometries) == 1):
            found = "a GeometryCollection in another" if depth else "a GeometryCollection of one geometry"
            hint = "RFC 7946, section 3.1.8, advises against it; lenient=True (--lenient) reads it"
            self.report.refuse(
                "geojson-collection", path, found, "single geometries, or several in one collection", hint
            )
            return
        if depth > 16:
            self.report.refuse("geojson-collection", path, "collections nested deeper than 16", "a flat collection")
            return
        for i, part in enumerate(geometries):
            inner = self.read(part, f"{path}.geometries[{i}]", depth + 1)
            outline.rings.extend(inner.rings)
            outline.holes.extend(inner.holes)

    def _polygon(self, rings: Any, where: str, outline: Outline) -> None:
        for i, ring in enumerate(self._array(rings, where)):
            points = self._ring(ring, f"{where}[{i}]")
            if points is not None:
                outline.rings.append(points)
                outline.holes.append(i > 0)

    def _ring(self, ring: Any, where: str) -> Ring | None:
        points = self._positions(ring, where)
        if points is None:
            return None
        closed = len(points) > 1 and ring[0] == ring[-1]
        if not closed:
            if not self.lenient or len(points) < 3:
                hint = "lenient=True (--lenient) closes it" if len(points) >= 3 else ""
                found = "a ring that is not closed" if len(points) else "a ring without positions"
                self.report.refuse("geojson-ring", where, found, "its first position again as the last", hint)
                return None
            self.count("closed", where)
            return points
        if len(points) < 4:
            self.report.refuse("geojson-ring", where, f"a ring of {len(points)} positions", "4 or more")
            return None
        return points[:-1]

    def _positions(self, value: Any, where: str) -> Ring | None:
        """Positions of a ring or line, the third number of each left out."""
        if not isinstance(value, list):
            self._refuse("geojson-coordinates", where, value, "an array of positions")
            return None
        if not value:
            return np.empty((0, 2))
        if {type(position) for position in value} != {list}:
            i = next(i for i, position in enumerate(value) if not isinstance(position, list))
            self._refuse("geojson-position", f"{where}[{i}]", value[i], "a position [x, y]")
            return None
        lengths = {len(position) for position in value}
        kinds = {type(number) for position in value for number in position}
        if not lengths <= {2, 3} or not kinds <= {int, float}:
            return self._positions_one_by_one(value, where)
        if lengths == {2}:
            points = np.array(value, np.float64)
        else:
            points = np.array([position[:2] for position in value], np.float64)
            self.count("height", where)
        if not np.isfinite(points).all():
            self.report.refuse("not-finite", where, "a number beyond double precision", "finite numbers")
            return None
        return points

    def _positions_one_by_one(self, value: list[Any], where: str) -> Ring | None:
        """The slow way, that names the position, and leaves out what is beyond the third number if it may."""
        good = True
        for i, position in enumerate(value):
            numbers = all(map(_is_number, position))
            long = len(position) > 3 and numbers
            if long and self.lenient:
                self.count("height", where)
            elif not numbers or len(position) not in (2, 3):
                hint = "lenient=True (--lenient) leaves out the further numbers" if long else ""
                self._refuse("geojson-position", f"{where}[{i}]", position, "2 or 3 numbers", hint)
                good = False
        return np.array([position[:2] for position in value], np.float64) if good else None

    def _check_skipped(self, value: Any, level: int, where: str, fewest: int) -> None:
        """Geometries that are not read are GeoJSON all the same."""
        if level == 0:
            numbers = isinstance(value, list) and all(map(_is_number, value))
            if not numbers or not (len(value) in (2, 3) or (len(value) > 3 and self.lenient)):
                self._refuse("geojson-position", where, value, "2 or 3 numbers")
        elif level == 1:
            points = self._positions(value, where)
            if points is not None and 0 < len(points) < fewest:
                self.report.refuse("geojson-line", where, f"a line of {len(points)} position", "2 or more")
        else:
            for i, part in enumerate(self._array(value, where)):
                self._check_skipped(part, level - 1, f"{where}[{i}]", fewest)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def outer_first(outline: Outline) -> Outline:
    """Parts by falling size where one may lie in a hole of a later one: rings are painted in order."""
    parts: list[list[int]] = []
    for ring, hole in enumerate(outline.holes):
        if hole:
            parts[-1].append(ring)
        else:
            parts.append([ring])
    if len(parts) < 2 or not any(outline.holes):
        return outline
    low = np.array([outline.rings[part[0]].min(axis=0) for part in parts])
    high = np.array([outline.rings[part[0]].max(axis=0) for part in parts])
    holed = [place for place, part in enumerate(parts) if len(part) > 1]
    if not any(((low[:n] >= low[n]) & (high[:n] <= high[n])).all(axis=1).any() for n in holed):
        return outline
    parts.sort(key=lambda part: -abs(_area(outline.rings[part[0]])))
    order = [ring for part in parts for ring in part]
    return Outline([outline.rings[ring] for ring in order], [outline.holes[ring] for ring in order])


def _area(ring: npt.NDArray[np.float64]) -> float:
    return float(ring_areas(ring, np.array([0, len(ring)]))[0])
