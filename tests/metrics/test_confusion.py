"""Confusion matrices: what is taken for what, at an operating point."""

import numpy as np
import pytest
from hypothesis import given, settings

from rapideval import Evaluation, evaluate
from rapideval.errors import UsageError
from rapideval.metrics import confusion_matrix
from rapideval.metrics.guards import RULES
from tests.helpers.coco_oracle import problems
from tests.helpers.datasets import datasets
from tests.helpers.rows import BOX, FAR, small
from tests.metrics.test_per_label import random_evaluation

THIRD = [80, 80, 10, 10]


def test_right_confused_missed_and_of_nothing():
    truth = [(0, 0, BOX), (0, 1, FAR), (1, 0, BOX)]
    found = [(0, 0, BOX, 0.9), (0, 0, FAR, 0.8), (1, 1, THIRD, 0.7), (1, 0, BOX, 0.3)]
    matrix = evaluate(*small(truth, found)).confusion(score=0.5)
    assert matrix.names == ("cat", "dog", "background")
    assert matrix.counts.tolist() == [[1, 0, 1], [1, 0, 0], [0, 1, 0]]
    assert matrix.most_confused() == [("dog", "cat", 1)]
    assert repr(matrix) == (
        "ConfusionMatrix(2 labels, at score 0.5 and IoU 0.5: 1 right, 1 confused, 1 missed, 1 of nothing)"
    )


def test_an_object_found_by_its_own_label_is_not_confused():
    matrix = evaluate(*small([(0, 0, BOX)], [(0, 0, BOX, 0.6), (0, 1, BOX, 0.9)])).confusion()
    assert matrix.counts.tolist() == [[1, 0, 0], [0, 0, 0], [0, 1, 0]]


def test_an_object_is_confused_once_by_the_surest():
    found = [(0, 1, BOX, 0.6), (0, 2, BOX, 0.9)]
    matrix = evaluate(*small([(0, 0, BOX)], found, labels=("cat", "dog", "cow"))).confusion()
    assert matrix.counts.tolist() == [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_it_agrees_with_the_operating_point_and_counts_all(problem):
    evaluation = evaluate(*datasets(problem, "bbox"), allow=RULES)
    for score in (0.0, 0.5):
        matrix, point = evaluation.confusion(score), evaluation.operating_point(score)
        counts = matrix.counts
        assert np.diag(counts)[:-1].tolist() == point.true_positives.tolist()
        objects = np.bincount(
            evaluation.matches.objects.label[evaluation.matches.object_counts()], minlength=len(counts)
        )
        assert counts.sum(axis=1)[:-1].tolist() == objects[:-1].tolist()
        assert counts.sum(axis=0)[:-1].tolist() == (point.true_positives + point.false_positives).tolist()


@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_overlaps_with_other_labels_are_the_best_there_are(problem):
    evaluation = evaluate(*datasets(problem, "bbox"), allow=RULES)
    evaluation.confusion()
    from pycocotools import mask

    matches = evaluation.matches
    for at, row in enumerate(matches.row.tolist()):
        found = problem.found[row]
        others = [
            (mask.iou([found["bbox"]], [truth["bbox"]], [0])[0, 0], -g)
            for g, truth in enumerate(problem.truth)
            if truth["image"] == found["image"] and truth["label"] != found["label"] and not truth["crowd"]
        ]
        best, place = max(others, default=(0.0, 1))
        expected = (best, -place) if best >= 0.1 else (0.0, -1)
        assert (matches.other_iou[at], matches.other_row[at]) == expected


def test_a_saved_evaluation_still_tells_confusions(tmp_path):
    evaluation = random_evaluation(0)
    evaluation.save(tmp_path / "e.parquet")
    loaded = Evaluation.load(tmp_path / "e.parquet")
    assert np.array_equal(loaded.confusion(0.3).counts, evaluation.confusion(0.3).counts)


def test_normalised_rows_and_data_frames():
    matrix = random_evaluation(0).confusion(0.3)
    shares = matrix.normalised()
    assert np.nansum(shares, axis=1)[:3] == pytest.approx(1)
    frame = matrix.to_pandas()
    assert frame.loc["a", "b"] == matrix.counts[0, 1]
    assert frame.columns.name == "found as"


def test_tables_that_cannot_tell_refuse():
    pair = small([(0, 0, BOX)], [(0, 0, BOX, 0.9)])
    with pytest.raises(UsageError, match="does not tell overlaps"):
        confusion_matrix(evaluate(*pair).matches)
    with pytest.raises(UsageError, match="class-agnostic"):
        evaluate(*pair, class_agnostic=True).confusion()
