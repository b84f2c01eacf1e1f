"""From measured statistics to a verdict.

A rule asks whether the candidate is worse by more than a margin, or below a floor. With the interval of the difference
(or of the candidate's own value) at the policy's level:

- **pass**: the interval lies above the bound;
- **fail**: it lies below, after correction for the number of labels the rule speaks of;
- **inconclusive**: it holds the bound;
- **insufficient**: there are too few objects, or images, for an interval to mean anything.

An overall pass asks that every rule pass, which is no easier with many rules, so passing needs no correction
(intersection-union principle); an overall failure asks for one failure only, which gets likelier with every label, so
failing does.

References
----------
Berger, R. L. (1982). Multiparameter hypothesis testing and acceptance sampling. Technometrics 24.
Schuirmann, D. J. (1987). A comparison of the two one-sided tests procedure. J. Pharmacokin. Biopharm. 15.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from rapideval.judge.families import adjust
from rapideval.judge.intervals import Bootstrap, Interval
from rapideval.judge.planning import detectable_drop, images_to_settle
from rapideval.judge.policy import Policy, Settings, Waiver
from rapideval.metrics.numbers import Number

__all__ = ["Measured", "Outcome", "Verdict", "judge_rule", "overall"]

Verdict = Literal["pass", "fail", "inconclusive", "insufficient"]
Counts = Literal["pass", "fail", "inconclusive", "ignored"]


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of one label and slice, on both versions, with its draws.

    Attributes
    ----------
    metric, label, slice
        What was measured; label None: over all labels; slice None: on all images.
    baseline, candidate
        Values on the holdout, NaN where undefined.
    baseline_draws, candidate_draws : float64 array of shape (B,)
        Values on the same B draws of the images.
    baseline_left_out, candidate_left_out : float64 array of shape (G,), optional
        Values with each of G groups of images left out.
    objects, images
        Ground-truth objects it rests on, and images that have any.
    sample
        Images of the holdout (or slice): the unit of the draws.
    less_is_better
        Calibration errors and the like.
    """

    metric: str
    label: str | None
    slice: str | None
    baseline: float
    candidate: float
    baseline_draws: npt.NDArray[np.float64]
    candidate_draws: npt.NDArray[np.float64]
    objects: int
    images: int
    sample: int
    baseline_left_out: npt.NDArray[np.float64] | None = None
    candidate_left_out: npt.NDArray[np.float64] | None = None
    less_is_better: bool = False

    def gain(self) -> Bootstrap:
        """By how much the candidate is better than the baseline; negative where it is worse."""
        sign = -1.0 if self.less_is_better else 1.0
        left_out = None
        if self.baseline_left_out is not None and self.candidate_left_out is not None:
            left_out = sign * (self.candidate_left_out - self.baseline_left_out)
        return Bootstrap(
            sign * (self.candidate - self.baseline), sign * (self.candidate_draws - self.baseline_draws), left_out
        )

    def own(self) -> Bootstrap:
        """The candidate's own value, turned so that more is better."""
        sign = -1.0 if self.less_is_better else 1.0
        left_out = None if self.candidate_left_out is None else sign * self.candidate_left_out
        return Bootstrap(sign * self.candidate, sign * self.candidate_draws, left_out)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one rule on one label: the row of a gate's report."""

    rule: str
    kind: Literal["margin", "floor"]
    metric: str
    label: str | None
    slice: str | None
    bound: Number
    """−margin for the difference, the floor for the candidate's value."""
    baseline: Number
    candidate: Number
    difference: Number
    """Candidate minus baseline."""
    low: Number
    """Lower end of the interval of what is judged: the difference, or the candidate's value."""
    high: Number
    level: Number
    p_fail: Number
    """Tail probability of "it is not worse than the bound", corrected for the family: small means fail."""
    p_pass: Number
    """Tail probability of "it is worse than the bound": small means pass."""
    family: int
    """How many labels the correction took into account."""
    objects: int
    images: int
    detectable_drop: Number
    """Smallest true drop beyond the bound that this holdout would show with probability 0.8."""
    images_to_settle: int | None
    """For an inconclusive rule: how many images would settle it with probability 0.8, were the truth what it seems."""
    verdict: Verdict
    counts_as: Counts
    """After the policy's word on doubt, and after waivers."""
    reason: str
    """The verdict in a sentence."""
    waived: str | None = None
    """Why and until when a failure is accepted."""


def judge_rule(policy: Policy, index: int, measured: Sequence[Measured]) -> list[Outcome]:
    """Outcomes of one rule: one for each label it speaks of, twice where it has both a margin and a floor."""
    rule, settings, title = policy.rules[index], policy.settings, policy.title(index)
    outcomes: list[Outcome] = []
    if rule.margin is not None:
        tests = [_Test(m, m.gain(), -rule.margin, settings) for m in measured]
        outcomes += _outcomes(title, "margin", tests, settings, policy.waivers)
    if rule.floor is not None:
        bounds = [-rule.floor if m.less_is_better else rule.floor for m in measured]
        by_point = rule.floor_by == "point"
        tests = [_Test(m, m.own(), bound, settings, by_point) for m, bound in zip(measured, bounds, strict=True)]
        outcomes += _outcomes(title, "floor", tests, settings, policy.waivers)
    return outcomes


