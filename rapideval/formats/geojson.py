"""GeoJSON (RFC 7946): outlines with holes and of several parts, as features with properties.

A file that is written is a FeatureCollection. Each annotation is a feature whose geometry is a Polygon or MultiPolygon:
exterior rings counterclockwise and holes clockwise in the plane of the coordinates (the right-hand rule of RFC 7946,
section 3.1.6), rings closed. ``properties`` have ``label``, ``image`` and, where there are such, ``score``, ``crowd``,
``area``, ``box`` (x, y, width, height) and further fields; ``shape`` says what the annotation was: ``box``, ``mask``
or ``polygon``. A ``rapideval`` member beside the features tells images, labels and how coordinates are meant.

Coordinates are pixels, x to the right and y *down*, with the origin at the top-left corner of the top-left pixel,
unless ``transform`` (six numbers, as those of GDAL and rasterio in rasterio's order: a, b, c, d, e, f with
``longitude = a x + b y + c``, ``latitude = d x + e y + f``) makes them longitudes and latitudes of WGS 84 (EPSG:4326),
the only reference system that RFC 7946 has.

Masks become outlines along their pixel edges, exactly, and are masks again when the file is read back. Of other
tools' files, polygons are read; points and lines are counted as skipped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapideval.formats.capabilities import Capabilities
from rapideval.formats.files import Source, Writable
from rapideval.formats.jsonshape import json_shape
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]


def _sniff(source: Source) -> Guess | None:
    shape = json_shape(source)
    top = shape.get("$", set())
    if "type" not in top or "" in top:
        return None
    if re.search(rb'"type"\s*:\s*"FeatureCollection"', source.head()):
        foreign = b'"objectType"' in source.head() and "rapideval" not in top  # QuPath's, which knows more of it
        return Guess(0.9 if foreign else 1, "a JSON object of type FeatureCollection")
    if "features" in top:
        return Guess(1, "a JSON object with type and features")
    if {"geometry", "properties"} <= top:
        return Guess(1, "a JSON object with type, geometry and properties")
    if "coordinates" in top or "geometries" in top:
        return Guess(0.8, "a JSON object with type and coordinates")
    if source.suffix == ".geojson":
        return Guess(0.5, "a JSON object with type in a .geojson file")
    return None


def _read(
    source: Source,
    *,
    images: Images | None = None,
    labels: Labels | None = None,
    label_property: str | None = None,
    score_property: str | None = None,
    transform: Sequence[float] | None = None,
    lenient: bool = False,
) -> Dataset:
    """Read features.

    Parameters
    ----------
    source
        The document.
    images
        Images that features may be of; the only one where features do not say. Without them and without features that
        say it, all are of one image that has the name of the file.
    labels
        Labels that stand before those of the document.
    label_property, score_property
        Which property is the label (else ``label``, ``class``, ``category``, ``classification`` or ``name``) and the
        score (else ``score``, ``confidence``, ``conf`` or ``probability``).
    transform
        How pixels became longitudes and latitudes: undone on reading. Files written with one carry it.
    lenient
        Read also what RFC 7946 only advises against, and what is mended: rings that are not closed, holes that reach
        beyond their exterior.
    """
    from rapideval.formats import geojson_read

    return geojson_read.read(source, images, labels, label_property, score_property, transform, lenient)


def _write(
    dataset: Dataset,
    stream: Writable,
    *,
    transform: Sequence[float] | None = None,
    crs: str | None = None,
    outline_iou: float | None = None,
) -> None:
    """Write features.

    Parameters
    ----------
    dataset, stream
        What to write, and where.
    transform, crs
        How pixels become longitudes and latitudes: six numbers, and ``"EPSG:4326"``. Given for one image.
    outline_iou
        Lowest IoU of a mask and its outline, where points may be left out; exact outlines without it.
    """
    from rapideval.formats import geojson_write

    geojson_write.write(dataset, stream, transform, crs, outline_iou)


FORMATS = {
    "geojson": Format(
        name="geojson",
        title="GeoJSON: outlines as features, in pixels or longitudes and latitudes",
        suffixes=(".geojson", ".json"),
        sniff=_sniff,
        reader=_read,
        writer=_write,
        capabilities=Capabilities.all_but(
            convention="pixels, x right, y down, origin at the top-left corner of the top-left pixel; or degrees",
            specification="https://www.rfc-editor.org/rfc/rfc7946",
        ),
    ),
}
