"""Verdicts of rules from made-up draws."""

import math
import zlib

import numpy as np
import pytest

from rapideval.judge.policy import Policy
from rapideval.judge.verdict import Measured, judge_rule, overall


def policy(rule: str, gate: str = "", waiver: str = "") -> Policy:
    return Policy.parse(f"version = 1\n[gate]\n{gate}\n[[rule]]\n{rule}\n{waiver}")


def measured(difference: float, deviation: float = 0.01, label: str | None = None, **changes) -> Measured:
    rng = np.random.default_rng(zlib.crc32(f"{difference} {label}".encode()))
    base = rng.normal(0.5, 0.05, 2000)
    noise = rng.normal(0, 1, 2000)
    noise = (noise - noise.mean()) / noise.std() * deviation
    columns = {
        "metric": "AP",
        "label": label,
        "slice": None,
        "baseline": 0.5,
        "candidate": 0.5 + difference,
        "baseline_draws": base,
        "candidate_draws": base + difference + noise,
        "objects": 500,
        "images": 200,
        "sample": 250,
    }
    return Measured(**(columns | changes))


MARGIN = policy('metric = "AP"\nmargin = 0.01')


@pytest.mark.parametrize(
    ("difference", "deviation", "verdict"),
    [
        (0.02, 0.01, "pass"),
        (0.0, 0.004, "pass"),
        (-0.005, 0.001, "pass"),
        (0.0, 0.01, "inconclusive"),
        (-0.01, 0.01, "inconclusive"),
        (-0.02, 0.01, "inconclusive"),
        (-0.05, 0.01, "fail"),
        (-0.012, 0.0005, "fail"),
    ],
)
def test_the_interval_against_the_margin_decides(difference, deviation, verdict):
    (outcome,) = judge_rule(MARGIN, 0, [measured(difference, deviation)])
    assert outcome.verdict == verdict
    assert (outcome.low > -0.01) == (verdict == "pass")
    assert (outcome.high < -0.01) == (verdict == "fail")


def test_an_inconclusive_rule_says_how_many_images_would_settle_it():
    (outcome,) = judge_rule(MARGIN, 0, [measured(0.0, 0.01)])
    assert outcome.images_to_settle == pytest.approx(250 * 7.85, rel=0.02)
    assert "images would settle it" in outcome.reason


def test_identical_versions_pass_even_without_a_margin():
    m = measured(0.0, 0.0)
    (outcome,) = judge_rule(policy('metric = "AP"\nmargin = 0.0'), 0, [m])
    assert outcome.verdict == "pass"


def test_one_bad_label_among_many_must_be_worse_to_fail_than_alone():
    rule = policy('metric = "AP"\nmargin = 0.01\nlabels = ["*"]')
    bad = measured(-0.034, 0.01, "bad")
    (alone,) = judge_rule(rule, 0, [bad])
    among = judge_rule(rule, 0, [bad, *(measured(0.0, 0.01, f"label {i}") for i in range(79))])
    assert (alone.verdict, among[0].verdict) == ("fail", "inconclusive")
    assert "after correction for 80 labels" in among[0].reason
    worse = measured(-0.08, 0.01, "worse")
    assert judge_rule(rule, 0, [worse, *(measured(0.0, 0.01, f"label {i}") for i in range(79))])[0].verdict == "fail"


def test_too_few_objects_are_insufficient_and_never_a_pass():
    few = measured(0.05, 0.001, objects=19)
    (outcome,) = judge_rule(MARGIN, 0, [few])
    assert (outcome.verdict, outcome.counts_as) == ("insufficient", "inconclusive")
    ignoring = policy('metric = "AP"\nmargin = 0.01', 'insufficient = "ignore"')
    (outcome,) = judge_rule(ignoring, 0, [few])
    assert outcome.counts_as == "ignored"
    assert overall([outcome]) == "inconclusive"


def test_an_undefined_metric_is_insufficient():
    (outcome,) = judge_rule(MARGIN, 0, [measured(0.0, candidate=math.nan)])
    assert outcome.verdict == "insufficient"
    assert "undefined" in outcome.reason


def test_a_floor_is_judged_on_the_interval_or_on_the_value():
    by_interval = policy('metric = "AP"\nfloor = 0.495')
    by_point = policy('metric = "AP"\nfloor = 0.495\nfloor_by = "point"')
    m = measured(0.0, 0.01)
    assert judge_rule(by_interval, 0, [m])[0].verdict == "inconclusive"
    assert judge_rule(by_point, 0, [m])[0].verdict == "pass"
    assert judge_rule(policy('metric = "AP"\nfloor = 0.2'), 0, [m])[0].verdict == "pass"
    assert judge_rule(policy('metric = "AP"\nfloor = 0.8'), 0, [m])[0].verdict == "fail"


def test_of_an_error_less_is_better_and_the_floor_is_a_ceiling():
    ece = measured(0.05, 0.01, metric="ECE", less_is_better=True)
    assert judge_rule(policy('metric = "ECE"\nmargin = 0.01'), 0, [ece])[0].verdict == "fail"
    (high,) = judge_rule(policy('metric = "ECE"\nfloor = 0.3'), 0, [ece])
    (low,) = judge_rule(policy('metric = "ECE"\nfloor = 0.9'), 0, [ece])
    assert (high.verdict, low.verdict) == ("fail", "pass")
    assert (low.bound, low.low < low.high < 0.9) == (0.9, True)


def test_a_waiver_accepts_a_failure_and_says_why():
    waiver = '[[waiver]]\nrule = "AP"\nreason = "known"\nuntil = 2030-01-01\nlabels = ["legacy*"]'
    rule = policy('metric = "AP"\nmargin = 0.01\nname = "AP"\nlabels = ["*"]', waiver=waiver)
    outcomes = judge_rule(rule, 0, [measured(-0.2, label="legacy/tram"), measured(-0.2, label="tram")])
    assert [o.counts_as for o in outcomes] == ["ignored", "fail"]
    assert outcomes[0].verdict == "fail"
    assert outcomes[0].waived == "known (until 2030-01-01)"


def test_the_worst_rule_decides_and_nothing_judged_is_not_a_pass():
    good, unclear, bad = (judge_rule(MARGIN, 0, [measured(d)])[0] for d in (0.05, -0.01, -0.2))
    assert overall([good]) == "pass"
    assert overall([good, unclear]) == "inconclusive"
    assert overall([good, unclear, bad]) == "fail"
    assert overall([]) == "inconclusive"
