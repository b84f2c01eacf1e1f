"""Dense masks to runs and back, in any memory order: pycocotools is the oracle."""

import numpy as np
import pytest
from helpers.masks import coco_of, columns, runs_of, split, stacks
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco

from rapideval import _core


def runs_in(stack, threads=0):
    return split(*_core.rle_from_dense(stack, threads))


def layouts(stack):
    """The same masks in every memory layout they may come in."""
    yield "rows", np.ascontiguousarray(stack)
    yield "columns", np.ascontiguousarray(stack.transpose(0, 2, 1)).transpose(0, 2, 1)
    yield "interleaved", np.moveaxis(np.ascontiguousarray(np.moveaxis(stack, 0, -1)), -1, 0)
    yield "as pycocotools", np.moveaxis(np.asfortranarray(np.moveaxis(stack, 0, -1)), -1, 0)
    yield "upside down", np.ascontiguousarray(stack[:, ::-1])[:, ::-1]
    yield "mirrored", np.ascontiguousarray(stack[:, :, ::-1])[:, :, ::-1]
    yield "backwards", np.ascontiguousarray(stack[::-1])[::-1]
    padded = np.full((stack.shape[0], stack.shape[1] + 3, stack.shape[2] + 5), 7, np.uint8)
    padded[:, 1:-2, 2:-3] = stack
    yield "a window of rows", padded[:, 1:-2, 2:-3]
    turned = np.ascontiguousarray(padded.transpose(0, 2, 1)).transpose(0, 2, 1)
    yield "a window of columns", turned[:, 1:-2, 2:-3]
    thinned = np.full((stack.shape[0], stack.shape[1] * 2, stack.shape[2] * 3), 9, np.uint8)
    thinned[:, ::2, ::3] = stack
    yield "every other pixel", thinned[:, ::2, ::3]


@given(stacks())
def test_runs_equal_pycocotools_in_every_layout(stack):
    expected = [runs_of(mask) for mask in stack]
    strings, _ = _core.rle_to_strings(*columns(expected, [stack.shape[1:]] * len(stack))[:2])
    assert strings == b"".join(found["counts"] for found in coco_of(stack))
    for name, array in layouts(stack):
        assert runs_in(array) == expected, name


@pytest.mark.parametrize("width", [1, 7, 8, 63, 64, 65, 100, 129, 320])
@pytest.mark.parametrize("density", [0.001, 0.5, 0.999])
def test_wide_rows_and_tall_columns(width, density):
    mask = (np.random.default_rng(width).random((2, 70, width)) < density).astype(np.uint8)
    for stack in (mask, np.ascontiguousarray(mask.transpose(0, 2, 1))):
        expected = [runs_of(mask) for mask in stack]
        for name, array in layouts(stack):
            assert runs_in(array) == expected, name


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (2, 3, 0), (1, 0, 0)])
def test_nothing_has_no_pixels(shape):
    counts, offsets = _core.rle_from_dense(np.zeros(shape, np.uint8))
    assert split(counts, offsets) == [[0]] * shape[0] if 0 in shape[1:] else not len(counts)
    sizes = np.full((shape[0], 2), shape[1:], np.uint32)
    assert _core.rle_to_dense(counts, offsets, sizes).shape == (shape if shape[0] else (0, 0, 0))


def test_any_number_of_threads_gives_the_same_runs():
    stack = (np.random.default_rng(5).random((40, 33, 70)) < 0.2).astype(np.uint8)
    alone = runs_in(stack, 1)
    assert runs_in(stack, 3) == alone
    counts, offsets = _core.rle_from_dense(stack, 2)
    sizes = np.full((40, 2), (33, 70), np.uint32)
    assert np.array_equal(_core.rle_to_dense(counts, offsets, sizes, "C", 3), stack)


@pytest.mark.parametrize("place", [(0, 0, 0), (1, 2, 3), (1, 69, 99), (0, 40, 64)])
def test_a_value_that_is_neither_0_nor_1_is_refused_with_its_place(place):
    stack = np.zeros((2, 70, 100), np.uint8)
    stack[place] = 255
    for name, array in layouts(stack):
        with pytest.raises(_core.CoreError) as caught:
            _core.rle_from_dense(array)
        assert caught.value.rule == "mask-value", name
        assert caught.value.row == place[0]
        assert caught.value.found == f"255 at row {place[1]}, column {place[2]}"


def test_an_array_of_another_type_or_shape_is_refused():
    for array in (np.zeros((1, 2, 2), np.int64), np.zeros((2, 2), np.uint8), np.zeros((1, 2, 2))):
        with pytest.raises(TypeError):
            _core.rle_from_dense(array)


def test_an_image_of_too_many_pixels_is_refused():
    huge = np.broadcast_to(np.zeros((1, 1, 1), np.uint8), (1, 2**31, 2**31))
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_from_dense(huge)
    assert caught.value.rule == "mask-size"


@given(stacks(), st.sampled_from(["C", "F"]))
def test_dense_masks_come_back(stack, order):
    masks = columns([runs_of(mask) for mask in stack], [stack.shape[1:]] * len(stack))
    back = _core.rle_to_dense(*masks, order)
    assert np.array_equal(back, stack)
    assert np.array_equal(back, np.moveaxis(coco.decode(coco_of(stack)), -1, 0))
    assert back.dtype == np.uint8
    assert all(mask.flags[f"{order}_CONTIGUOUS"] for mask in back)


def test_empty_runs_paint_nothing():
    masks = columns([[2, 1, 0, 2, 0, 0, 5], [0, 0, 10], [3, 0, 0, 3, 4]], [(5, 2)] * 3)
    expected = np.zeros((3, 10), np.uint8)
    expected[0, 2:5] = 1
    expected[2, 3:6] = 1
    expected = expected.reshape(3, 2, 5).transpose(0, 2, 1)
    for order in "CF":
        assert np.array_equal(_core.rle_to_dense(*masks, order), expected)


def test_dense_masks_of_several_sizes_or_unsound_runs_are_refused():
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_to_dense(*columns([[4], [4]], [(2, 2), (1, 4)]))
    assert (caught.value.rule, caught.value.row) == ("mask-size", 1)
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_to_dense(*columns([[0, 5]], [(2, 2)]))
    assert caught.value.rule == "rle-sum"
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_to_dense(*columns([[4]], [(2, 2)]), "K")
    assert caught.value.rule == "mask-order"
