"""Polygons to masks: pycocotools is the oracle, to the last bit."""

import itertools

import numpy as np
import pytest
from helpers.masks import split
from hypothesis import example, given
from hypothesis import strategies as st
from pycocotools import _mask, mask

from rapideval import _core

side = st.integers(1, 40)
coordinate = st.one_of(
    st.integers(-3, 43).map(float),
    st.integers(-30, 430).map(lambda n: n / 10),
    st.integers(-20, 220).map(lambda n: n / 5),
    st.floats(-60, 100),
    st.sampled_from([-3000.0, 2000.3, -0.0, 0.1, 0.3, 0.4999999999999999, 0.49999999999999994]),
)
point = st.tuples(coordinate, coordinate)
rings = st.lists(st.lists(point, min_size=3, max_size=9), min_size=1, max_size=4)


def polygon_arrays(rows, holes=None):
    """Coordinates, ring offsets, row offsets and hole flags of rows of rings."""
    flat = [np.asarray(ring, np.float64).reshape(-1, 2) for row in rows for ring in row]
    points = np.concatenate(flat) if flat else np.empty((0, 2))
    ring_offsets = np.cumsum([0, *map(len, flat)])
    row_offsets = np.cumsum([0, *map(len, rows)])
    flags = np.zeros(len(flat), np.bool_) if holes is None else np.array(holes, np.bool_)
    return points, ring_offsets, row_offsets, flags


def rasterise(rows, sizes, holes=None, threads=0):
    sizes = np.array(sizes, np.uint32).reshape(-1, 2)
    counts, offsets = _core.rle_from_polygons(*polygon_arrays(rows, holes), sizes, threads)
    return split(counts, offsets)


def coco_strings(rows, sizes):
    found = []
    for row, (height, width) in zip(rows, sizes, strict=True):
        parts = _mask.frPoly([np.asarray(ring, np.float64).ravel() for ring in row], height, width)
        found.append(mask.merge(parts)["counts"])
    return found


def strings(rows):
    counts = np.array([run for row in rows for run in row], np.uint32)
    offsets = np.cumsum([0, *map(len, rows)])
    text, ends = _core.rle_to_strings(counts, offsets)
    return [text[a:b] for a, b in itertools.pairwise(ends)]


def check_equal(rows, sizes):
    assert strings(rasterise(rows, sizes)) == coco_strings(rows, sizes)


@given(rings, side, side)
@example([[(0, 0), (0, 0), (0, 0)]], 5, 5)
@example([[(-5, -5), (-5, -5), (60, -5), (60, 60), (-5, 60)]], 5, 5)
@example([[(0, 0), (10, 0), (10, 10), (0, 10)]] * 2, 10, 10)
@example([[(3, 10.2), (3, 9.8), (5, 10.4), (9, 9.9), (9, 12)]], 10, 10)
@example([[(2, 2), (2, 8), (2, 2), (6, 2), (6, 8)]], 10, 10)
@example([[(-0.3, 2), (-1.7, 9), (-1.7, 9), (8, 4), (-2.2, -7.1)]], 12, 12)
def test_polygons_equal_pycocotools(row, height, width):
    check_equal([row], [(height, width)])


@pytest.mark.parametrize("seed", range(6))
def test_many_random_polygons_equal_pycocotools(seed):
    rng = np.random.default_rng(seed)
    rows, sizes = [], []
    for _ in range((150, 60, 25)[seed % 3]):
        height, width = rng.integers(1, (60, 400, 3)[seed % 3], 2)
        center = rng.uniform(-10, [[width + 10, height + 10]] * 3)
        count = rng.integers(1, 4)
        row = []
        for part in range(count):
            points = rng.integers(3, (6, 40, 400)[seed % 3])
            spread = rng.choice([0.5, 5, 50, 500])
            ring = center[part] + rng.normal(0, spread, (points, 2))
            row.append(np.round(ring, rng.integers(0, 4)) if rng.random() < 0.7 else ring)
        rows.append(row)
        sizes.append((int(height), int(width)))
    check_equal(rows, sizes)


@pytest.mark.parametrize("seed", range(4))
def test_long_steep_and_flat_edges_equal_pycocotools(seed):
    # So long that rounding moves a crossing by many steps.
    rng = np.random.default_rng(seed)
    tall = np.column_stack([rng.uniform(0, 30, 8), rng.uniform(-3e4, 3e4, 8)])
    rows = [[tall], [tall[:, ::-1]], [np.column_stack([rng.uniform(-1, 40, 6), rng.choice([-2e5, 2e5], 6)])]]
    check_equal(rows, [(20, 30)] * 3)


def test_boxes_equal_pycocotools():
    rng = np.random.default_rng(1)
    boxes = np.concatenate([rng.uniform(-20, 60, (300, 4)), rng.integers(-5, 40, (300, 4))])
    rows = []
    for x, y, w, h in boxes:
        rows.append([[(x, y), (x, y + h), (x + w, y + h), (x + w, y)]])
    expected = [found["counts"] for found in _mask.frBbox(boxes, 33, 41)]
    assert strings(rasterise(rows, [(33, 41)] * len(rows))) == expected


