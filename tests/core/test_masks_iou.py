"""IoU of masks and boxes, areas, tight boxes: pycocotools is the oracle."""

import numpy as np
import pytest
from helpers.masks import coco_of, columns, from_dense, stacks
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco

from rapideval import _core

NO_CROWD = np.zeros(1, np.bool_)


@given(stacks())
def test_area_and_box_equal_pycocotools(stack):
    masks = from_dense(stack)
    objects = coco_of(stack)
    assert _core.rle_area(*masks[:2]).tolist() == coco.area(objects).tolist()
    assert _core.rle_box(*masks).tobytes() == coco.toBbox(objects).tobytes()


@given(st.data())
def test_mask_iou_equals_pycocotools(data):
    stack = data.draw(stacks(min_masks=2, max_masks=6))
    cut = data.draw(st.integers(1, len(stack) - 1))
    crowd = np.array(data.draw(st.lists(st.booleans(), min_size=len(stack) - cut, max_size=len(stack) - cut)))
    ours = _core.rle_iou_matrix(*from_dense(stack[:cut]), *from_dense(stack[cut:]), crowd)
    theirs = coco.iou(coco_of(stack[:cut]), coco_of(stack[cut:]), crowd)
    assert ours.tobytes() == np.ascontiguousarray(theirs).tobytes()


@given(stacks(min_masks=2, max_masks=6), st.data())
def test_pairs_are_entries_of_the_matrix(stack, data):
    masks = from_dense(stack)
    crowd = np.arange(len(stack)) % 2 == 1
    row = st.integers(0, len(stack) - 1)
    pairs = np.array(data.draw(st.lists(st.tuples(row, row), max_size=9)), np.int64).reshape(-1, 2)
    matrix = _core.rle_iou_matrix(*masks, *masks, crowd)
    assert _core.rle_iou_pairs(*masks, *masks, crowd, pairs).tolist() == matrix[pairs[:, 0], pairs[:, 1]].tolist()


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_any_number_of_threads_gives_the_same_bits(threads):
    rng = np.random.default_rng(7)
    masks = from_dense(rng.random((1500, 6, 5)) < 0.3)
    crowd = rng.random(1500) < 0.1
    pairs = rng.integers(0, 1500, (3000, 2))
    alone = _core.rle_iou_pairs(*masks, *masks, crowd, pairs, 1)
    assert _core.rle_iou_pairs(*masks, *masks, crowd, pairs, threads).tobytes() == alone.tobytes()
    alone = _core.rle_iou_matrix(*masks, *masks, crowd, 1)
    assert _core.rle_iou_matrix(*masks, *masks, crowd, threads).tobytes() == alone.tobytes()


def test_empty_runs_count_for_nothing():
    # pycocotools ends its walk where two empty runs meet and wraps around on the box of the second mask.
    masks = columns([[2, 1, 0, 2, 0, 0, 5], [4, 0, 6], [0, 0, 3, 0, 7]], [(5, 2)] * 3)
    assert _core.rle_area(*masks[:2]).tolist() == [3, 0, 0]
    assert _core.rle_box(*masks).tolist() == [[0, 2, 1, 3], [0, 0, 0, 0], [0, 0, 0, 0]]
    plain = columns([[2, 3, 5]], [(5, 2)])
    assert _core.rle_iou_matrix(*masks, *plain, NO_CROWD).tolist() == [[1], [0], [0]]


def test_the_largest_image_is_counted_right():
    size = [(65535, 65537)]  # 2**32 - 1 pixels
    masks = columns([[0, 2**32 - 1]], size)
    assert _core.rle_area(*masks[:2]).tolist() == [2**32 - 1]
    assert _core.rle_box(*masks).tolist() == [[0, 0, 65537, 65535]]
    half = columns([[2**31, 2**31 - 1]], size)
    assert _core.rle_iou_matrix(*half, *masks, NO_CROWD).tolist() == [[(2**31 - 1) / (2**32 - 1)]]


def test_no_masks_give_empty_results():
    none = columns([], [])
    some = columns([[4]], [(2, 2)])
    assert _core.rle_iou_matrix(*none, *some, NO_CROWD).shape == (0, 1)
    assert _core.rle_iou_matrix(*some, *none, NO_CROWD[:0]).shape == (1, 0)
    assert _core.rle_box(*none).shape == (0, 4)
    assert _core.rle_area(*none[:2]).shape == (0,)


