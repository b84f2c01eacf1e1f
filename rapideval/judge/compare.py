"""Two versions side by side: every metric with its difference, interval and p-value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from rapideval.judge.changes import ImageChange, image_changes
from rapideval.judge.comparable import check_comparable
from rapideval.judge.families import Correction, adjust
from rapideval.judge.operating import PointChange, point_changes
from rapideval.judge.planning import detectable_drop
from rapideval.judge.quantities import Quantity, check_metric, less_is_better
from rapideval.judge.resample import measure_pair, permutation_p_values
from rapideval.judge.slices import Attributes, Slice, find_slice
from rapideval.judge.verdict import Measured
from rapideval.metrics import DetectionEvaluation, Evaluation
from rapideval.metrics.calibration import Reliability, reliability
from rapideval.metrics.numbers import Number

__all__ = ["Comparison", "Difference", "Provenance", "compare"]

Change = Literal["better", "worse", "no difference shown", "insufficient"]


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What a verdict rests on: content hashes, and all that the numbers depend on."""

    tool: str
    baseline: dict[str, str]
    """Fingerprints of ground truth, predictions and protocol."""
    candidate: dict[str, str]
    images: int
    task: str
    draws: int
    seed: int
    level: float


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One metric on both versions."""

    metric: str
    label: str | None
    slice: str | None
    baseline: Number
    candidate: Number
    difference: Number
    """Candidate minus baseline."""
    low: Number
    high: Number
    p_value: Number
    """Two-sided permutation test, corrected within the metric over its labels; NaN in slices, where none is made."""
    objects: int
    images: int
    detectable_drop: Number
    verdict: Change


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All differences of two versions."""

    provenance: Provenance
    differences: list[Difference]
    changes: list[ImageChange]
    """Images on which the versions differ most, the worst for the candidate first."""
    points: list[PointChange] = []
    """What the candidate gives at the baseline's thresholds, label by label; none of pixels."""
    reliability: dict[str, Reliability] = {}
    """Score against precision, of ``baseline`` and ``candidate``; none of pixels."""

    def find(self, metric: str, label: str | None = None, part: str | None = None) -> Difference:
        """One difference; KeyError where it was not measured."""
        for one in self.differences:
            if (one.metric, one.label, one.slice) == (metric, label, part):
                return one
        raise KeyError(f"no {metric!r} of {label!r} in {part!r}")


def provenance(baseline: Evaluation, candidate: Evaluation, draws: int, seed: int, level: float) -> Provenance:
    """What a verdict on these two rests on."""
    import rapideval

    return Provenance(
        tool=f"rapideval {rapideval.__version__}",
        baseline=dict(baseline.fingerprints),
        candidate=dict(candidate.fingerprints),
        images=len(baseline.images),
        task=baseline.task,
        draws=draws,
        seed=seed,
        level=level,
    )


