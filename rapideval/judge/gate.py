"""The gate before production: a policy held against two evaluations."""

from __future__ import annotations

import datetime
import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import msgspec
import numpy as np

from rapideval.errors import InputError, Problem
from rapideval.judge.changes import ImageChange, image_changes
from rapideval.judge.comparable import check_comparable
from rapideval.judge.compare import Provenance, provenance
from rapideval.judge.policy import OperatingPoint, Policy, Rule, matches_any, nearest
from rapideval.judge.quantities import POINT_METRICS, Quantity, check_metric, less_is_better
from rapideval.judge.resample import measure_pair
from rapideval.judge.slices import Attributes, Slice, find_slice
from rapideval.judge.verdict import Measured, Outcome, judge_rule, overall
from rapideval.metrics import DetectionEvaluation, Evaluation, best_f1

__all__ = ["EXIT_CODES", "GateResult", "gate"]

EXIT_CODES = {"pass": 0, "fail": 1, "inconclusive": 3}


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict, rule by rule, and what it rests on."""

    verdict: Literal["pass", "fail", "inconclusive"]
    outcomes: list[Outcome]
    provenance: Provenance
    policy: str
    """Fingerprint of the policy."""
    date: str
    """The day that waivers were held against."""
    changes: list[ImageChange]
    """Images on which the versions differ most, the worst for the candidate first."""

    @property
    def exit_code(self) -> int:
        """0 pass, 1 fail, 3 inconclusive."""
        return EXIT_CODES[self.verdict]


def gate(
    baseline: Evaluation,
    candidate: Evaluation,
    policy: Policy,
    *,
    attributes: Attributes | None = None,
    today: datetime.date | None = None,
    most_changes: int = 50,
    source: str = "policy",
    threads: int = 0,
) -> GateResult:
    """Hold a policy against a candidate and the baseline it would replace.

    Parameters
    ----------
    baseline, candidate
        Evaluations of one ground truth by one protocol, fresh or saved.
    policy
        What the candidate must keep.
    attributes
        Columns of image attributes, for rules on slices; see `rapideval.judge.slices.read_attributes`.
    today
        Day that waivers are held against; the current one where None.
    source
        What messages call the policy.

    Raises
    ------
    EvaluationError
        Where the two evaluations do not measure the same thing.
    InputError
        Where the policy names a metric, label or slice that there is not, or a waiver has expired: never a pass by
        default.
    """
    check_comparable(baseline, candidate)
    today = today or datetime.date.today()
    problems = policy.expired(today, source)
    plans = []
    for index, rule in enumerate(policy.rules):
        try:
            plans.append(_plan(rule, baseline, attributes or {}))
        except InputError as error:
            problems += [_placed(problem, f"{source}: rule[{index}]") for problem in error.problems]
    if problems:
        raise InputError(problems)
    outcomes: list[Outcome] = []
    for index, (quantities, part) in enumerate(plans):
        rule = policy.rules[index]
        drawn = rule.margin is not None or rule.floor_by == "interval"
        draws = policy.settings.draws if drawn else 0
        outcomes += judge_rule(policy, index, _measured(baseline, candidate, quantities, part, policy, draws, threads))
    settings = policy.settings
    return GateResult(
        verdict=overall(outcomes),
        outcomes=outcomes,
        provenance=provenance(baseline, candidate, settings.draws, settings.seed, settings.level),
        policy=f"sha256:{hashlib.sha256(msgspec.json.encode(policy)).hexdigest()}",
        date=today.isoformat(),
        changes=image_changes(baseline, candidate, limit=most_changes),
    )


def _placed(problem: Problem, where: str) -> Problem:
    return replace(problem, where=f"{where}: {problem.where}")


def _plan(rule: Rule, baseline: Evaluation, attributes: Attributes) -> tuple[list[Quantity], Slice | None]:
    """What one rule measures, and where."""
    check_metric(baseline, rule.metric, rule.labels is not None)
    part = None if rule.slice is None else find_slice(rule.slice, baseline, attributes)
    if rule.at is None and rule.metric in POINT_METRICS:
        problem = Problem("policy-point", f"metric {rule.metric!r}", "no operating point", "at = { score = ... }")
        raise InputError(problem)
    if rule.at is not None and rule.metric not in POINT_METRICS:
        problem = Problem(
            "policy-point", f"metric {rule.metric!r}", "an operating point", "one only for precision, recall, F1"
        )
        raise InputError(problem)
    scores, iou = _operating_scores(rule.at, baseline)
    area = None if part is None else part.area
    labels: Sequence[str | None] = [None] if rule.labels is None else _labels(rule.labels, baseline)
    return [Quantity(rule.metric, label, area, scores, iou) for label in labels], part


def _labels(patterns: Sequence[str], baseline: Evaluation) -> list[str]:
    known = list(baseline.labels.names[: baseline.truth_labels])
    for pattern in patterns:
        if not any(matches_any(name, [pattern]) for name in known):
            hint = nearest(pattern, known)
            raise InputError(
                Problem("label-unknown", f"label {pattern!r}", "no such label in the holdout", "a label", hint)
            )
    return [name for name in known if matches_any(name, patterns)]


def _operating_scores(at: OperatingPoint | None, baseline: Evaluation) -> tuple[tuple[float, ...] | None, float | None]:
    if at is None or not isinstance(baseline, DetectionEvaluation):
        return None, None
    baseline.protocol.threshold_place(at.iou)
    if isinstance(at.score, str):
        best = best_f1(baseline.matches, at.iou).score[: baseline.truth_labels]
        # A label without a best threshold (no objects, no detections) takes the middle of the others.
        middle = float(np.nanmedian(best)) if np.isfinite(best).any() else 0.5
        return tuple(middle if math.isnan(s) else s for s in best.tolist()) or (0.5,), at.iou
    return (float(at.score),), at.iou


def _measured(
    baseline: Evaluation,
    candidate: Evaluation,
    quantities: Sequence[Quantity],
    part: Slice | None,
    policy: Policy,
    draws: int,
    threads: int,
) -> list[Measured]:
    settings = policy.settings
    return measure_pair(
        baseline,
        candidate,
        quantities,
        part,
        draws=draws,
        seed=settings.seed,
        threads=threads,
        less_is_better={q.metric: less_is_better(q.metric) for q in quantities},
    )