def arrays(counts=(4,), offsets=(0, 1), sizes=((2, 2),)):
    return np.array(counts, np.uint32), np.array(offsets, np.int64), np.array(sizes, np.uint32)


@pytest.mark.parametrize(
    ("masks", "rule", "row"),
    [
        (arrays(counts=[3]), "rle-sum", 0),
        (arrays(counts=[2**32 - 1, 5]), "rle-offsets", 0),
        (arrays(counts=[2**32 - 1, 5], offsets=[0, 2]), "rle-sum", 0),  # sums to 4 in 32 bits
        (arrays(counts=[4, 4], offsets=[0, 2, 1], sizes=[(2, 2)] * 2), "rle-offsets", 1),
        (arrays(offsets=[1, 1]), "rle-offsets", 0),
        (arrays(offsets=[0, 2]), "rle-offsets", 0),
        (arrays(offsets=[0, -(2**63)]), "rle-offsets", 0),
        (arrays(offsets=[]), "rle-offsets", None),
        (arrays(sizes=[(2**31, 2**31)]), "mask-size", 0),
        (arrays(sizes=[(2**16, 2**16)]), "mask-size", 0),
        (arrays(sizes=[(2, 2)] * 2), "rle-sizes", None),
        (arrays(sizes=[(2, 2, 2)]), "rle-sizes", None),
    ],
)
def test_unsound_masks_are_refused(masks, rule, row):
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_check(*masks)
    assert (caught.value.rule, caught.value.row) == (rule, row)
    assert caught.value.found
    assert caught.value.expected
    with pytest.raises(_core.CoreError, match=r"."):
        _core.rle_box(*masks)
    with pytest.raises(_core.CoreError, match=r"."):
        _core.rle_iou_matrix(*masks, *arrays(), NO_CROWD)


def test_a_mask_of_another_size_a_missing_row_and_missing_flags_are_refused():
    a, b = arrays(), arrays(sizes=[(4, 1)])
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_iou_matrix(*a, *b, NO_CROWD)
    assert caught.value.rule == "mask-size"
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_iou_pairs(*a, *a, NO_CROWD, np.array([[0, 0], [0, 1]]))
    assert (caught.value.rule, caught.value.row) == ("mask-pair", 1)
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_iou_pairs(*a, *a, NO_CROWD, np.array([[-1, 0]]))
    assert (caught.value.rule, caught.value.row) == ("mask-pair", 0)
    with pytest.raises(_core.CoreError) as caught:
        _core.rle_iou_matrix(*a, *a, NO_CROWD[:0])
    assert caught.value.rule == "mask-crowd"


def test_arrays_of_another_type_are_refused_not_converted():
    counts, offsets, sizes = arrays()
    with pytest.raises(TypeError):
        _core.rle_check(counts.astype(np.int64), offsets, sizes)
    with pytest.raises(TypeError):
        _core.rle_check(counts, offsets, np.asfortranarray(np.ones((2, 2), np.uint32)))


numbers = st.one_of(st.integers(-20, 20).map(float), st.floats(-1e6, 1e6), st.sampled_from([0.1, 0.3, 1e-9, 0.0, -0.0]))


@given(st.data())
def test_box_iou_equals_pycocotools(data):
    a = data.draw(hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.just(4)), elements=numbers))
    b = data.draw(hnp.arrays(np.float64, st.tuples(st.integers(1, 5), st.just(4)), elements=numbers))
    crowd = np.array(data.draw(st.lists(st.booleans(), min_size=len(b), max_size=len(b))))
    theirs = np.ascontiguousarray(coco.iou(a, b, crowd))
    assert _core.box_iou_matrix(a, b, crowd).tobytes() == theirs.tobytes()


def test_boxes_that_are_not_finite_are_refused():
    box = np.array([[0.0, 0, 1, 1], [0, 0, np.nan, 1]])
    with pytest.raises(_core.CoreError) as caught:
        _core.box_iou_matrix(box, box, np.zeros(2, np.bool_))
    assert (caught.value.rule, caught.value.row) == ("box-finite", 1)
