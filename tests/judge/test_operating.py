"""Operating points: thresholds by brute force, intervals that hold them, what keeping a threshold costs."""

import math

import numpy as np
import pytest
from helpers.versions import detector, holdout

from rapideval import evaluate
from rapideval.errors import UsageError
from rapideval.judge import compare
from rapideval.judge.operating import label_points, point_changes
from rapideval.judge.quantities import Quantity, measure
from rapideval.metrics.calibration import reliability, wilson
from rapideval.metrics.operating import operating_point, precision_thresholds


@pytest.fixture(scope="module")
def versions():
    truth = holdout(120, seed=3)
    return evaluate(truth, detector(truth, 1)), evaluate(truth, detector(truth, 2, recall=0.7))


def test_the_threshold_of_a_precision_is_the_lowest_that_reaches_it(versions):
    matches = versions[0].matches
    found = precision_thresholds(matches, 0.7)
    for k in range(3):
        begin, end = matches.label_offsets[k : k + 2]
        reached = [
            score
            for score in np.unique(matches.score[begin:end])
            if operating_point(matches, np.full(3, score)).precision[k] >= 0.7
        ]
        assert found.score[k] == min(reached)
        at = operating_point(matches, found.score)
        assert (found.precision[k], found.recall[k]) == (at.precision[k], at.recall[k])


def test_a_precision_that_no_threshold_reaches_has_none(versions):
    truth = holdout(20, seed=1)
    matches = evaluate(truth, detector(truth, 1, recall=0.0, spurious=3)).matches
    found = precision_thresholds(matches, 0.99)
    for k in range(3):
        scores = matches.score[matches.label_offsets[k] : matches.label_offsets[k + 1]]
        best = max(operating_point(matches, np.full(3, score)).precision[k] for score in scores)
        assert np.isnan(found.score[k]) == (best < 0.99)
    assert np.isnan(found.score).any()
    with pytest.raises(UsageError, match="above 0"):
        precision_thresholds(versions[0].matches, 0)


@pytest.mark.parametrize("target", [None, 0.7])
def test_intervals_hold_their_point_and_the_seed_determines_them(versions, target):
    points = label_points(versions[0], target_precision=target)
    assert [point.label for point in points] == list(versions[0].labels.names)
    for point in points:
        for part in (point.score, point.precision, point.recall, point.f1):
            assert 0 <= part.low <= part.value <= part.high <= 1
    assert points == label_points(versions[0], target_precision=target)
    assert points != label_points(versions[0], target_precision=target, seed=1)


def test_intervals_are_narrower_on_a_larger_holdout():
    def width(images):
        truth = holdout(images, seed=5)
        return np.mean([p.f1.high - p.f1.low for p in label_points(evaluate(truth, detector(truth, 1)))])

    assert width(400) < 0.75 * width(60)


def test_keeping_the_baselines_threshold_is_what_is_counted_there(versions):
    before, after = versions
    changes = point_changes(before, after)
    kept = np.array([change.score for change in changes])
    at_before, at_after = operating_point(before.matches, kept), operating_point(after.matches, kept)
    for k, change in enumerate(changes):
        assert (change.baseline_f1, change.f1) == (at_before.f1[k], at_after.f1[k])
        assert change.f1_difference.value == pytest.approx(change.f1 - change.baseline_f1, abs=1e-15)
        assert change.f1_difference.low <= change.f1_difference.value <= change.f1_difference.high
        assert change.own_f1 >= change.f1
    assert compare(before, after, draws=200).points == point_changes(before, after, draws=200)


def test_reliability_counts_each_detection_once_and_gives_the_ece_of_the_gate(versions):
    evaluation = versions[0]
    table = reliability(evaluation.matches)
    assert table.count == sum(one.count for one in table.bins) == (~evaluation.matches.is_ignored()).sum()
    everything = np.ones((1, len(evaluation.images)), np.uint16)
    assert table.ece == pytest.approx(measure(evaluation, [Quantity("ECE")], everything)[0, 0], abs=1e-12)
    for one in table.bins:
        if one.count:
            assert one.low - 1e-12 <= one.score <= one.high + 1e-12
            assert one.precision_low <= one.precision <= one.precision_high
    per_label = [reliability(evaluation.matches, label=label).count for label in evaluation.labels.names]
    assert sum(per_label) == table.count
    with pytest.raises(UsageError, match="bins"):
        reliability(evaluation.matches, bins=0)


def test_wilsons_interval_stays_within_0_and_1():
    assert wilson(0.0, 5)[0] == 0
    assert wilson(1.0, 5)[1] == 1
    # Wilson's interval of 4 of 10 as tables give it
    assert wilson(0.4, 10) == pytest.approx((0.1682, 0.6873), abs=1e-4)


def test_a_label_without_detections_has_no_operating_point():
    truth = holdout(20, seed=1)
    found = detector(truth, 1)
    point = label_points(evaluate(truth, found.where(label=["label 0", "label 1"])))[2]
    assert math.isnan(point.score.value)
    assert math.isnan(point.f1.value)
