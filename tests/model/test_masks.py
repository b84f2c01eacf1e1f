"""Masks and outlines as columns; the kernels below them have tests of their own (tests/core)."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.masks import coco_of, stacks
from helpers.random_datasets import outlines, ragged_masks
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from rapideval import Masks, Polygons
from rapideval.errors import InputError

SIZES = st.lists(st.tuples(st.integers(1, 6), st.integers(1, 6)), max_size=5)


def problem_of(make):
    with pytest.raises(InputError) as caught:
        make()
    return caught.value.problems[0]


# --- masks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "rule", "where"),
    [
        (lambda: Masks.from_counts([[3], [5]], [[2, 2], [2, 2]]), "rle-sum", "masks[0]"),
        (lambda: Masks.from_counts([[4], [5]], [[2, 2], [2, 2]]), "rle-sum", "masks[1]"),
        (lambda: Masks.from_counts([[2**32 - 1, 5]], [[2, 2]]), "rle-sum", "masks[0]"),
        (lambda: Masks.from_counts([[]], [[2, 2]]), "rle-sum", "masks[0]"),
        (lambda: Masks.from_counts([[-4]], [[2, 2]]), "column-range", "masks[0].counts[0]"),
        (lambda: Masks([4], [0, 1], [[2, 2], [2, 2]]), "column-length", "masks.sizes"),
        (lambda: Masks.from_dense(np.full((1, 2, 2), 2)), "mask-value", "masks[0]"),
        (lambda: Masks.from_dense(np.full((2, 2), 0.5)), "mask-value", "masks"),
        (lambda: Masks.from_dense(np.full((2, 2), np.nan)), "mask-value", "masks"),
        (lambda: Masks.from_dense(np.zeros(4)), "mask-shape", "masks"),
        (
            lambda: Masks.from_dense(np.ones((2, 2), bool)).crop([[0, 0, 1, 1], [0, 0, 1, 1]]),
            "column-length",
            "windows",
        ),
    ],
)
def test_masks_that_do_not_hold_are_refused(make, rule, where):
    problem = problem_of(make)
    assert (problem.rule, problem.where) == (rule, where)


@pytest.mark.parametrize("offsets", [[], [1, 1], [0, 2], [0, 2, 1], [0, -1, 1]])
def test_offsets_that_do_not_fit_are_refused(offsets):
    with pytest.raises(InputError):
        Masks([4], offsets, np.full((max(len(offsets) - 1, 0), 2), 2))


@pytest.mark.parametrize("text", [b"", b"garbage\xff", b"o", "5" * 40])
def test_compressed_text_that_is_no_mask_is_refused_with_its_row(text):
    good = Masks.from_dense(np.eye(3, dtype=bool)).to_strings()[0]
    problem = problem_of(lambda: Masks.from_strings([good, text], [[3, 3], [3, 3]]))
    assert problem.where == "masks[1]"


@given(stacks())
def test_dense_masks_come_back(stack):
    for order in ("C", "F"):
        masks = Masks.from_dense(np.asarray(stack, order=order))
        assert np.array_equal(masks.to_dense(), stack)
        assert np.array_equal(masks.to_dense("F"), stack)
        assert [masks.dense(row).tolist() for row in range(len(stack))] == stack.astype(bool).tolist()
        assert masks.to_dense().dtype == np.bool_


@given(stacks())
def test_masks_are_those_of_pycocotools(stack):
    masks = Masks.from_dense(stack.astype(bool))
    theirs = coco_of(stack)
    assert masks.to_coco() == theirs
    assert masks.area.tolist() == coco.area(theirs).tolist()
    assert masks.boxes.tolist() == coco.toBbox(theirs).tolist()
    assert Masks.from_strings([item["counts"] for item in theirs], masks.sizes) == masks
    assert Masks.from_strings([item["counts"].decode() for item in theirs], masks.sizes) == masks


def test_iou_takes_the_union_of_a_crowd_as_the_area_of_the_other():
    masks = Masks.from_dense(np.array([[[1, 1, 0, 0]], [[1, 1, 1, 1]]], bool))
    assert masks.iou(masks).tolist() == [[1.0, 0.5], [0.5, 1.0]]
    assert masks.iou(masks, crowd=[False, True]).tolist() == [[1.0, 1.0], [0.5, 1.0]]


@given(SIZES, st.data())
def test_masks_taken_and_joined_are_those_of_the_rows(sizes, data):
    masks = data.draw(ragged_masks(sizes))
    rows = np.array(data.draw(st.lists(st.integers(0, len(sizes) - 1), max_size=6)) if sizes else [], np.int64)
    taken = masks.take(rows)
    assert [taken.runs(row).tolist() for row in range(len(rows))] == [masks.runs(row).tolist() for row in rows]
    assert taken.sizes.tolist() == masks.sizes[rows].tolist()
    assert taken.present.tolist() == masks.present[rows].tolist()
    joined = Masks.concat([masks, taken])
    assert joined.take(slice(len(masks))) == masks
    assert joined.take(slice(len(masks), None)) == taken
    assert Masks(joined.counts, joined.offsets, joined.sizes) == joined


@given(SIZES, st.data())
def test_masks_spread_over_rows_leave_the_others_without(sizes, data):
    masks = data.draw(ragged_masks(sizes))
    have = masks.take(masks.present)
    rows = np.flatnonzero(masks.present)
    spread = have.spread(rows, len(masks))
    assert spread == masks


def test_a_row_without_a_mask_is_not_an_empty_mask():
    masks = Masks.from_counts([[], [4]], [[0, 0], [2, 2]])
    assert masks.present.tolist() == [False, True]
    assert masks.area.tolist() == [0, 0]
    assert masks.dense(0).shape == (0, 0)
    assert masks != Masks.from_counts([[4], []], [[2, 2], [0, 0]])
    with pytest.raises(IndexError):
        masks.runs(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(masks)


# --- outlines --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "rule", "where"),
    [
        (lambda: Polygons.from_rings([[[1, 2, 3]]]), "polygon-points", "polygons[0]"),
        (lambda: Polygons.from_rings([[], [[[1, 2, 3], [4, 5, 6]]]]), "polygon-points", "polygons[1]"),
        (lambda: Polygons.from_rings([[[0, 0, 1, 1]]], [[True]]), "polygon-hole", "polygons[0]"),
        (lambda: Polygons.from_rings([[[0, 0]], [[0, 0]]], [[False, False], []]), "polygon-hole", "polygons.holes"),
        (lambda: Polygons.from_rings([[[0, float("nan")]]]), "not-finite", "polygons.coordinates[0]"),
        (lambda: Polygons([[0, 0]], [0, 2], [0, 1]), "column-offsets", "polygons.ring_offsets"),
        (lambda: Polygons([[0, 0]], [0, 1], [0, 2]), "column-offsets", "polygons.row_offsets"),
        (lambda: Polygons([[0, 0]], [0, 1], [0, 1], [False, True]), "column-length", "polygons.ring_is_hole"),
    ],
)
def test_outlines_that_do_not_hold_are_refused(make, rule, where):
    problem = problem_of(make)
    assert (problem.rule, problem.where) == (rule, where)


def test_a_ring_is_numbers_points_or_a_contour_of_opencv():
    flat = [0, 0, 4, 0, 4, 3]
    points = np.array(flat).reshape(-1, 2)
    rings = Polygons.from_rings([[flat, points, points[:, None, :]]])
    assert [ring.tolist() for ring in rings.rings(0)] == [points.tolist()] * 3


@given(st.integers(0, 5), st.data())
def test_outlines_taken_and_joined_are_those_of_the_rows(count, data):
    polygons = data.draw(outlines(count))
    rows = np.array(data.draw(st.lists(st.integers(0, count - 1), max_size=6)) if count else [], np.int64)
    joined = Polygons.concat([polygons, polygons.take(rows)])
    expected = [*range(count), *rows.tolist()]
    assert len(joined) == len(expected)
    for row, origin in enumerate(expected):
        assert [r.tolist() for r in joined.rings(row)] == [r.tolist() for r in polygons.rings(origin)]
        assert joined.holes(row).tolist() == polygons.holes(origin).tolist()


@given(st.integers(0, 5), st.data())
def test_boxes_of_outlines_are_tight(count, data):
    polygons = data.draw(outlines(count))
    for row, box in enumerate(polygons.boxes.tolist()):
        if polygons.present[row]:
            points = np.concatenate(polygons.rings(row))
            low, high = points.min(axis=0), points.max(axis=0)
            assert box == [*low.tolist(), *(high - low).tolist()]
        else:
            assert box == [0, 0, 0, 0]
