"""GeoJSON that is written: RFC 7946's rules, masks that come back, degrees, simplified outlines."""

import io
import json

import numpy as np
import pytest
import shapely
from helpers.written import assert_same, datasets, mask_of, small, written
from hypothesis import given, settings
from hypothesis import strategies as st

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons, formats
from rapideval.errors import UsageError
from rapideval.formats.outlines import outlines

ISLANDS = np.array(
    [
        [1, 1, 1, 1, 1, 1, 1, 0],
        [1, 0, 0, 0, 0, 0, 1, 0],
        [1, 0, 1, 1, 1, 0, 1, 0],
        [1, 0, 1, 0, 1, 0, 1, 0],
        [1, 0, 1, 1, 1, 0, 1, 0],
        [1, 0, 0, 0, 0, 0, 1, 1],
        [1, 1, 1, 1, 1, 1, 1, 0],
        [0, 0, 0, 0, 0, 0, 0, 1],
    ],
    bool,
)
CORNERS = np.array([[1, 0, 1, 1], [0, 1, 0, 1], [1, 1, 1, 1], [1, 0, 0, 1]], bool)


def one(mask, **columns):
    masks = mask_of(np.asarray(mask, bool))
    return Dataset(Images(["a.jpg"], sizes=[mask.shape]), Labels(["x"]), Annotations([0], [0], masks=masks, **columns))


def document(data, **options):
    return json.loads(written(data, "geojson", **options)[0])


def geometry(data, **options):
    return document(data, **options)["features"][0]["geometry"]


def test_exteriors_run_counterclockwise_and_holes_clockwise_in_the_plane_of_the_numbers():
    for mask in (ISLANDS, CORNERS):
        shape = shapely.geometry.shape(geometry(one(mask)))
        assert shape.is_valid
        assert shape.area == mask.sum()
        for part in shape.geoms:
            assert part.exterior.is_ccw
            assert not any(hole.is_ccw for hole in part.interiors)


def test_rings_are_closed_and_parts_are_polygons():
    shape = geometry(one(ISLANDS))
    assert shape["type"] == "MultiPolygon"
    assert len(shape["coordinates"]) == 3
    for polygon in shape["coordinates"]:
        for ring in polygon:
            assert ring[0] == ring[-1]
            assert len(ring) >= 4
    assert geometry(one(np.ones((2, 3)))) == {
        "type": "Polygon",
        "coordinates": [[[0, 0], [3, 0], [3, 2], [0, 2], [0, 0]]],
    }


def test_the_file_says_that_y_points_down():
    member = document(small())["rapideval"]
    assert member["coordinates"] == "pixels, x right, y down, origin at the top-left corner of the top-left pixel"
    assert "crs" not in document(small())


def test_a_file_of_many_images_is_recognised_though_its_features_begin_late():
    data = Dataset(Images(f"{i:04}.jpg" for i in range(2000)), Labels(["x"]), Annotations([7], [0], [[0, 0, 2, 2]]))
    assert formats.read(written(data, "geojson")[0]).annotations.image.tolist() == [7]


def test_properties_carry_what_the_annotation_has():
    first = document(small(scored=False))["features"][0]
    assert first["id"] == 5
    assert first["properties"] == {
        "label": "dog", "image": "a.jpg", "crowd": True, "box": [2, 1, 3, 2], "shape": "mask", "color": "red",
        "keypoints": [1, 2, 2],
    }  # fmt: skip


@pytest.mark.parametrize("scored", [False, True])
def test_a_dataset_reads_back_as_it_was(scored):
    data = small(scored)
    text, lost = written(data, "geojson")
    assert not lost
    back = formats.read(text)
    assert_same(data, back)
    assert back.info == data.info
    assert back.images.ids.tolist() == data.images.ids.tolist()
    assert back.labels.supercategories == data.labels.supercategories
    assert [back.annotations.extras[i] for i in range(3)] == [data.annotations.extras[i] for i in range(3)]
    assert written(back, "geojson")[0] == text


@settings(max_examples=60, deadline=None)
@given(datasets(kinds=("box", "mask")))
def test_any_dataset_of_boxes_and_masks_reads_back_as_it_was(data):
    text, lost = written(data, "geojson")
    back = formats.read(text)
    assert_same(data, back)
    assert not lost


pixels = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: st.lists(st.booleans(), min_size=size[0] * size[1], max_size=size[0] * size[1]).map(
        lambda bits: np.array(bits, bool).reshape(size)
    )
)


@settings(max_examples=300, deadline=None)
@given(pixels)
def test_a_mask_written_read_and_rasterised_is_the_mask(mask):
    data = one(mask)
    text, _ = written(data, "geojson")
    np.testing.assert_array_equal(formats.read(text)[0].mask, mask)
    if mask.any():
        shape = shapely.geometry.shape(json.loads(text)["features"][0]["geometry"])
        assert shape.is_valid, shapely.is_valid_reason(shape)
        assert shape.area == mask.sum()