def compare(
    baseline: Evaluation,
    candidate: Evaluation,
    *,
    metrics: Sequence[str] | None = None,
    label_metrics: Sequence[str] | None = None,
    slices: Sequence[str] = (),
    attributes: Attributes | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
    family: Correction = "holm",
    score: float = 0.5,
    min_objects: int = 20,
    min_images: int = 10,
    most_changes: int = 50,
    threads: int = 0,
) -> Comparison:
    """Compare two versions on one holdout.

    Parameters
    ----------
    baseline, candidate
        Evaluations of one ground truth by one protocol.
    metrics
        Over all labels; all of the summary where None.
    label_metrics
        Of every label of the ground truth; AP (or IoU) where None.
    slices, attributes
        Parts of the holdout on which `metrics` are measured too; see `rapideval.judge.slices`.
    level
        Of the intervals, by `draws` bootstrap draws of the images; the permutation test makes as many.
    family
        Correction of a metric's p-values over labels.
    score
        From which detections count in the changes by image.
    min_objects, min_images
        With fewer a verdict would mean nothing: ``"insufficient"``.

    Returns
    -------
    Comparison

    Raises
    ------
    EvaluationError
        Where the two do not measure the same thing.
    """
    check_comparable(baseline, candidate)
    detection = isinstance(baseline, DetectionEvaluation)
    over_all = list(baseline.summary_names) if metrics is None else list(metrics)
    per_label = (["AP"] if detection else ["IoU"]) if label_metrics is None else list(label_metrics)
    if detection and baseline.protocol.class_agnostic:
        per_label = []
    for names, labelled in ((over_all, False), (per_label, True)):
        for name in names:
            check_metric(baseline, name, labelled)
    wanted = [Quantity(name) for name in over_all]
    wanted += [Quantity(m, label) for m in per_label for label in baseline.labels.names[: baseline.truth_labels]]
    options = {"draws": draws, "seed": seed, "threads": threads}
    less = {name: less_is_better(name) for name in over_all + per_label}
    measured = measure_pair(baseline, candidate, wanted, less_is_better=less, **options)  # type: ignore[arg-type]
    p_values = permutation_p_values(baseline, candidate, wanted, **options)
    adjusted = p_values.copy()
    start = len(over_all)
    for _ in per_label:
        adjusted[start : start + baseline.truth_labels] = adjust(
            p_values[start : start + baseline.truth_labels], family
        )
        start += baseline.truth_labels
    enough = (min_objects, min_images)
    differences = [_difference(m, float(p), level, enough) for m, p in zip(measured, adjusted, strict=True)]
    for name in slices:
        part: Slice = find_slice(name, baseline, attributes or {})
        inside = [Quantity(metric, area=part.area) for metric in over_all if part.area is None or "_" not in metric]
        if part.area is not None:
            inside = [q for q in inside if q.metric[:2] == "AP" or q.metric == f"AR{baseline.protocol.limits[-1]}"]
        rows = measure_pair(baseline, candidate, inside, part, less_is_better=less, **options)  # type: ignore[arg-type]
        differences += [_difference(m, math.nan, level, enough) for m in rows]
    return Comparison(
        provenance=provenance(baseline, candidate, draws, seed, level),
        differences=differences,
        changes=image_changes(baseline, candidate, score, limit=most_changes),
        **_at_thresholds(baseline, candidate, draws, seed, level, threads),
    )


def _at_thresholds(
    baseline: Evaluation, candidate: Evaluation, draws: int, seed: int, level: float, threads: int
) -> dict[str, Any]:
    if not (isinstance(baseline, DetectionEvaluation) and isinstance(candidate, DetectionEvaluation)):
        return {}
    versions = {"baseline": baseline, "candidate": candidate}
    return {
        "points": point_changes(baseline, candidate, draws=draws, seed=seed, level=level, threads=threads),
        "reliability": {name: reliability(one.matches, level=level) for name, one in versions.items()},
    }


def _difference(measured: Measured, p_value: float, level: float, enough: tuple[int, int]) -> Difference:
    gain = measured.gain()
    interval = gain.interval(level)
    low, high = (-interval.high, -interval.low) if measured.less_is_better else (interval.low, interval.high)
    return Difference(
        metric=measured.metric,
        label=measured.label,
        slice=measured.slice,
        baseline=measured.baseline,
        candidate=measured.candidate,
        difference=measured.candidate - measured.baseline,
        low=low,
        high=high,
        p_value=p_value,
        objects=measured.objects,
        images=measured.images,
        detectable_drop=detectable_drop(gain.deviation, level),
        verdict=_change(measured, gain.value, (interval.low, interval.high), p_value, level, enough),
    )


def _change(
    measured: Measured,
    gain: float,
    interval: tuple[float, float],
    p_value: float,
    level: float,
    enough: tuple[int, int],
) -> Change:
    if not math.isfinite(gain) or measured.objects < enough[0] or measured.images < enough[1]:
        return "insufficient"
    # The permutation test where one was made; in slices the interval alone.
    shown = p_value <= 1 - level if math.isfinite(p_value) else not interval[0] <= 0 <= interval[1]
    if not shown or gain == 0:
        return "no difference shown"
    return "better" if gain > 0 else "worse"
