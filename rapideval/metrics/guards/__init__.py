"""The pre-flight: what would give a plausible wrong number is refused, or said, before anything is scored.

Run lengths that do not sum to their image, masks of another size than their image's, and numbers that are not finite
never come so far: reading and the model refuse them (``rle-sum``, ``mask-size``, ``not-finite``).
"""

from __future__ import annotations

from collections.abc import Collection

from rapideval.errors import Problem
from rapideval.metrics.guards.boxes import check_boxes, check_scale
from rapideval.metrics.guards.joins import check_ids, check_images, check_labels
from rapideval.metrics.guards.masks import check_masks, check_outlines
from rapideval.metrics.guards.rules import RULES, Findings, Rule, Side
from rapideval.metrics.guards.scores import check_scores
from rapideval.model import Aligned, Dataset

__all__ = ["RULES", "Rule", "check", "check_alone"]


def check_alone(dataset: Dataset, name: str = "dataset", allow: Collection[str] = ()) -> tuple[Problem, ...]:
    """Look for what one dataset alone shows to be wrong: ids, scores, boxes, outlines.

    Parameters
    ----------
    dataset
        Ground truth or predictions.
    name
        What messages call it, where a row does not know the place it was read from.
    allow
        Ids of rules that are not to refuse; see `RULES`.

    Returns
    -------
    tuple of Problem
        Those that `check` would refuse have the severity ``"error"``; nothing is raised.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> rows = Annotations([0], [0], [[10, 20, 300, -200]])
    >>> [(problem.rule, problem.severity) for problem in check_alone(Dataset(Images(["a"]), Labels(["cat"]), rows))]
    [('box-negative', 'error')]
    """
    findings = Findings(allow)
    side = Side(name, dataset)
    if dataset.scored:
        nothing = dataset.take(slice(0))
        check_scores(Side(name, nothing), side, findings)
    else:
        check_ids(side, findings)
    check_boxes(side, findings)
    check_outlines(side, findings)
    return (*findings.refused, *findings.warnings)


def check(
    ground_truth: Dataset,
    predictions: Dataset,
    joined: Aligned,
    task: str = "detection",
    allow: Collection[str] = (),
) -> tuple[Problem, ...]:
    """Look for what would give a plausible wrong number.

    Parameters
    ----------
    ground_truth, predictions
        As they were read.
    joined
        What `rapideval.model.align` made of them.
    task
        ``"detection"``, ``"instance"`` or ``"semantic"``: the last two compare masks, the first two need scores.
    allow
        Ids of rules that are not to refuse; see `RULES`.

    Returns
    -------
    tuple of Problem
        The warnings.

    Raises
    ------
    EvaluationError
        With all that was refused, each with the place of the first, a hint, and how many there are.
    UsageError
        For an unknown rule in `allow`.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels
    >>> from rapideval.model import align
    >>> images, labels = Images(["a.jpg"], sizes=[[480, 640]]), Labels(["cat"])
    >>> truth = Dataset(images, labels, Annotations([0], [0], [[10, 20, 300, 200]]))
    >>> found = Dataset(images, labels, Annotations([0], [0], [[10, 20, 300, 200]], [97.5]))
    >>> check(truth, found, align(truth, found))
    Traceback (most recent call last):
        ...
    rapideval.errors.EvaluationError: predictions: annotations[0]: found score 97.5, and up to 97.5, expected \
confidences from 0 to 1; hint: scores look like percentages: divide them by 100, or allow 'score-percent' if it is \
meant [score-percent]
    """
    findings = Findings(allow)
    truth, found = Side("ground truth", ground_truth), Side("predictions", predictions)
    # Rules on coordinates need the sizes of images, which the ground truth knows.
    placed_truth, placed = Side("ground truth", joined.ground_truth), Side("predictions", joined.predictions)
    check_images(truth, found, joined, findings)
    check_labels(truth, found, findings)
    check_ids(truth, findings)
    if task != "semantic":
        check_scores(truth, found, findings)
        check_boxes(placed_truth, findings)
        check_boxes(placed, findings, placed_truth)
        check_scale(placed_truth, placed, findings)
    if task != "detection":
        check_masks(placed_truth, placed, findings)
    return findings.close()