def test_pixel_edges_are_exact():
    assert rasterise([[[(1, 2), (3, 2), (3, 5), (1, 5)]]], [(6, 4)]) == [[8, 3, 3, 3, 7]]


@given(rings, st.data(), st.integers(1, 15), st.integers(1, 15))
def test_rings_are_painted_in_order_and_holes_clear(row, data, height, width):
    holes = data.draw(st.lists(st.booleans(), min_size=len(row), max_size=len(row)))
    canvas = np.zeros((height, width), np.uint8)
    for ring, hole in zip(row, holes, strict=True):
        part = _mask.frPoly([np.asarray(ring, np.float64).ravel()], height, width)[0]
        canvas[mask.decode(part) == 1] = not hole
    (runs,) = rasterise([row], [(height, width)], holes)
    assert (
        _core.rle_to_strings(np.array(runs, np.uint32), np.array([0, len(runs)]))[0]
        == (mask.encode(np.asfortranarray(canvas))["counts"])
    )


def test_hundreds_of_rings_are_painted_in_order():
    rng = np.random.default_rng(2)
    corners = rng.integers(0, 90, (400, 2))
    sizes = rng.integers(1, 30, (400, 2))
    holes = rng.random(400) < 0.5
    row, canvas = [], np.zeros((100, 100), np.uint8)
    for (x, y), (w, h), hole in zip(corners, sizes, holes, strict=True):
        row.append([(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
        canvas[y : y + h, x : x + w] = not hole
    (runs,) = rasterise([row], [(100, 100)], holes)
    assert runs == split(*_core.rle_from_dense(canvas[None]))[0]


def test_a_row_without_rings_is_an_empty_mask_and_an_empty_image_stays_empty():
    triangle = [(0, 0), (4, 0), (4, 4)]
    assert rasterise([[], [triangle], []], [(3, 4), (0, 7), (0, 0)]) == [[12], [0], [0]]
    assert rasterise([[triangle]], [(4, 0)]) == [[0]]
    assert rasterise([], []) == []


def test_any_number_of_threads_gives_the_same_masks():
    rng = np.random.default_rng(3)
    rows = [[rng.uniform(0, 50, (7, 2))] for _ in range(500)]
    alone = rasterise(rows, [(50, 50)] * 500, threads=1)
    assert rasterise(rows, [(50, 50)] * 500, threads=3) == alone


@pytest.mark.parametrize(
    ("ring", "rule"),
    [
        ([(0, 0), (1, 1)], "polygon-points"),
        ([], "polygon-points"),
        ([(0, 0), (np.nan, 1), (1, 1)], "polygon-finite"),
        ([(0, 0), (1, -np.inf), (1, 1)], "polygon-finite"),
        ([(0, 0), (1e300, 1), (1, 1)], "polygon-range"),
        ([(0, 0), (1, -2.1e8), (1, 1)], "polygon-range"),
    ],
)
def test_rings_that_are_none_are_refused(ring, rule):
    good = [(0, 0), (4, 0), (4, 4)]
    with pytest.raises(_core.CoreError) as caught:
        rasterise([[good], [good, ring]], [(4, 4)] * 2)
    assert (caught.value.rule, caught.value.row) == (rule, 1)
    assert caught.value.found
    assert caught.value.expected


def test_an_image_or_an_outline_beyond_all_measure_is_refused_at_once():
    triangle = [(0, 0), (4, 0), (4, 4)]
    with pytest.raises(_core.CoreError) as caught:
        rasterise([[triangle]], [(2**31, 2**31)])
    assert (caught.value.rule, caught.value.row) == ("mask-size", 0)
    zigzag = [(x, y) for y in range(2) for x in (0, 1e8)]
    with pytest.raises(_core.CoreError) as caught:
        rasterise([[zigzag]], [(2, 2**31 - 1)])
    assert caught.value.rule == "polygon-length"
    # Far outside the image costs nothing.
    assert rasterise([[[(-1e8, -1e8), (1e8, -1e8), (1e8, 1e8), (-1e8, 1e8)]]], [(3, 4)]) == [[0, 12]]


def test_offsets_that_do_not_fit_are_refused():
    points, ring_offsets, row_offsets, holes = polygon_arrays([[[(0, 0), (4, 0), (4, 4)]]])
    sizes = np.array([[4, 4]], np.uint32)
    for bad in (
        (points, ring_offsets + 1, row_offsets, holes, sizes),
        (points, ring_offsets, np.array([0, 2]), holes, sizes),
        (points, np.array([0, 5, 3]), np.array([0, 2]), holes, sizes),
        (points, ring_offsets, row_offsets, holes[:0], sizes),
        (points, ring_offsets, row_offsets, holes, sizes[:0]),
        (points, ring_offsets[:0], row_offsets, holes, sizes),
    ):
        with pytest.raises(_core.CoreError) as caught:
            _core.rle_from_polygons(*bad)
        assert caught.value.rule == "polygon-offsets"
