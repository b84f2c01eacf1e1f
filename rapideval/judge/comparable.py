"""Whether two evaluations may be compared: the same ground truth, images, labels and protocol, or a refusal."""

from __future__ import annotations

from rapideval.errors import EvaluationError, Problem
from rapideval.metrics import Evaluation

__all__ = ["check_comparable"]


def check_comparable(baseline: Evaluation, candidate: Evaluation) -> None:
    """Refuse two evaluations that do not measure the same thing, naming every difference.

    Raises
    ------
    EvaluationError
        Rules ``compare-task``, ``compare-protocol``, ``compare-images``, ``compare-labels``, ``compare-ground-truth``.
    """
    problems: list[Problem] = []

    def differ(rule: str, what: str, found: str, expected: str, hint: str = "") -> None:
        problems.append(Problem(rule, f"candidate: {what}", found, f"{expected}, as the baseline", hint))

    if baseline.task != candidate.task:
        differ("compare-task", "task", candidate.task, baseline.task)
    else:
        for name, (mine, theirs) in candidate.protocol.differences(baseline.protocol).items():
            differ("compare-protocol", f"protocol.{name}", str(mine), str(theirs), "evaluate both by one protocol")
    ours, theirs = set(candidate.images.keys), set(baseline.images.keys)
    if ours != theirs:
        missing, extra = sorted(theirs - ours), sorted(ours - theirs)
        found = f"{len(ours):,} images, {len(missing):,} of the baseline's missing, {len(extra):,} others"
        example = (missing or extra)[0]
        differ("compare-images", "images", found, f"the {len(theirs):,} images", f"for instance {example!r}")
    elif candidate.images.keys != baseline.images.keys:
        differ("compare-images", "images", "another order", "the same order", "evaluate both against one file")
    mine_labels = candidate.labels.names[: candidate.truth_labels]
    their_labels = baseline.labels.names[: baseline.truth_labels]
    if mine_labels != their_labels:
        only = sorted(set(mine_labels) ^ set(their_labels)) or ["the same labels in another order"]
        differ(
            "compare-labels", "labels", f"{len(mine_labels)} labels", f"{len(their_labels)}", f"not shared: {only[0]}"
        )
    if not problems:
        mine_hash, their_hash = (e.fingerprints.get("ground_truth") for e in (candidate, baseline))
        if mine_hash is not None and their_hash is not None and mine_hash != their_hash:
            differ(
                "compare-ground-truth",
                "ground truth",
                f"content {mine_hash[:19]}…",
                f"{their_hash[:19]}…",
                "the labels or boxes of the holdout changed between the two: evaluate the baseline again",
            )
    if problems:
        raise EvaluationError(problems)
