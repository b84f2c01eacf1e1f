"""Outlines of masks: rasterising them gives the mask back; shapely and scikit-image judge what they are."""

import itertools

import numpy as np
import pytest
from helpers.masks import columns, from_dense, split, stacks
from hypothesis import example, given
from hypothesis import strategies as st
from shapely.geometry import Polygon
from skimage.measure import label

from rapideval import _core

CONNECTIVITIES = pytest.mark.parametrize("connectivity", [4, 8])


def outlines(stack, connectivity=4, threads=0):
    return _core.rle_outlines(*from_dense(stack), connectivity, threads)


def rings_of(stack, connectivity=4):
    """For each mask a list of (points, is_hole)."""
    points, ring_offsets, row_offsets, holes = outlines(stack, connectivity)
    rings = [points[a:b].astype(int).tolist() for a, b in itertools.pairwise(ring_offsets)]
    pairs = list(zip(rings, holes.tolist(), strict=True))
    return [pairs[a:b] for a, b in itertools.pairwise(row_offsets)]


def drawing(*lines):
    return np.array([[character == "#" for character in line] for line in lines], np.uint8)[None]


def doubled_area(ring):
    x, y = np.asarray(ring, np.int64).T
    return int(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))


NESTED = drawing(
    "#########",
    "#.......#",
    "#.#####.#",
    "#.#...#.#",
    "#.#.#.#.#",
    "#.#...#.#",
    "#.#####.#",
    "#.......#",
    "#########",
)


@CONNECTIVITIES
@given(stack=stacks(max_masks=3, max_side=14))
@example(stack=NESTED)
@example(stack=drawing("###", "#.#", "##."))
@example(stack=drawing(".#.", "#.#", ".#."))
@example(stack=drawing("#.#", ".#.", "#.#"))
@example(stack=drawing("####", "#.##", "##.#", "####"))
def test_rasterised_again_the_mask_comes_back(connectivity, stack):
    masks = from_dense(stack)
    again = _core.rle_from_polygons(*_core.rle_outlines(*masks, connectivity), masks[2])
    assert split(*again) == split(*masks[:2])


@CONNECTIVITIES
@pytest.mark.parametrize("density", [0.05, 0.4, 0.6, 0.95])
def test_noise_comes_back(connectivity, density):
    rng = np.random.default_rng(int(density * 100))
    stack = (rng.random((3, 90, 110)) < density).astype(np.uint8)
    masks = from_dense(stack)
    again = _core.rle_from_polygons(*_core.rle_outlines(*masks, connectivity), masks[2])
    assert split(*again) == split(*masks[:2])


@CONNECTIVITIES
@given(stack=stacks(max_masks=2, max_side=9))
def test_rings_are_what_they_say(connectivity, stack):
    for mask, rings in zip(stack, rings_of(stack, connectivity), strict=True):
        objects = label(mask, connectivity=1 if connectivity == 4 else 2).max()
        assert sum(not hole for _, hole in rings) == objects
        assert sum(doubled_area(ring) for ring, _ in rings) == 2 * mask.sum()
        for ring, hole in rings:
            assert (doubled_area(ring) < 0) == hole  # with y down, clockwise is positive
            assert ring[0] == min(ring)
            steps = np.diff([*ring, ring[0], ring[1]], axis=0) != 0
            assert (steps.sum(axis=1) == 1).all()
            assert (steps[1:] != steps[:-1]).all()  # a turn at every point
        firsts = [ring[0] for ring, hole in rings if not hole]
        assert firsts == sorted(firsts)


@given(stack=stacks(max_masks=2, max_side=9))
@example(stack=drawing("###", "#.#", "##."))
@example(stack=drawing("####", "#.##", "##.#", "####"))
@example(stack=NESTED)
def test_of_4_connected_objects_each_exterior_with_its_holes_is_a_valid_polygon(stack):
    for mask, rings in zip(stack, rings_of(stack), strict=True):
        polygons = []
        for ring, hole in rings:
            assert len({tuple(point) for point in ring}) == len(ring)
            if hole:
                polygons[-1][1].append(ring)
            else:
                polygons.append((ring, []))
        shapes = [Polygon(shell, holes) for shell, holes in polygons]
        assert all(shape.is_valid for shape in shapes)
        areas = np.bincount(label(mask, connectivity=1).ravel())[1:]
        assert sorted(shape.area for shape in shapes) == sorted(areas)


