"""Outlines of masks: the same areas as tracing pixel by pixel, valid, and to shapely and back."""

import numpy as np
import shapely
from helpers.plain_outlines import plain_outlines
from helpers.written import mask_of
from hypothesis import given, settings
from hypothesis import strategies as st

from rapideval import Masks, Polygons
from rapideval.formats.outlines import from_shapely, outlines, ring_areas, to_shapely

pixels = st.tuples(st.integers(1, 10), st.integers(1, 10)).flatmap(
    lambda size: st.lists(st.booleans(), min_size=size[0] * size[1], max_size=size[0] * size[1]).map(
        lambda bits: np.array(bits, bool).reshape(size)
    )
)


@settings(max_examples=100, deadline=None)
@given(st.lists(pixels, min_size=1, max_size=4))
def test_outlines_cover_what_tracing_pixel_by_pixel_covers(masks):
    columns = Masks.concat([mask_of(mask) for mask in masks])
    drawn = to_shapely(outlines(columns))
    plain = shapely.make_valid(to_shapely(Polygons(*plain_outlines(columns))))
    assert shapely.is_valid(drawn).all()
    assert shapely.equals(drawn, plain).all()
    np.testing.assert_array_equal(shapely.area(drawn), columns.area)


@settings(max_examples=60, deadline=None)
@given(st.lists(pixels, min_size=1, max_size=4))
def test_outlines_go_to_shapely_and_back(masks):
    drawn = outlines(Masks.concat([mask_of(mask) for mask in masks]))
    back = from_shapely(to_shapely(drawn))
    np.testing.assert_array_equal(back.coordinates, drawn.coordinates)
    np.testing.assert_array_equal(back.ring_offsets, drawn.ring_offsets)
    np.testing.assert_array_equal(back.row_offsets, drawn.row_offsets)
    np.testing.assert_array_equal(back.ring_is_hole, drawn.ring_is_hole)


def test_polygons_and_multipolygons_come_from_shapely_alike():
    square = shapely.box(0, 0, 2, 2)
    polygons = from_shapely([square, shapely.MultiPolygon([square, shapely.box(5, 5, 6, 6)]), shapely.Polygon()])
    assert np.diff(polygons.row_offsets).tolist() == [1, 2, 0]


def test_areas_of_rings_have_the_sign_of_their_turn_also_far_from_the_origin():
    ring = np.array([[0.0, 0], [3, 0], [3, 2], [0, 2]]) + 736_687.5
    points = np.concatenate([ring, ring[::-1], np.empty((0, 2))])
    assert ring_areas(points, np.array([0, 4, 8, 8])).tolist() == [6, -6, 0]


def test_rows_without_a_mask_have_no_ring():
    masks = Masks.concat([Masks.empty(1), Masks.from_dense(np.zeros((3, 3), bool)), mask_of(np.eye(2))])
    drawn = outlines(masks)
    assert drawn.present.tolist() == [False, False, True]
    assert outlines(masks, 0.9).present.tolist() == [False, False, True]