@pytest.mark.parametrize("mask", [ISLANDS, CORNERS, ~ISLANDS, np.zeros((3, 3)), np.eye(5), 1 - np.eye(6)])
def test_holes_islands_and_touching_corners_come_back(mask):
    np.testing.assert_array_equal(formats.read(written(one(mask), "geojson")[0])[0].mask, np.asarray(mask, bool))


def test_outlines_turned_the_other_way_are_turned_round():
    ring = [[0, 0, 0, 5, 5, 5, 5, 0]]
    data = Dataset(Images(["a"]), Labels(["x"]), Annotations([0], [0], polygons=Polygons.from_rings([ring])))
    assert geometry(data)["coordinates"] == [[[0, 0], [5, 0], [5, 5], [0, 5], [0, 0]]]


def test_fields_whose_names_have_a_meaning_are_kept_apart():
    from rapideval.model import Extras

    extras = Extras.from_dicts([{"label": "other", "depth": 2}])
    data = one(np.ones((2, 2)), extras=extras)
    properties = document(data)["features"][0]["properties"]
    assert properties["label"] == "x"
    assert properties["extras"] == {"label": "other"}
    assert formats.read(written(data, "geojson")[0]).annotations.extras[0] == {"depth": 2, "label": "other"}


# --- longitudes and latitudes ------------------------------------------------------------------------

NORTH_UP = [1e-5, 0, 13.4, 0, -1e-5, 52.5]


def test_degrees_keep_the_right_hand_rule_and_come_back_as_pixels():
    data = one(ISLANDS)
    text, _ = written(data, "geojson", transform=NORTH_UP, crs="EPSG:4326")
    shape = shapely.geometry.shape(json.loads(text)["features"][0]["geometry"])
    assert shape.bounds == pytest.approx((13.4, 52.5 - 8e-5, 13.4 + 8e-5, 52.5))
    assert all(part.exterior.is_ccw and not any(hole.is_ccw for hole in part.interiors) for part in shape.geoms)
    assert json.loads(text)["rapideval"]["coordinates"] == "longitude and latitude of WGS 84 (EPSG:4326)"
    np.testing.assert_array_equal(formats.read(text)[0].mask, ISLANDS)


def test_a_transform_needs_its_reference_system_and_one_image():
    data = one(ISLANDS)
    for options, message in (
        ({"transform": NORTH_UP}, "RFC 7946 has longitudes and latitudes of WGS 84 only"),
        ({"transform": NORTH_UP, "crs": "EPSG:32616"}, "a transform to EPSG:32616"),
        ({"crs": "EPSG:4326"}, "without a transform"),
        ({"transform": [1, 0, 0, 0, 0, 0], "crs": "EPSG:4326"}, "maps an area to a line"),
        ({"transform": [1, 0], "crs": "EPSG:4326"}, "a transform of 2 numbers"),
        ({"transform": [1, 0, 736301, 0, -1, 3722760], "crs": "EPSG:4326"}, "is it one to EPSG:4326"),
    ):
        with pytest.raises(UsageError, match=message):
            formats.write(data, io.BytesIO(), "geojson", **options)
    two = Dataset(Images(["a", "b"]), Labels(["x"]), Annotations([0, 1], [0, 0], [[0, 0, 1, 1]] * 2))
    with pytest.raises(UsageError, match="several images"):
        formats.write(two, io.BytesIO(), "geojson", transform=NORTH_UP, crs="EPSG:4326")


# --- simplified outlines -----------------------------------------------------------------------------


def disc(radius):
    y, x = np.mgrid[: 2 * radius + 3, : 2 * radius + 3] - radius - 1
    return x * x + y * y <= radius * radius


def iou(a, b):
    return (a & b).sum() / (a | b).sum()


@pytest.mark.parametrize("floor", [0.8, 0.95, 0.98, 0.999])
def test_outlines_lose_points_and_keep_the_floor(floor):
    mask = disc(40) & ~np.pad(disc(15), 25)
    exact, coarse = geometry(one(mask)), geometry(one(mask), outline_iou=floor)
    back = formats.read(written(one(mask), "geojson", outline_iou=floor)[0])[0].mask
    assert iou(back, mask) >= floor
    assert shapely.geometry.shape(coarse).is_valid
    assert str(coarse).count(",") < str(exact).count(",")


@settings(max_examples=60, deadline=None)
@given(st.lists(pixels, min_size=1, max_size=4), st.floats(0.3, 1))
def test_no_outline_falls_below_the_floor(masks, floor):
    columns = Masks.concat([mask_of(mask) for mask in masks])
    drawn = outlines(columns, floor)
    for row, mask in enumerate(masks):
        shape = drawn.take(np.array([row])).rasterise([mask.shape])
        if mask.any():
            assert iou(shape.dense(0), mask) >= floor
        else:
            assert not drawn.present[row]


def test_a_floor_outside_0_to_1_is_wrong_usage():
    for floor in (0, -1, 1.5):
        with pytest.raises(UsageError, match="above 0 and at most 1"):
            formats.write(one(ISLANDS), io.BytesIO(), "geojson", outline_iou=floor)
