"""Draws of the images for two versions at once, and permutations between them.

The unit is the image. Bootstrap: as many images as there are, with replacement, an image drawn k times counts k times;
both versions get the same draw. Permutation: for each image the two versions' answers are swapped with probability 1/2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.judge.quantities import Quantity, measure
from rapideval.judge.slices import Slice
from rapideval.judge.verdict import Measured
from rapideval.metrics import DetectionEvaluation, Evaluation, SemanticEvaluation
from rapideval.metrics.matches import Matches, Objects
from rapideval.metrics.semantic import SemanticMatches
from rapideval.model.columns import distinct

__all__ = ["measure_pair", "permutation_p_values"]

GROUPS = 100
"""Groups of images that are left out in turn, for the acceleration of BCa."""


def measure_pair(
    baseline: Evaluation,
    candidate: Evaluation,
    quantities: Sequence[Quantity],
    part: Slice | None = None,
    *,
    draws: int = 2000,
    seed: int = 0,
    threads: int = 0,
    candidate_quantities: Sequence[Quantity] | None = None,
    less_is_better: Mapping[str, bool] | None = None,
) -> list[Measured]:
    """Measure quantities of both versions on the holdout and on the same draws of it.

    Parameters
    ----------
    part
        Only these images; objects of its area range. All where None.
    draws
        Of the images; 0 where the values alone are asked for.
    candidate_quantities
        Where the candidate is measured at another operating point: the same quantities, one for one.

    Returns
    -------
    list of Measured
        One for each quantity.
    """
    count = len(baseline.images)
    chosen = np.flatnonzero(part.images) if part is not None else np.arange(count)
    weights = _all_weights(chosen, count, draws, seed, threads)
    values = [
        measure(evaluation, wanted, weights, threads)
        for evaluation, wanted in ((baseline, quantities), (candidate, candidate_quantities or quantities))
    ]
    groups = len(weights) - 1 - draws
    result = []
    for q, quantity in enumerate(quantities):
        objects, images = _support(baseline, quantity, chosen)
        columns = [v[:, q] for v in values]
        result.append(
            Measured(
                metric=quantity.metric,
                label=quantity.label,
                slice=None if part is None else part.name,
                baseline=float(columns[0][0]),
                candidate=float(columns[1][0]),
                baseline_draws=columns[0][1 + groups :],
                candidate_draws=columns[1][1 + groups :],
                objects=objects,
                images=images,
                sample=len(chosen),
                baseline_left_out=columns[0][1 : 1 + groups] if groups else None,
                candidate_left_out=columns[1][1 : 1 + groups] if groups else None,
                less_is_better=bool(less_is_better and less_is_better.get(quantity.metric)),
            )
        )
    return result


def _all_weights(
    chosen: npt.NDArray[np.int64] | npt.NDArray[np.intp], count: int, draws: int, seed: int, threads: int
) -> npt.NDArray[np.uint16]:
    """Weights of the whole (1 row), of each group left out (G rows), and of the draws (B rows)."""
    groups = min(GROUPS, len(chosen)) if len(chosen) > 2 and draws else 0
    weights = np.zeros((1 + groups + draws, count), np.uint16)
    weights[: 1 + groups, chosen] = 1
    for g in range(groups):
        weights[1 + g, chosen[g::groups]] = 0
    if len(chosen) and draws:
        weights[1 + groups :, chosen] = _core.bootstrap_weights(seed, 0, draws, len(chosen), threads)
    return weights


def _support(evaluation: Evaluation, quantity: Quantity, chosen: npt.NDArray[np.intp]) -> tuple[int, int]:
    """Objects that a quantity rests on, and images that have any."""
    inside = np.zeros(len(evaluation.images), np.bool_)
    inside[chosen] = True
    if isinstance(evaluation, SemanticEvaluation):
        rows = evaluation.matches
        there = (rows.truth > 0) & (rows.label < len(rows.labels)) & inside[rows.image]
        if quantity.label is not None:
            there &= rows.label == evaluation.labels.index(quantity.label)
        image = rows.image[there]
    else:
        assert isinstance(evaluation, DetectionEvaluation)
        matches = evaluation.matches
        area = quantity.area
        if area is None and "_" in quantity.metric:
            area = quantity.metric.split("_", 1)[1]
        there = matches.object_counts(area) & inside[matches.objects.image]
        if quantity.label is not None:
            there &= matches.objects.label == evaluation.labels.index(quantity.label)
        image = matches.objects.image[there]
    return len(image), len(distinct(image))


def permutation_p_values(
    baseline: Evaluation,
    candidate: Evaluation,
    quantities: Sequence[Quantity],
    *,
    draws: int = 1000,
    seed: int = 0,
    threads: int = 0,
) -> npt.NDArray[np.float64]:
    """Two-sided p-values (Q,) of the hypothesis that the versions are exchangeable image by image.

    Good, P. (2005), Permutation, Parametric and Bootstrap Tests of Hypotheses: the share of the draws, the observed
    assignment among them, whose difference is at least as large.
    """
    merged = _merged(baseline, candidate)
    images = len(baseline.images)
    flips = _core.coin_flips(seed, 0, draws, images, threads).astype(np.uint16)
    flips = np.concatenate([np.zeros((1, images), np.uint16), flips])
    first = measure(merged, quantities, np.concatenate([1 - flips, flips], axis=1), threads)
    second = measure(merged, quantities, np.concatenate([flips, 1 - flips], axis=1), threads)
    difference = np.abs(second - first)
    observed, drawn = difference[0], difference[1:]
    with np.errstate(invalid="ignore"):
        # Rounding must not part a difference from its equal.
        at_least = (drawn >= observed - 1e-12).sum(axis=0)
    defined = np.isfinite(drawn).sum(axis=0)
    return np.where(np.isfinite(observed) & (defined > 0), (1 + at_least) / (1 + defined), np.nan)


def _merged(baseline: Evaluation, candidate: Evaluation) -> Evaluation:
    """Both versions as one evaluation over twice the images: the candidate's answers stand on the second half."""
    if isinstance(baseline, SemanticEvaluation):
        assert isinstance(candidate, SemanticEvaluation)
        return _merged_pixels(baseline, candidate)
    assert isinstance(baseline, DetectionEvaluation)
    assert isinstance(candidate, DetectionEvaluation)
    a, b = baseline.matches, candidate.matches
    labels = a.labels.extended(b.labels.names)
    images = len(a.images)
    if a.protocol.class_agnostic:
        block = [np.zeros(len(m), np.int32) for m in (a, b)]
        place_b = np.arange(len(b.labels), dtype=np.int32)
    else:
        place_b = np.array([labels.index(name) for name in b.labels.names], np.int32)
        block = [a.label, place_b[b.label]]
    score = np.concatenate([a.score, b.score])
    where = np.concatenate(block)
    order = np.lexsort((-score, where))
    blocks = 1 if a.protocol.class_agnostic else len(labels)

    def both(name: str) -> npt.NDArray[np.generic]:
        joined: npt.NDArray[np.generic] = np.concatenate([getattr(a, name), getattr(b, name)])[order]
        return joined

    keys = [f"{version}/{key}" for version in ("baseline", "candidate") for key in a.images.keys]
    objects = Objects(
        np.concatenate([a.objects.image, b.objects.image + images]),
        np.concatenate([a.objects.label, b.objects.label]),
        np.concatenate([a.objects.ignored, b.objects.ignored]),
        np.concatenate([a.objects.matched, b.objects.matched]),
    )
    nothing = np.full(len(score), -1, np.int32)
    zeros = np.zeros(len(score))
    matches = Matches(
        protocol=a.protocol,
        images=type(a.images)(keys),
        labels=labels,
        truth_labels=a.truth_labels,
        label_offsets=np.searchsorted(where[order], np.arange(blocks + 1)).astype(np.int64),
        row=both("row"),
        image=np.concatenate([a.image, b.image + images])[order],
        score=score[order],
        rank=both("rank"),
        iou=zeros,
        iou_row=nothing,
        matched_iou=zeros,
        matched_row=nothing,
        matched=np.concatenate([a.matched, b.matched])[order],
        ignored=np.concatenate([a.ignored, b.ignored])[order],
        objects=objects,
        label=np.concatenate([a.label, place_b[b.label]])[order],
    )
    return DetectionEvaluation(matches)