def test_a_square_and_its_hole():
    square, hole = rings_of(drawing("....", ".###", ".#.#", ".###"))[0]
    assert square == ([[1, 1], [4, 1], [4, 4], [1, 4]], False)
    assert hole == ([[2, 2], [2, 3], [3, 3], [3, 2]], True)


def test_pixels_that_touch_at_a_corner_are_two_or_one():
    apart = rings_of(drawing("#.", ".#"), 4)[0]
    assert [ring for ring, _ in apart] == [[[0, 0], [1, 0], [1, 1], [0, 1]], [[1, 1], [2, 1], [2, 2], [1, 2]]]
    together = rings_of(drawing("#.", ".#"), 8)[0]
    assert together == [([[0, 0], [1, 0], [1, 1], [2, 1], [2, 2], [1, 2], [1, 1], [0, 1]], False)]


def test_an_island_comes_after_the_hole_it_lies_in():
    kinds = [(ring[0], hole) for ring, hole in rings_of(NESTED)[0]]
    assert kinds == [([0, 0], False), ([1, 1], True), ([2, 2], False), ([3, 3], True), ([4, 4], False)]


def test_empty_masks_have_no_rings_and_whole_images_one():
    assert rings_of(np.zeros((2, 3, 4), np.uint8)) == [[], []]
    assert rings_of(np.ones((1, 3, 4), np.uint8)) == [[([[0, 0], [4, 0], [4, 3], [0, 3]], False)]]
    points, ring_offsets, row_offsets, holes = _core.rle_outlines(*columns([], []))
    assert points.shape == (0, 2)
    assert (ring_offsets.tolist(), row_offsets.tolist(), holes.tolist()) == ([0], [0], [])
    assert holes.dtype == np.bool_
    points, *_ = _core.rle_outlines(*columns([[0], []], [(0, 5), (0, 0)]))
    assert points.shape == (0, 2)


@CONNECTIVITIES
def test_empty_runs_change_nothing(connectivity):
    masks = columns([[2, 1, 0, 2, 0, 0, 5], [3, 0, 0, 3, 4]], [(5, 2)] * 2)
    plain = columns([[2, 3, 5], [3, 3, 4]], [(5, 2)] * 2)
    for ours, expected in zip(
        _core.rle_outlines(*masks, connectivity), _core.rle_outlines(*plain, connectivity), strict=True
    ):
        assert np.array_equal(ours, expected)


def test_huge_runs_cost_nothing():
    largest = 2**32 - 1
    masks = columns(
        [[0, largest], [0, largest], [7, largest - 14, 7], [1, 2, 65537, 4, largest - 65544]],
        [(1, largest), (largest, 1), (65535, 65537), (65537, 65535)],
    )
    points, ring_offsets, row_offsets, _ = _core.rle_outlines(*masks)
    rings = [points[a:b].tolist() for a, b in itertools.pairwise(ring_offsets)]
    assert rings[0] == [[0, 0], [largest, 0], [largest, 1], [0, 1]]
    assert rings[1] == [[0, 0], [1, 0], [1, largest], [0, largest]]
    assert rings[2] == [[0, 7], [1, 7], [1, 0], [65537, 0], [65537, 65528], [65536, 65528], [65536, 65535], [0, 65535]]
    assert row_offsets.tolist() == [0, 1, 2, 3, 5]


def test_any_number_of_threads_gives_the_same_rings():
    stack = (np.random.default_rng(6).random((300, 12, 13)) < 0.5).astype(np.uint8)
    alone = outlines(stack, 4, 1)
    for array, expected in zip(outlines(stack, 4, 3), alone, strict=True):
        assert array.tobytes() == expected.tobytes()


@given(st.integers().filter(lambda n: n not in (4, 8) and abs(n) < 2**31))
def test_other_connectivities_are_refused(connectivity):
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_outlines(*columns([[4]], [(2, 2)]), connectivity)
    assert caught.value.rule == "outline-connectivity"
