"""Two answers to one image: what both found, what only one found, what changed its label."""

import numpy as np
import pytest

from rapideval import Annotations, Dataset, Images, Labels, Masks
from rapideval.errors import UsageError
from rapideval.metrics.pairs import pair


def answer(labels, rows, masks=None):
    return Dataset(
        Images(["a.jpg"]),
        Labels(labels),
        Annotations([0] * len(rows), [labels.index(label) for label, _ in rows], [box for _, box in rows], masks=masks)
        if rows
        else Annotations.empty(scored=False),
    )


def test_each_annotation_is_in_one_pair_or_left_over():
    left = answer(["cat"], [("cat", [0, 0, 10, 10]), ("cat", [2, 0, 10, 10]), ("cat", [60, 0, 5, 5])])
    right = answer(["cat"], [("cat", [1, 0, 10, 10]), ("cat", [90, 0, 5, 5])])
    found = pair(left, right)
    assert len(found.left) == 1
    assert found.right.tolist() == [0]
    assert sorted([*found.left.tolist(), *found.only_left.tolist()]) == [0, 1, 2]
    assert found.only_right.tolist() == [1]


def test_the_label_counts_before_the_overlap_and_is_joined_by_name():
    left = answer(["dog", "cat"], [("cat", [0, 0, 10, 10])])
    right = answer(["cat", "dog"], [("dog", [0, 0, 10, 10]), ("cat", [0, 0, 10, 8])])
    found = pair(left, right)
    assert (found.right.tolist(), found.same_label.tolist()) == ([1], [True])
    assert found.iou.tolist() == [0.8]


def test_an_object_that_changed_its_label_is_paired_and_said():
    found = pair(answer(["cat"], [("cat", [0, 0, 10, 10])]), answer(["dog"], [("dog", [0, 0, 10, 9])]))
    assert found.same_label.tolist() == [False]
    assert not len(found.only_left)


def test_masks_are_compared_where_all_have_one():
    def half(columns):
        mask = np.zeros((10, 10), bool)
        mask[:, columns] = True
        mask[0] = mask[-1] = True
        return Masks.from_dense(mask)

    left = answer(["cat"], [("cat", [0, 0, 10, 10])], half(slice(0, 5)))
    right = answer(["cat"], [("cat", [0, 0, 10, 10])], half(slice(5, 10)))
    assert not len(pair(left, right).left)


def test_nothing_pairs_with_nothing():
    nothing, one = answer(["cat"], []), answer(["cat"], [("cat", [0, 0, 1, 1])])
    assert pair(nothing, one).only_right.tolist() == [0]
    assert pair(one, nothing).only_left.tolist() == [0]
    assert not len(pair(nothing, nothing).left)


@pytest.mark.parametrize("iou", [0, -1, 1.5, float("nan")])
def test_a_floor_that_is_no_overlap_is_refused(iou):
    with pytest.raises(UsageError, match="above 0"):
        pair(answer(["cat"], []), answer(["cat"], []), iou)
