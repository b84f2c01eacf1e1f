"""GeoDataFrames, against geopandas and shapely themselves."""

from __future__ import annotations

import numpy as np
import pytest

from rapideval import Annotations, Dataset, Labels
from rapideval.errors import InputError
from rapideval.interop import from_geopandas, to_geopandas

geopandas = pytest.importorskip("geopandas")
shapely = pytest.importorskip("shapely")


def shapes():
    ring = shapely.box(1, 1, 9, 9) - shapely.box(3, 3, 5, 5)
    return [ring, shapely.union_all([ring, shapely.box(20.5, 2, 22, 4)]), shapely.box(0, 0, 2, 2)]


def frame(**columns):
    given = {"image": ["a.tif", "b.tif", "a.tif"], "label": ["pond", "pond", "roof"], "score": [0.5, 0.25, 1.0]}
    return geopandas.GeoDataFrame(given | columns, geometry=shapes())


def test_holes_and_parts_come_back_exactly():
    data = from_geopandas(frame(height_m=[2, 3, None]))
    assert data.images.names == ("a.tif", "b.tif")
    assert data.annotations.extras[2] == {}
    assert data.annotations.extras[0] == {"height_m": 2.0}
    back, lost = to_geopandas(data)
    for given, made in zip(shapes(), back.geometry, strict=True):
        assert made.normalize().equals_exact(shapely.MultiPolygon(getattr(given, "geoms", [given])).normalize(), 0)
    assert back["label"].tolist() == ["pond", "pond", "roof"]
    assert back["score"].tolist() == [0.5, 0.25, 1.0]
    assert lost.counts() == {"attributes": 2, "label_order": 2}


def test_the_mask_is_its_outline_along_the_pixels(masked):
    made, lost = to_geopandas(masked)
    assert made.geometry.is_valid.all()
    assert made.geometry.area.tolist() == [masked.annotations.area[0], 18]
    assert len(made.geometry[0].geoms[0].interiors) == 1
    assert lost.counts()["masks"] == 1
    back = from_geopandas(made, masked.images, masked.labels).with_masks()
    assert back.annotations.masks == masked.with_masks().annotations.masks


def test_boxes_become_rectangles_and_it_is_said(boxes):
    made, lost = to_geopandas(boxes)
    assert np.array_equal(made.geometry.bounds.to_numpy()[0], [1.5, 2, 4.5, 6.25])
    assert lost.counts()["plain_boxes"] == 3
    back = from_geopandas(made, boxes.images, boxes.labels)
    for name in ("image", "label", "box", "score", "area", "crowd"):
        assert np.array_equal(getattr(back.annotations, name), getattr(boxes.annotations, name)), name


def test_no_rows(images):
    made, _ = to_geopandas(Dataset(images, Labels(["cat"]), Annotations.empty()))
    assert len(made) == 0
    assert len(from_geopandas(made, images, ["cat"]).images) == 3


def test_what_is_no_area_is_left_out_and_counted():
    given = geopandas.GeoDataFrame(
        {"label": ["a", "b", "c"]}, geometry=[shapely.Point(1, 1), shapely.box(0, 0, 1, 1), shapely.Point(2, 2)]
    )
    data = from_geopandas(given, "a.tif")
    assert [row.label for row in data] == ["b"]
    assert [(note.rule, note.count) for note in data.notes] == [("geometry-kind", 2)]


def test_heights_are_left_out_and_counted():
    high = shapely.force_3d(shapely.box(0, 0, 1, 1), 5)
    data = from_geopandas(geopandas.GeoDataFrame({"label": ["a"]}, geometry=[high]), "a.tif")
    assert [note.rule for note in data.notes] == ["geometry-z"]
    assert data[0].box == (0, 0, 1, 1)


def test_what_is_wrong_is_said_with_its_place():
    with pytest.raises(InputError, match=r"frame\.crs: found EPSG:4326"):
        from_geopandas(frame().set_crs(4326))
    with pytest.raises(InputError, match=r"frame\.geometry\[1\]"):
        from_geopandas(geopandas.GeoDataFrame({"label": ["a", "b"]}, geometry=[shapes()[0], None]), "a.tif")
    with pytest.raises(InputError, match="'image'"):
        from_geopandas(frame().drop(columns="image"))
    with pytest.raises(InputError, match="'kind'"):
        from_geopandas(frame(), label="kind")
    with pytest.raises(InputError, match=r"frame\['label'\]\[2\].*'roof'"):
        from_geopandas(frame(), labels=["pond"])
    with pytest.raises(InputError, match=r"frame\['score'\]\[1\]"):
        from_geopandas(frame(score=[1, None, 0.5]))