def _merged_pixels(baseline: SemanticEvaluation, candidate: SemanticEvaluation) -> SemanticEvaluation:
    a, b = baseline.matches, candidate.matches
    names = a.labels.extended(b.labels.names)
    # Background stands behind the labels, so its place moves where the labels grow.
    place_a = np.array([*range(len(a.labels)), len(names)], np.int32)
    place_b = np.array([*(names.index(name) for name in b.labels.names), len(names)], np.int32)
    image = np.concatenate([a.image, b.image + a.images])
    label = np.concatenate([place_a[a.label], place_b[b.label]])
    order = np.lexsort((label, image))
    columns = {
        name: np.concatenate([getattr(a, name), getattr(b, name)])[order]
        for name in ("truth", "predicted", "intersection")
    }
    matches = SemanticMatches(
        labels=names,
        images=2 * a.images,
        image=image[order],
        label=label[order],
        confusion=np.zeros((len(names) + 1, len(names) + 1), np.int64),
        ignored=np.concatenate([a.ignored, b.ignored]),
        covered=np.concatenate([a.covered, b.covered]),
        **columns,
    )
    keys = [f"{version}/{key}" for version in ("baseline", "candidate") for key in baseline.images.keys]
    return SemanticEvaluation(
        matches, protocol=baseline.protocol, images=type(baseline.images)(keys), truth_labels=len(names)
    )
