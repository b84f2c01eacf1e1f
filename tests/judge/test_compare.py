"""Comparisons of simulated versions."""

import math

import numpy as np
import pytest
from helpers.versions import detector, holdout, label_maps, segmenter

from rapideval import evaluate
from rapideval.errors import EvaluationError, InputError
from rapideval.judge import compare, read_attributes
from rapideval.judge.quantities import Quantity, measure, metric_names
from rapideval.judge.resample import measure_pair, permutation_p_values

TRUTH = holdout()


@pytest.fixture(scope="module")
def pair():
    return evaluate(TRUTH, detector(TRUTH, 1)), evaluate(TRUTH, detector(TRUTH, 2, recall=0.62, noise=0.14))


def test_every_metric_on_weights_of_one_is_the_evaluations_own(pair):
    baseline, _ = pair
    names = metric_names(baseline)
    ones = np.ones((1, len(TRUTH.images)), np.uint16)
    values = dict(zip(names, measure(baseline, [Quantity(n) for n in names], ones)[0], strict=True))
    for name, value in baseline.summary.items():
        assert values[name] == pytest.approx(value, abs=1e-12, nan_ok=True), name
    total = baseline.operating_point(0.5).total
    assert values["precision"] == pytest.approx(total.precision[0])
    assert values["recall"] == pytest.approx(total.recall[0])
    assert values["F1"] == pytest.approx(total.f1[0])


def test_every_metric_of_a_label_is_the_label_tables(pair):
    baseline, _ = pair
    table = baseline.per_label(0.5)
    ones = np.ones((1, len(TRUTH.images)), np.uint16)
    for metric in ("AP", "AP50", "precision", "recall", "F1"):
        wanted = [Quantity(metric, name) for name in TRUTH.labels.names]
        column = {"precision": "precision", "recall": "recall", "F1": "F1"}.get(metric, metric)
        values = measure(baseline, wanted, ones)[0]
        expected = table[column] if column in table.columns else table[column.lower()]
        assert values == pytest.approx(np.array(expected, float), abs=1e-12, nan_ok=True), metric


def test_calibration_error_is_counted_from_its_definition(pair):
    baseline, _ = pair
    m = baseline.matches
    bins = np.minimum((m.score * 10).astype(int), 9)
    right = m.is_true()
    expected = sum(
        abs(m.score[bins == b].sum() - right[bins == b].sum()) for b in range(10) if (bins == b).any()
    ) / len(m)
    ones = np.ones((1, len(TRUTH.images)), np.uint16)
    assert measure(baseline, [Quantity("ECE")], ones)[0, 0] == pytest.approx(expected)


def test_a_much_worse_version_is_called_worse(pair):
    result = compare(*pair, draws=400)
    ap = result.find("AP")
    assert ap.verdict == "worse"
    assert ap.high < 0
    assert ap.p_value < 0.01
    assert ap.low <= ap.difference <= ap.high
    assert {d.label for d in result.differences} == {None, *TRUTH.labels.names}


def test_a_version_is_not_different_from_itself(pair):
    baseline, _ = pair
    result = compare(baseline, baseline, draws=200)
    assert {d.verdict for d in result.differences} <= {"no difference shown", "insufficient"}
    assert result.find("AP").p_value == 1.0
    assert result.changes == []


def test_turning_a_comparison_round_turns_its_signs(pair):
    there = compare(*pair, draws=200).find("AP")
    back = compare(*reversed(pair), draws=200).find("AP")
    assert back.difference == -there.difference
    assert back.p_value == there.p_value
    assert back.low == pytest.approx(-there.high, abs=2e-3)


def test_the_same_seed_gives_the_same_comparison_on_any_number_of_threads(pair):
    one, many = compare(*pair, draws=200, threads=1), compare(*pair, draws=200, threads=3)
    assert repr(one.differences) == repr(many.differences)
    assert repr(compare(*pair, draws=200, seed=1).differences) != repr(one.differences)


def test_slices_are_measured_on_their_images_alone(pair):
    small = compare(*pair, draws=200, slices=["size:medium", "count:few"])
    few = small.find("AP", part="count:few")
    counts = np.bincount(TRUTH.annotations.image, minlength=len(TRUTH.images))
    rows = np.flatnonzero((counts >= 1) & (counts <= 4))
    part = TRUTH.take_images(rows)
    alone = evaluate(part, detector(TRUTH, 1).take_images(rows))
    assert few.baseline == pytest.approx(alone.summary["AP"], abs=1e-12)
    assert small.find("AP", part="size:medium").baseline == pytest.approx(pair[0].summary["AP_medium"], abs=1e-12)


