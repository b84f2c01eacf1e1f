"""Masks combined, cropped, and drawn from outlines."""

from __future__ import annotations

import numpy as np
import pytest
from helpers.masks import stacks
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from rapideval import Annotations, Dataset, Images, Labels, Masks, Polygons
from rapideval.errors import InputError


def problem_of(make):
    with pytest.raises(InputError) as caught:
        make()
    return caught.value.problems[0]


@given(stacks(min_masks=2))
def test_combining_is_logic_on_pixels(stack):
    masks = Masks.from_dense(stack)
    dense = stack.astype(bool)
    groups = [0, 1, len(stack)]
    assert masks.combine(groups, "union").to_dense().tolist() == [dense[0].tolist(), dense[1:].any(axis=0).tolist()]
    assert masks.combine([0, len(stack)], "intersection").dense(0).tolist() == dense.all(axis=0).tolist()
    rest = dense[0] & ~dense[1:].any(axis=0)
    assert masks.combine([0, len(stack)], "difference").dense(0).tolist() == rest.tolist()


@pytest.mark.parametrize("groups", [[], [0], [0, 1], [0, 0, 2], [1, 2], [0, 2, 1], [0, 3]])
def test_groups_that_do_not_cover_the_masks_are_refused(groups):
    masks = Masks.from_dense(np.ones((2, 2, 2), bool))
    assert problem_of(lambda: masks.combine(groups, "union")).rule == "groups"


def test_masks_of_different_images_are_not_combined_or_compared():
    masks = Masks.from_counts([[4], [6]], [[2, 2], [2, 3]])
    for work in (lambda: masks.combine([0, 2], "union"), lambda: masks.iou(masks)):
        assert problem_of(work).rule == "mask-size"
    assert problem_of(masks.to_dense).rule == "mask-sizes"


@given(stacks(), st.integers(-3, 9), st.integers(-3, 9), st.integers(0, 9), st.integers(0, 9))
def test_cropping_is_a_window_with_background_outside(stack, x, y, width, height):
    cut = Masks.from_dense(stack).crop([[x, y, width, height]] * len(stack))
    wide = np.pad(stack, ((0, 0), (12, 24), (12, 24)))
    assert cut.sizes.tolist() == [[height, width]] * len(stack)
    if width and height:
        assert np.array_equal(cut.to_dense(), wide[:, 12 + y : 12 + y + height, 12 + x : 12 + x + width])


# --- drawn from outlines ---------------------------------------------------------------------------

SQUARE = [1, 1, 4, 1, 4, 3, 1, 3]


def drawn(sizes, **columns):
    count = len(columns["polygons"])
    box = None if "box" not in columns else columns.pop("box")
    rows = Annotations([0] * count, [0] * count, box, **columns)
    return Dataset(Images(["a"], sizes=[sizes]), Labels(["x"]), rows)


def test_outlines_are_drawn_by_the_rules_of_coco():
    data = drawn([5, 6], polygons=Polygons.from_rings([[SQUARE]]))
    mask = data.with_masks()[0].mask
    expected = coco.decode(coco.frPyObjects([SQUARE], 5, 6))[..., 0]
    assert mask.tolist() == expected.astype(bool).tolist()


def test_drawing_keeps_boxes_areas_and_what_is_derived():
    data = drawn([5, 6], polygons=Polygons.from_rings([[SQUARE]]))
    after = data.with_masks()
    assert after.annotations.area.tolist() == data.annotations.area.tolist()
    assert after.annotations.derived == data.annotations.derived
    assert after.with_masks() is after


def test_a_mask_that_is_there_is_not_drawn_over_and_a_row_without_outline_stays_without():
    polygons = Polygons.from_rings([[SQUARE], [SQUARE], []])
    masks = Masks.from_counts([[30], [], []], [[5, 6], [0, 0], [0, 0]])
    data = drawn([5, 6], polygons=polygons, masks=masks, box=[[0, 0, 1, 1]] * 3).with_masks()
    present = data.annotations.masks
    assert present.present.tolist() == [True, True, False]
    assert present.area.tolist()[0] == 0
    assert present.area.tolist()[1] > 0


def test_without_outlines_nothing_is_drawn():
    data = Dataset(Images(["a"]), Labels(["x"]), Annotations([0], [0], [[0, 0, 1, 1]]))
    assert data.with_masks() is data


def test_an_outline_on_an_image_of_unknown_size_cannot_be_drawn():
    data = drawn([0, 0], polygons=Polygons.from_rings([[SQUARE]]))
    problem = problem_of(data.with_masks)
    assert (problem.rule, problem.where) == ("image-size", "annotations[0]")
    assert "image 'a'" in problem.found