def overall(outcomes: Sequence[Outcome]) -> Literal["pass", "fail", "inconclusive"]:
    """Fail if anything fails, else inconclusive if anything is, else pass; nothing judged is never a pass."""
    counts = {outcome.counts_as for outcome in outcomes}
    if "fail" in counts:
        return "fail"
    return "pass" if counts and counts <= {"pass", "ignored"} and "pass" in counts else "inconclusive"


class _Test:
    """One bound held against one bootstrap."""

    def __init__(
        self, measured: Measured, bootstrap: Bootstrap, bound: float, settings: Settings, by_point: bool = False
    ) -> None:
        self.measured, self.bootstrap, self.bound, self.by_point = measured, bootstrap, bound, by_point
        self.interval = bootstrap.interval(settings.level)
        below = bootstrap.probability_below(bound)
        self.p_pass, self.p_fail = below, 1.0 - below
        self.lack = _lack(measured, bootstrap, settings, by_point)
        if self.lack:
            self.p_fail = math.nan


def _lack(measured: Measured, bootstrap: Bootstrap, settings: Settings, by_point: bool) -> str:
    """Why an interval would mean nothing; empty where it means something."""
    if not math.isfinite(bootstrap.value):
        return f"{measured.metric} is undefined on this holdout"
    if by_point:
        return ""
    if measured.objects < settings.min_objects:
        return f"{measured.objects} objects, fewer than {settings.min_objects}"
    if measured.images < settings.min_images:
        return f"objects in {measured.images} images, fewer than {settings.min_images}"
    if bootstrap.defined < 0.9:
        return f"undefined in {1 - bootstrap.defined:.0%} of the draws"
    return ""


def _outcomes(
    title: str, kind: Literal["margin", "floor"], tests: list[_Test], settings: Settings, waivers: Sequence[Waiver]
) -> list[Outcome]:
    adjusted = adjust([test.p_fail for test in tests], settings.family)
    family = sum(not test.lack for test in tests)
    return [
        _outcome(title, kind, test, float(p), family, settings, waivers)
        for test, p in zip(tests, adjusted, strict=True)
    ]


def _outcome(
    title: str,
    kind: Literal["margin", "floor"],
    test: _Test,
    p_fail: float,
    family: int,
    settings: Settings,
    waivers: Sequence[Waiver],
) -> Outcome:
    measured, bootstrap = test.measured, test.bootstrap
    verdict = _verdict(test, p_fail, settings)
    counts = _counts_as(verdict, settings)
    waiver = next((w for w in waivers if w.covers(title, measured.label)), None)
    waived = None
    if waiver is not None and counts in ("fail", "inconclusive"):
        counts, waived = "ignored", f"{waiver.reason} (until {waiver.until})"
    interval = test.interval
    bound = test.bound
    if kind == "floor" and measured.less_is_better:
        interval, bound = Interval(-interval.high, -interval.low, interval.level), -bound
    needed = None
    if verdict == "inconclusive":
        needed = images_to_settle(bootstrap.value, bootstrap.deviation, -test.bound, measured.sample, settings.level)
    return Outcome(
        rule=title,
        kind=kind,
        metric=measured.metric,
        label=measured.label,
        slice=measured.slice,
        bound=bound,
        baseline=measured.baseline,
        candidate=measured.candidate,
        difference=measured.candidate - measured.baseline,
        low=interval.low,
        high=interval.high,
        level=settings.level,
        p_fail=p_fail,
        p_pass=test.p_pass,
        family=family,
        objects=measured.objects,
        images=measured.images,
        detectable_drop=detectable_drop(bootstrap.deviation, settings.level),
        images_to_settle=needed,
        verdict=verdict,
        counts_as=counts,
        reason=_reason(kind, test, verdict, interval, bound, family, needed),
        waived=waived,
    )


def _verdict(test: _Test, p_fail: float, settings: Settings) -> Verdict:
    if test.lack:
        return "insufficient"
    if test.by_point:
        return "pass" if test.bootstrap.value >= test.bound else "fail"
    tail = (1 - settings.level) / 2
    if test.p_pass <= tail:
        return "pass"
    return "fail" if p_fail <= tail else "inconclusive"


def _counts_as(verdict: Verdict, settings: Settings) -> Counts:
    if verdict == "inconclusive":
        return settings.inconclusive
    if verdict == "insufficient":
        return "ignored" if settings.insufficient == "ignore" else settings.insufficient
    return verdict


def _reason(
    kind: str, test: _Test, verdict: Verdict, interval: Interval, bound: float, family: int, needed: int | None
) -> str:
    if test.lack:
        return test.lack
    what = "difference" if kind == "margin" else "value"
    if kind == "margin" and test.measured.less_is_better:
        what = "gain"
    if test.by_point:
        return f"{what} {test.measured.candidate:.4f}, floor {bound:.4f}"
    text = f"{what} in [{interval.low:+.4f}, {interval.high:+.4f}], bound {bound:+.4f}"
    if verdict == "inconclusive":
        if family > 1 and test.p_fail <= (1 - interval.level) / 2:
            text += f"; below it alone, but not after correction for {family} labels"
        elif needed is not None:
            text += f"; about {needed:,} images would settle it"
    return text
