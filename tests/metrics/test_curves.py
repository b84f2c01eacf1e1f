"""Precision-recall curves, Pascal VOC's averages, ties."""

import numpy as np
import pytest

from rapideval import Annotations, Dataset, Images, Labels, Protocol, evaluate
from rapideval.errors import UsageError
from rapideval.metrics import ap_range
from tests.helpers.rows import BOX, FAR, small
from tests.metrics.test_per_label import random_evaluation


@pytest.mark.parametrize("label", [None, "a", "b"])
def test_every_point_is_an_operating_point(label):
    evaluation = random_evaluation(0)
    curve = evaluation.precision_recall(label, iou=0.6)
    place = None if label is None else evaluation.labels.index(label)
    assert (np.diff(curve.score) < 0).all()
    for i, score in enumerate(curve.score.tolist()):
        point = evaluation.operating_point(score, iou=0.6)
        right, wrong = point.true_positives, point.false_positives
        expected = (right.sum(), wrong.sum()) if place is None else (right[place], wrong[place])
        assert (curve.true_positives[i], curve.false_positives[i]) == expected
    assert curve.recall[-1] == curve.true_positives[-1] / curve.positives
    assert curve.to_pandas().shape == (len(curve.score), 7)


def test_the_envelope_is_what_ap_averages():
    """With distinct scores, COCO's 101 points are read off the envelope."""
    evaluation = random_evaluation(3, score_step=1e-9)
    curve = evaluation.precision_recall("a", iou=0.5)
    place = np.searchsorted(curve.recall, np.linspace(0, 1, 101))
    expected = np.append(curve.envelope, 0.0)[place].mean()
    assert evaluation.average_precision(iou=0.5, label="a") == pytest.approx(expected)


def test_a_label_without_objects_or_detections():
    evaluation = evaluate(*small([(0, 0, BOX)], [(0, 1, FAR, 0.9)]))
    assert len(evaluation.precision_recall("cat").score) == 0
    curve = evaluation.precision_recall("dog")
    assert (curve.precision.tolist(), curve.positives) == ([0.0], 0)
    assert np.isnan(curve.recall).all()


def test_a_thinned_curve_keeps_its_ends():
    rng = np.random.default_rng(0)
    images, labels = Images(["a"]), Labels(["cat"])
    boxes = np.hstack([np.arange(900)[:, None] * 20, np.zeros((900, 1)), np.full((900, 2), 10)])
    truth = Dataset(images, labels, Annotations(np.zeros(900), np.zeros(900), boxes))
    boxes[::3, 0] += 5000
    found = Dataset(images, labels, Annotations(np.zeros(900), np.zeros(900), boxes, rng.random(900)))
    curve = evaluate(truth, found, limits=(1000,)).precision_recall("cat")
    thin = curve.thinned(100)
    assert 50 < len(thin.score) < 200
    assert (thin.score[0], thin.score[-1], thin.recall[-1]) == (curve.score[0], curve.score[-1], curve.recall[-1])
    assert curve.thinned(10_000) is curve


def test_padilla(shared_data):
    """Published values: AP at IoU 0.30, 24.56 % over every point and 26.84 % over eleven."""
    folder = shared_data / "padilla-7"
    sides = []
    for name in ("groundtruths", "detections"):
        rows = [
            (int(path.stem) - 1, [float(value) for value in line.split()[1:]])
            for path in sorted((folder / name).glob("*.txt"))
            for line in path.read_text().splitlines()
            if line.strip()
        ]
        image, numbers = zip(*rows, strict=True)
        numbers = np.array(numbers)
        # The source counts pixels from corner to corner, both included: such a box is one pixel wider and higher.
        box = numbers[:, -4:] + [0, 0, 1, 1]
        score = numbers[:, 0] if name == "detections" else None
        annotations = Annotations(image, np.zeros(len(image)), box, score)
        sides.append(Dataset(Images([f"{i}" for i in range(7)]), Labels(["person"]), annotations))
    evaluation = evaluate(*sides)
    percent = [100 * evaluation.voc_average_precision(0.3, method).mean for method in ("every point", "11 points")]
    assert percent == pytest.approx([24.56, 26.84], abs=0.01)


def test_voc_gives_a_taken_object_to_no_other_and_coco_the_next_best():
    truth = [(0, 0, [0, 0, 10, 10]), (0, 0, [0, 0, 10, 7])]
    found = [(0, 0, [0, 0, 10, 10], 0.9), (0, 0, [0, 0, 10, 9], 0.8)]
    evaluation = evaluate(*small(truth, found))
    assert evaluation.average_precision(iou=0.5) == pytest.approx(1)
    assert evaluation.voc_average_precision(0.5).mean == pytest.approx(0.5)


def test_voc_leaves_out_what_falls_on_an_ignored_object():
    truth, found = small([(0, 0, BOX), (0, 0, FAR)], [(0, 0, FAR, 0.9), (0, 0, BOX, 0.8)])
    difficult = truth.replace(annotations=truth.annotations.replace(crowd=[False, True]))
    assert evaluate(difficult, found).voc_average_precision().ap[0] == pytest.approx(1)


def test_voc_refuses_what_the_table_does_not_tell():
    evaluation = evaluate(*small([(0, 0, BOX)], [(0, 0, BOX, 0.9)]))
    with pytest.raises(UsageError, match="below the floor"):
        evaluation.voc_average_precision(0.05)
    with pytest.raises(UsageError, match="no method 'area'"):
        evaluation.voc_average_precision(0.5, "area")


def test_ties_are_counted_within_labels():
    found = [(0, 0, BOX, 0.5), (1, 0, FAR, 0.5), (0, 0, FAR, 0.4), (0, 1, BOX, 0.5)]
    tied = evaluate(*small([(0, 0, BOX)], found)).ties()
    assert tied == (4, 2, 1, 2, 2)
    assert tied.share == 0.5
    assert evaluate(*small([(0, 0, BOX)], [])).ties()[:4] == (0, 0, 0, 0)


def test_another_order_of_equal_scores_moves_ap_within_its_range():
    truth = [(0, 0, BOX), (1, 0, BOX)]
    found = [(0, 0, FAR, 0.5), (0, 0, BOX, 0.5), (1, 0, BOX, 0.5)]
    evaluation = evaluate(*small(truth, found), allow=["score-constant"])
    low, high = ap_range(evaluation.matches)
    assert high == pytest.approx(1)
    assert low == pytest.approx(2 / 3)
    assert low <= evaluation.summary["AP50"] <= high


def test_without_ties_there_is_no_range():
    evaluation = random_evaluation(0, score_step=1e-12)
    assert evaluation.ties().tied == 0
    low, high = ap_range(evaluation.matches, iou=0.75)
    assert low == high == evaluation.summary["AP75"]


def test_protocols_keep_their_thresholds_apart():
    evaluation = evaluate(*small([(0, 0, BOX)], [(0, 0, BOX, 0.9)]), protocol=Protocol(iou_thresholds=(0.6, 0.7)))
    assert evaluation.protocol.reference_iou == 0.6
    assert evaluation.confusion().title == "at score 0.5 and IoU 0.6"
