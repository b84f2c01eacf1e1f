"""Unions, intersections, differences and windows of masks: pycocotools and plain NumPy are the oracles."""

import itertools

import numpy as np
import pytest
from helpers.masks import coco_of, columns, from_dense, runs_of, split, stacks
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from rapideval import _core

OPERATIONS = {
    "union": np.any,
    "intersection": np.all,
    "difference": lambda group, axis: group[0] & ~np.any(group[1:], axis=axis),
}


def combine(masks, groups, op, threads=0):
    return split(*_core.rle_combine(*masks, np.array(groups, np.int64), op, threads))


@given(stacks(max_masks=8), st.data())
def test_groups_combine_as_their_pixels_do(stack, data):
    cuts = data.draw(st.sets(st.integers(1, len(stack) - 1))) if len(stack) > 1 else set()
    groups = [0, *sorted(cuts), len(stack)]
    parts = [stack[a:b].astype(bool) for a, b in itertools.pairwise(groups)]
    for op, pixels in OPERATIONS.items():
        assert combine(from_dense(stack), groups, op) == [runs_of(pixels(part, axis=0)) for part in parts]


@given(stacks(max_masks=6))
def test_unions_and_intersections_equal_pycocotools(stack):
    for op, intersect in (("union", False), ("intersection", True)):
        counts, offsets = _core.rle_combine(*from_dense(stack), np.array([0, len(stack)]), op)
        assert _core.rle_to_strings(counts, offsets)[0] == coco.merge(coco_of(stack), intersect)["counts"]


@given(stacks(max_masks=3, max_side=6), st.randoms())
def test_empty_runs_change_nothing(stack, random):
    rows = []
    for mask in stack:
        padded = []
        for run in runs_of(mask):
            cut = random.randint(0, run)
            padded += [cut, 0, run - cut]
        rows.append(padded)
    masks = columns(rows, [stack.shape[1:]] * len(stack))
    for op in OPERATIONS:
        groups = [0, len(stack)]
        assert combine(masks, groups, op) == combine(from_dense(stack), groups, op)


def test_a_thousand_masks_are_united_and_taken_away():
    stack = np.random.default_rng(4).random((1000, 20, 31)) < 0.003
    for op, pixels in OPERATIONS.items():
        assert combine(from_dense(stack), [0, 1000], op) == [runs_of(pixels(stack, axis=0))]


def test_any_number_of_threads_gives_the_same_masks():
    stack = np.random.default_rng(5).random((600, 9, 8)) < 0.4
    groups = np.arange(0, 601, 3)
    masks = from_dense(stack)
    for op in OPERATIONS:
        assert combine(masks, groups, op, 3) == combine(masks, groups, op, 1)
    windows = np.tile([1, 2, 5, 4], (600, 1))
    alone = split(*_core.rle_crop(*masks, windows, 1))
    assert split(*_core.rle_crop(*masks, windows, 3)) == alone


@pytest.mark.parametrize(
    ("groups", "op", "rule"),
    [
        ([0, 1], "union", "rle-groups"),
        ([0, 2, 1, 3], "union", "rle-groups"),
        ([0, 1, 1, 3], "union", "rle-groups"),
        ([], "union", "rle-groups"),
        ([0, 3], "union", "mask-size"),
        ([0, 2, 3], "symmetric", "mask-operation"),
    ],
)
def test_groups_that_cannot_be_combined_are_refused(groups, op, rule):
    masks = columns([[4], [1, 3], [5]], [(2, 2), (2, 2), (5, 1)])
    with pytest.raises(_core.CoreError) as caught:
        combine(masks, groups, op)
    assert caught.value.rule == rule


@given(stacks(max_masks=3), st.data())
def test_windows_equal_the_pixels_under_them(stack, data):
    _, height, width = stack.shape
    place = st.tuples(st.integers(-4, width + 3), st.integers(-4, height + 3), st.integers(0, 15), st.integers(0, 15))
    windows = np.array(data.draw(st.lists(place, min_size=len(stack), max_size=len(stack))), np.int64)
    found = split(*_core.rle_crop(*from_dense(stack), windows))
    for mask, (x, y, w, h), runs in zip(stack, windows, found, strict=True):
        canvas = np.zeros((height + 40, width + 40), np.uint8)
        canvas[20 : 20 + height, 20 : 20 + width] = mask
        assert runs == runs_of(canvas[20 + y : 20 + y + h, 20 + x : 20 + x + w])


def test_windows_far_outside_are_background_and_huge_runs_are_cut_at_once():
    masks = columns([[0, 2**32 - 1]] * 4, [(1, 2**32 - 1)] * 4)
    windows = np.array([[2**62, 0, 2, 2], [-(2**63), -(2**63), 2, 2], [5, 0, 2**32 - 6, 1], [2**32 - 3, -1, 3, 2]])
    found = split(*_core.rle_crop(*masks, windows))
    assert found == [[4], [4], [0, 2**32 - 6], [1, 1, 1, 1, 2]]


@pytest.mark.parametrize(
    ("window", "rule"),
    [
        ((0, 0, -1, 2), "crop-window"),
        ((0, 0, 2, -(2**63)), "crop-window"),
        ((0, 0, 2**40, 1), "crop-window"),
        ((0, 0, 2**16, 2**16), "mask-size"),
    ],
)
def test_windows_that_are_none_are_refused(window, rule):
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_crop(*columns([[4], [4]], [(2, 2)] * 2), np.array([(0, 0, 1, 1), window]))
    assert (caught.value.rule, caught.value.row) == (rule, 1)