def test_slices_by_attribute_come_from_a_table(pair, tmp_path):
    path = tmp_path / "attributes.csv"
    rows = [f"{name},{'night' if i % 3 == 0 else 'day'}" for i, name in enumerate(TRUTH.images.keys)]
    path.write_text("image,light\n" + "\n".join(rows))
    attributes = read_attributes(path, TRUTH.images)
    result = compare(*pair, draws=200, slices=["light:night"], attributes=attributes)
    assert result.find("AP", part="light:night").images <= 50
    with pytest.raises(InputError, match=r"did you mean 'light:night'"):
        compare(*pair, slices=["light:nigth"], attributes=attributes)


def test_evaluations_that_do_not_measure_the_same_are_refused(pair):
    baseline, _ = pair
    other = evaluate(TRUTH, detector(TRUTH, 2), limits=(1, 10, 50))
    with pytest.raises(EvaluationError, match=r"protocol.limits.*found \(1, 10, 50\)"):
        compare(baseline, other)
    fewer = TRUTH.take_images(np.arange(100))
    with pytest.raises(EvaluationError, match=r"100 images, 50 of the baseline's missing"):
        compare(baseline, evaluate(fewer, detector(fewer, 1)))
    moved = TRUTH.replace(annotations=TRUTH.annotations.replace(box=TRUTH.annotations.box + 1.0))
    with pytest.raises(EvaluationError, match="ground truth"):
        compare(baseline, evaluate(moved, detector(moved, 2)))


def test_an_unknown_metric_names_the_nearest(pair):
    with pytest.raises(InputError, match="did you mean 'AP75'"):
        compare(*pair, metrics=["AP76"])


def test_changes_name_the_images_and_labels_that_were_lost(pair):
    changes = compare(*pair, draws=200).changes
    worst = changes[0]
    assert worst.balance == max(c.balance for c in changes)
    assert len(worst.lost_labels) == worst.lost
    assert all(c.image in TRUTH.images.keys for c in changes)


def test_semantic_versions_are_compared_alike():
    truth = label_maps()
    baseline = evaluate(truth, segmenter(truth, 1, 0.9), task="semantic")
    worse = evaluate(truth, segmenter(truth, 2, 0.8), task="semantic")
    result = compare(baseline, worse, draws=200)
    assert result.find("mIoU").verdict == "worse"
    assert result.find("mIoU").baseline == pytest.approx(baseline.summary["mIoU"])
    per_label = {d.label: d.baseline for d in result.differences if d.metric == "IoU"}
    assert list(per_label.values()) == pytest.approx(list(baseline.matches.iou()))
    assert result.changes[0].balance > 0


def test_saved_evaluations_compare_as_fresh_ones(pair, tmp_path):
    from rapideval.metrics import Evaluation

    loaded = []
    for name, evaluation in zip("ab", pair, strict=True):
        evaluation.save(tmp_path / f"{name}.parquet")
        loaded.append(Evaluation.load(tmp_path / f"{name}.parquet"))
    assert repr(compare(*loaded, draws=200).differences) == repr(compare(*pair, draws=200).differences)


def test_false_alarms_between_equal_versions_keep_to_their_level():
    """A/A: two answers of one model. Exact binomial 99 % band of 120 trials at 5 %: 1 to 13 alarms."""
    quantities = [Quantity("AP"), Quantity("AP50"), Quantity("AP", "label 0")]
    alarms = np.zeros(len(quantities))
    covered = np.zeros(len(quantities))
    trials = 120
    for trial in range(trials):
        truth = holdout(images=60, seed=trial, per_image=3)
        sides = [evaluate(truth, detector(truth, 1000 + 2 * trial + s)) for s in range(2)]
        p = permutation_p_values(*sides, quantities, draws=199, seed=trial)
        alarms += p <= 0.05
        intervals = [m.gain().interval(0.95) for m in measure_pair(*sides, quantities, draws=400, seed=trial)]
        covered += [0.0 in interval for interval in intervals]
    assert (alarms <= 13).all(), alarms
    # Two versions of one model differ by 0 in truth: the 95 % interval misses it in at most 13 of 120 trials.
    assert (trials - covered <= 13).all(), covered


def test_undefined_metrics_stay_undefined():
    truth = holdout(images=30, seed=3)
    far = truth.replace(labels=truth.labels.extended(["never"]))
    a = evaluate(far, detector(far, 1).take_labels([*truth.labels.names, "never"]))
    result = compare(a, a, draws=200)
    never = result.find("AP", "never")
    assert math.isnan(never.baseline)
    assert never.verdict == "insufficient"
