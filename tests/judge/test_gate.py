"""The gate on simulated versions."""

import datetime

import msgspec
import pytest
from helpers.versions import detector, holdout, label_maps, segmenter

from rapideval import evaluate
from rapideval.errors import EvaluationError, InputError
from rapideval.judge import Policy, gate
from rapideval.metrics import best_f1

TRUTH = holdout(images=200)
BASELINE = evaluate(TRUTH, detector(TRUTH, 1))
SAME = evaluate(TRUTH, detector(TRUTH, 2))
WORSE = evaluate(TRUTH, detector(TRUTH, 3, recall=0.5, noise=0.16))


def policy(*rules: str, gate_table: str = "draws = 400") -> Policy:
    return Policy.parse("version = 1\n[gate]\n" + gate_table + "\n" + "\n".join(f"[[rule]]\n{rule}" for rule in rules))


def test_an_equal_version_passes_a_fair_margin_and_a_worse_one_fails():
    rules = policy('metric = "AP"\nmargin = 0.06')
    passed, failed = gate(BASELINE, SAME, rules), gate(BASELINE, WORSE, rules)
    assert (passed.verdict, passed.exit_code) == ("pass", 0)
    assert (failed.verdict, failed.exit_code) == ("fail", 1)
    assert failed.changes[0].balance > 0


def test_a_margin_finer_than_the_holdout_can_tell_is_inconclusive():
    result = gate(BASELINE, SAME, policy('metric = "AP"\nmargin = 0.001'))
    assert (result.verdict, result.exit_code) == ("inconclusive", 3)
    (outcome,) = result.outcomes
    assert outcome.detectable_drop > 0.001


def test_a_rule_by_label_has_an_outcome_for_each_and_corrects_for_them():
    result = gate(BASELINE, WORSE, policy('metric = "AP"\nmargin = 0.05\nlabels = ["label *"]'))
    assert [o.label for o in result.outcomes] == list(TRUTH.labels.names)
    assert {o.family for o in result.outcomes} == {3}
    assert result.verdict == "fail"


def test_rules_at_an_operating_point_use_the_threshold_given():
    result = gate(BASELINE, WORSE, policy('metric = "recall"\nat = { score = 0.4 }\nmargin = 0.02'))
    (outcome,) = result.outcomes
    assert outcome.baseline == pytest.approx(BASELINE.operating_point(0.4).total.recall[0])
    assert outcome.candidate == pytest.approx(WORSE.operating_point(0.4).total.recall[0])
    assert outcome.verdict == "fail"


def test_the_baselines_best_threshold_can_be_kept():
    rule = 'metric = "F1"\nat = { score = "baseline-best-f1" }\nmargin = 0.2\nlabels = ["*"]'
    result = gate(BASELINE, SAME, policy(rule))
    best = best_f1(BASELINE.matches, 0.5)
    assert [o.baseline for o in result.outcomes] == pytest.approx(best.f1)


def test_rules_on_sizes_and_crowded_images():
    result = gate(
        BASELINE,
        SAME,
        policy(
            'metric = "AP"\nslice = "size:medium"\nmargin = 0.1',
            'metric = "AP"\nslice = "count:few"\nmargin = 0.1',
            'metric = "ECE"\nmargin = 0.1',
        ),
    )
    assert [o.slice for o in result.outcomes] == ["size:medium", "count:few", None]
    assert result.outcomes[0].baseline == pytest.approx(BASELINE.summary["AP_medium"])


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ('metric = "mAP"\nmargin = 0.1', r"rule\[0\]: metric 'mAP': found no such metric.*did you mean 'AP'"),
        ('metric = "AP"\nmargin = 0.1\nlabels = ["labl 1"]', "did you mean 'label 1'"),
        ('metric = "AP"\nmargin = 0.1\nslice = "size:smal"', "did you mean 'size:small'"),
        ('metric = "recall"\nmargin = 0.1', "no operating point"),
        ('metric = "AP"\nmargin = 0.1\nat = { score = 0.5 }', "an operating point, expected one only for"),
    ],
)
def test_a_policy_that_names_what_is_not_there_is_refused(rule, message):
    with pytest.raises(InputError, match=message):
        gate(BASELINE, SAME, policy(rule))


def test_an_expired_waiver_is_refused_and_a_valid_one_is_told():
    waived = Policy.parse(
        'version = 1\n[gate]\ndraws = 400\n[[rule]]\nmetric = "AP"\nname = "AP"\nmargin = 0.05\n'
        '[[waiver]]\nrule = "AP"\nreason = "known"\nuntil = 2030-01-01\n'
    )
    result = gate(BASELINE, WORSE, waived, today=datetime.date(2029, 12, 31))
    assert result.outcomes[0].waived == "known (until 2030-01-01)"
    assert result.verdict == "inconclusive"
    with pytest.raises(InputError, match="policy-waiver-expired"):
        gate(BASELINE, WORSE, waived, today=datetime.date(2030, 1, 2))


def test_a_result_is_a_document_and_the_same_for_any_threads():
    rules = policy('metric = "AP"\nmargin = 0.05', 'metric = "AP50"\nfloor = 0.2')
    one = gate(BASELINE, SAME, rules, threads=1, today=datetime.date(2026, 1, 1))
    many = gate(BASELINE, SAME, rules, threads=4, today=datetime.date(2026, 1, 1))
    assert msgspec.json.encode(one) == msgspec.json.encode(many)
    document = msgspec.json.decode(msgspec.json.encode(one))
    assert document["provenance"]["baseline"]["ground_truth"].startswith("sha256:")
    assert msgspec.json.decode(msgspec.json.encode(one), type=type(one)) == one


def test_evaluations_of_other_ground_truth_are_refused():
    other = TRUTH.replace(annotations=TRUTH.annotations.replace(box=TRUTH.annotations.box * 1.01))
    with pytest.raises(EvaluationError, match="compare-ground-truth"):
        gate(BASELINE, evaluate(other, detector(other, 2)), policy('metric = "AP"\nmargin = 0.1'))


def test_pixels_pass_the_same_gate():
    truth = label_maps(images=60)
    baseline = evaluate(truth, segmenter(truth, 1), task="semantic")
    worse = evaluate(truth, segmenter(truth, 2, 0.7), task="semantic")
    rules = policy('metric = "mIoU"\nmargin = 0.02', 'metric = "IoU"\nlabels = ["*"]\nmargin = 0.02')
    assert gate(baseline, baseline, rules).verdict == "pass"
    assert gate(baseline, worse, rules).verdict == "fail"


def test_the_stated_detectable_drop_is_detected_about_as_often_as_stated():
    """Versions that differ by about the detectable drop fail the gate in roughly 80 % of trials; equal ones rarely."""
    rules = policy('metric = "recall"\nat = { score = 0.0 }\nmargin = 0.0', gate_table="draws = 300")
    failed, alarms, trials = 0, 0, 25
    for trial in range(trials):
        truth = holdout(images=80, seed=100 + trial)
        baseline = evaluate(truth, detector(truth, 2 * trial, recall=0.8, noise=0.02))
        worse = evaluate(truth, detector(truth, 2 * trial + 1, recall=0.64, noise=0.02))
        equal = evaluate(truth, detector(truth, 2 * trial + 1, recall=0.8, noise=0.02))
        failed += gate(baseline, worse, rules).verdict == "fail"
        alarms += gate(baseline, equal, rules).verdict == "fail"
    assert failed >= 20
    assert alarms <= 4
