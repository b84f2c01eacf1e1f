"""Intervals, families and plans."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapideval.judge.families import adjust
from rapideval.judge.intervals import Bootstrap
from rapideval.judge.planning import detectable_drop, images_to_settle


def test_the_interval_and_the_tail_probability_say_the_same():
    draws = np.random.default_rng(1).gamma(4.0, 0.01, 4000)
    left_out = np.random.default_rng(2).gamma(4.0, 0.001, 100)
    bootstrap = Bootstrap(0.04, draws, left_out)
    interval = bootstrap.interval(0.95)
    assert bootstrap.probability_below(interval.low) == pytest.approx(0.025, abs=0.001)
    assert bootstrap.probability_below(interval.high) == pytest.approx(0.975, abs=0.001)


def test_without_bias_or_skew_the_interval_is_the_percentile_one():
    draws = np.linspace(-1, 1, 2001)
    interval = Bootstrap(0.0, draws).interval(0.9)
    assert (interval.low, interval.high) == pytest.approx((-0.9, 0.9), abs=1e-3)


def test_a_skewed_mean_is_covered_more_evenly_with_the_acceleration():
    rng = np.random.default_rng(3)
    missed = {True: [0, 0], False: [0, 0]}
    for _ in range(400):
        sample = rng.exponential(1.0, 40)
        draws = sample[rng.integers(0, 40, (1000, 40))].mean(axis=1)
        left_out = (sample.sum() - sample) / 39
        for accelerated in (True, False):
            interval = Bootstrap(sample.mean(), draws, left_out if accelerated else None).interval(0.95)
            missed[accelerated][0] += interval.low > 1.0
            missed[accelerated][1] += interval.high < 1.0
    uneven = {which: abs(low - high) for which, (low, high) in missed.items()}
    assert uneven[True] < uneven[False]


def test_tails_beyond_the_draws_shrink_with_the_distance_instead_of_stopping():
    draws = np.random.default_rng(4).normal(0.0, 1.0, 1000)
    bootstrap = Bootstrap(0.0, draws)
    far, farther = bootstrap.probability_below(-5.0), bootstrap.probability_below(-6.0)
    assert 0 < farther < far < 1e-5


def test_a_statistic_that_never_varies_has_a_point_for_an_interval():
    bootstrap = Bootstrap(0.5, np.full(300, 0.5))
    assert (bootstrap.interval(0.95).low, bootstrap.interval(0.95).high) == (0.5, 0.5)
    assert bootstrap.probability_below(0.4) == 0.0
    assert bootstrap.probability_below(0.6) == 1.0


def test_an_undefined_statistic_has_no_interval():
    bootstrap = Bootstrap(math.nan, np.full(300, math.nan))
    assert math.isnan(bootstrap.interval(0.95).low)
    assert math.isnan(bootstrap.probability_below(0.0))
    assert bootstrap.defined == 0.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_never_shrink_and_keep_their_order(p):
    p = np.array(p)
    holm, bh = adjust(p, "holm"), adjust(p, "bh")
    assert (holm >= bh - 1e-12).all()
    assert (bh >= p - 1e-12).all()
    assert (np.diff(holm[np.argsort(p, kind="stable")]) >= 0).all()
    assert (holm <= np.minimum(1, p * len(p)) + 1e-12).all()


def test_a_test_that_could_not_be_made_does_not_count_towards_the_family():
    assert adjust([0.02, math.nan, 0.5]).tolist()[0] == 0.04
    assert math.isnan(adjust([0.02, math.nan])[1])


def test_holm_bounds_the_chance_of_any_false_alarm():
    rng = np.random.default_rng(5)
    alarms = np.mean([adjust(rng.uniform(size=80)).min() <= 0.05 for _ in range(4000)])
    assert 0.03 < alarms < 0.07


def test_the_detectable_drop_is_detected_with_the_stated_power():
    rng = np.random.default_rng(6)
    deviation = 0.013
    drop = detectable_drop(deviation, 0.95, 0.8)
    estimates = rng.normal(-drop, deviation, 20000)
    assert np.mean(estimates + 1.959964 * deviation < 0) == pytest.approx(0.8, abs=0.01)


def test_the_planned_images_settle_the_rule_with_the_stated_power():
    needed = images_to_settle(-0.002, 0.01, margin=0.01, images=500)
    assert needed is not None
    deviation = 0.01 * math.sqrt(500 / needed)
    estimates = np.random.default_rng(7).normal(-0.002, deviation, 20000)
    assert np.mean(estimates - 1.959964 * deviation >= -0.01) == pytest.approx(0.8, abs=0.01)


def test_no_number_of_images_settles_a_difference_on_the_margin():
    assert images_to_settle(-0.01, 0.01, margin=0.01, images=500) is None
