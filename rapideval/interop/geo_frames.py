"""`geopandas.GeoDataFrame`: a row an annotation, its outline as geometry in pixels.

x runs to the right and y down, as in the image; there is no coordinate reference system. Holes and parts are kept
exactly. Source: https://geopandas.org/en/stable/docs/reference/geodataframe.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rapideval.errors import Problem
from rapideval.formats.capabilities import Losses
from rapideval.formats.outlines import from_shapely, outlines, to_shapely
from rapideval.interop.gather import GivenImages, GivenLabels
from rapideval.interop.long_tables import table_columns
from rapideval.interop.losses import losses
from rapideval.model import Annotations, Dataset, Polygons
from rapideval.model.columns import refuse

if TYPE_CHECKING:
    import geopandas

__all__ = ["from_geopandas", "to_geopandas"]


def from_geopandas(
    frame: Any,
    images: GivenImages | None = None,
    labels: GivenLabels | None = None,
    *,
    image: str = "image",
    label: str = "label",
    score: str = "score",
) -> Dataset:
    """Make a dataset of a ``GeoDataFrame``.

    Parameters
    ----------
    frame
        Its geometry are polygons, of one or more parts, in pixels. The columns ``area``, ``crowd`` and ``id`` are read
        where they are there; others are kept as further fields.
    images
        All images, also those without annotations. The name of one is that of all rows where no column names it.
    labels
        All labels, in order.
    image, label, score
        Names of the columns. A frame without the column of scores is ground truth.

    Returns
    -------
    Dataset
        With notes of rows that are no area (points, lines) and of heights (z), which are left out.

    Raises
    ------
    InputError
        For a frame with a coordinate reference system, rows without geometry, columns that are not there.

    Examples
    --------
    >>> import geopandas, shapely
    >>> ring = shapely.box(1, 1, 7, 7) - shapely.box(3, 3, 5, 5)
    >>> frame = geopandas.GeoDataFrame({"label": ["pond"]}, geometry=[ring])
    >>> data = from_geopandas(frame, "a.tif")
    >>> data[0].label, data[0].box, len(data[0].rings)
    ('pond', (1.0, 1.0, 6.0, 6.0), 2)
    """
    import shapely

    if frame.crs is not None:
        refuse("crs", "frame.crs", f"{frame.crs}", "none: coordinates in pixels",
               "turn them into pixels with the image's transform, then frame.set_crs(None, allow_override=True)"
               )  # fmt: skip
    shapes = np.asarray(frame.geometry.array, object)
    kinds = shapely.get_type_id(shapes)
    missing = np.flatnonzero((kinds < 0) | shapely.is_empty(shapes))
    if len(missing):
        row = int(missing[0])
        refuse("geometry", f"frame.geometry[{row}]", f"{shapes[row]} ({len(missing):,} such rows)", "a polygon")
    areal = np.isin(kinds, [shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON])
    notes = []
    for kind in np.unique(kinds[~areal]).tolist():
        name = shapely.GeometryType(kind).name.lower()
        notes.append(Problem("geometry-kind", "frame.geometry", f"a {name}, which is left out", "polygons",
                             severity="warning", count=int((kinds == kind).sum())))  # fmt: skip
    flat = shapes[areal]
    high = int(shapely.has_z(flat).sum())
    if high:
        notes.append(Problem("geometry-z", "frame.geometry", "a height, which is left out", count=high,
                             severity="warning"))  # fmt: skip
    table = frame.drop(columns=frame.geometry.name)[areal].reset_index(drop=True)
    read = table_columns(table, images, labels, {"image": image, "label": label, "score": score}, "frame",
                         fields=("image", "label", "score", "area", "crowd", "id"))  # fmt: skip
    polygons = from_shapely(shapely.force_2d(flat)) if len(flat) else Polygons.empty(0)
    rows = Annotations(polygons=polygons, **read.columns)
    return Dataset(read.images, read.labels, rows, notes=[*notes, *read.notes])


def to_geopandas(dataset: Dataset) -> tuple[geopandas.GeoDataFrame, Losses]:
    """Make a ``GeoDataFrame`` of a dataset.

    Returns
    -------
    frame
        Columns ``image``, ``label``, ``score`` of predictions, ``area``, ``crowd`` and ``id`` where the source gave
        them, ``geometry``: the outline, that of the mask along its pixels, else the box.
    losses
        What it cannot hold, and boxes that became rectangles.
    """
    import geopandas

    rows = dataset.annotations
    count = len(rows)
    x, y, width, height = rows.box.T
    corners = np.stack([x, y, x + width, y, x + width, y + height, x, y + height], axis=1).reshape(-1, 2)
    rectangles = Polygons(corners, np.arange(count + 1) * 4, np.arange(count + 1))
    shapes = to_shapely(rectangles)
    if rows.masks is not None:
        drawn = np.flatnonzero(rows.masks.present)
        shapes[drawn] = to_shapely(outlines(rows.masks.take(drawn)))
    if rows.polygons is not None:
        given = np.flatnonzero(rows.polygons.present)
        shapes[given] = to_shapely(rows.polygons.take(given))
    names = np.array(dataset.images.keys, object)
    label_names = np.array(dataset.labels.names, object)
    columns: dict[str, Any] = {"image": names[rows.image], "label": label_names[rows.label]}
    if rows.score is not None:
        columns["score"] = rows.score
    if "area" not in rows.derived:
        columns["area"] = rows.area
    if "crowd" not in rows.derived:
        columns["crowd"] = rows.crowd
    if rows.ids is not None:
        columns["id"] = rows.ids
    frame = geopandas.GeoDataFrame(columns, geometry=list(shapes))
    return frame, losses(dataset, "geopandas")
