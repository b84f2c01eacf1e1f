"""The table of labels and the operating points it rests on."""

import numpy as np
import pytest

from rapideval import Annotations, Dataset, Images, Labels, evaluate
from rapideval.metrics import best_f1, operating_point
from tests.helpers.rows import BOX, FAR, small


def random_evaluation(seed, score_step=0.1):
    rng = np.random.default_rng(seed)
    boxes = rng.integers(0, 12, (60, 2))
    truth = Annotations(rng.integers(0, 5, 60), rng.integers(0, 3, 60), np.hstack([boxes, np.full((60, 2), 8)]))
    near = rng.integers(0, 60, 200)
    moved = np.hstack([boxes[near] + rng.integers(0, 4, (200, 2)), np.full((200, 2), 8)])
    score = np.round(rng.random(200) / score_step) * score_step
    found = Annotations(truth.image[near], truth.label[near], moved, score)
    images, labels = Images([f"{i}.jpg" for i in range(5)]), Labels(["a", "b", "c"])
    return evaluate(Dataset(images, labels, truth), Dataset(images, labels, found))


@pytest.mark.parametrize("score", [0.0, 0.25, 0.5, 0.9, 2.0])
def test_an_operating_point_is_what_an_evaluation_of_its_detections_finds(score):
    evaluation = random_evaluation(0)
    point = evaluation.operating_point(score)
    matches = evaluation.matches
    for k in range(3):
        rows = (matches.label == k) & (matches.score >= score)
        assert point.true_positives[k] == (matches.is_true() & rows).sum()
        assert point.false_positives[k] == (matches.is_false() & rows).sum()
        assert point.true_positives[k] + point.false_negatives[k] == (matches.objects.label == k).sum()
    total = point.total
    assert total.true_positives[0] == point.true_positives.sum()


@pytest.mark.parametrize("seed", range(5))
def test_best_f1_is_the_best_of_all_thresholds(seed):
    evaluation = random_evaluation(seed)
    best = best_f1(evaluation.matches)
    for k in range(3):
        scores = np.unique(evaluation.matches.score[evaluation.matches.label == k])
        points = [operating_point(evaluation.matches, float(s)) for s in scores]
        f1 = [point.f1[k] for point in points]
        assert best.f1[k] == max(f1)
        assert best.score[k] == scores[max(i for i, value in enumerate(f1) if value == max(f1))]
        at = operating_point(evaluation.matches, best.score)
        assert (at.precision[k], at.recall[k], at.f1[k]) == (best.precision[k], best.recall[k], best.f1[k])


def test_tied_scores_count_all_or_none():
    rows = [(0, 0, BOX, 0.5), (0, 0, FAR, 0.5), (0, 0, [80, 80, 5, 5], 0.5)]
    best = best_f1(evaluate(*small([(0, 0, BOX)], rows), allow=["score-constant"]).matches)
    assert best.f1[0] == pytest.approx(2 * 1 / (1 + 2 + 1))


def test_the_table_counts_what_is_there():
    truth_rows = [(0, 0, BOX), (1, 0, BOX), (1, 0, FAR)]
    found_rows = [(0, 0, [0, 0, 10, 8], 0.9), (1, 0, BOX, 0.4), (1, 1, FAR, 0.8), (0, 2, FAR, 0.7)]
    truth, found = small(truth_rows, found_rows, found_labels=("cat", "dog", "tiger"))
    table = evaluate(truth, found).per_label(score=0.5)
    assert table["label"].tolist() == ["cat", "dog", "tiger"]
    assert table["objects"].tolist() == [3, 0, 0]
    assert table["images"].tolist() == [2, 0, 0]
    assert table["detections"].tolist() == [2, 1, 1]
    assert table["true_positives"].tolist() == [1, 0, 0]
    assert table["false_positives"].tolist() == [0, 1, 1]
    assert table["false_negatives"].tolist() == [2, 0, 0]
    assert table["precision"].tolist()[:2] == [1.0, 0.0]
    assert table["recall"][0] == pytest.approx(1 / 3)
    assert table["mean_iou"][0] == pytest.approx(0.8)
    assert table["best_score"][0] == 0.4
    for name in ("AP", "AP50", "AP75", "AP_small", "AR", "recall", "best_F1", "mean_iou"):
        assert np.isnan(table[name][1:]).all(), name


def test_crowds_are_ignored_objects():
    truth, found = small([(0, 0, BOX), (0, 0, FAR)], [(0, 0, FAR, 0.9)])
    truth = truth.replace(annotations=truth.annotations.replace(crowd=[False, True]))
    table = evaluate(truth, found).per_label()
    assert (table["objects"][0], table["ignored_objects"][0]) == (1, 1)
    assert (table["true_positives"][0], table["false_positives"][0]) == (0, 0)


def test_as_data_frame_and_rows():
    table = random_evaluation(1).per_label(score=0.3, iou=0.75)
    frame = table.to_pandas()
    assert frame.index.tolist() == ["a", "b", "c"]
    assert frame.loc["b", "AP50"] == table["AP50"][1]
    assert next(table.rows())["label"] == "a"
    assert "at score 0.3 and IoU 0.75" in repr(table)
    assert "<table" in table._repr_html_()


def test_class_agnostic_has_one_row():
    truth, found = small([(0, 0, BOX)], [(0, 1, BOX, 0.9)])
    table = evaluate(truth, found, class_agnostic=True).per_label()
    assert (table["label"].tolist(), table["objects"].tolist(), table["F1"].tolist()) == (["all labels"], [1], [1.0])
