"""Scores that are no confidences."""

from __future__ import annotations

import numpy as np

from rapideval.metrics.guards.rules import Findings, Side

__all__ = ["check_scores"]

# Sums of softmax outputs and single precision reach a little beyond 1.
ROUNDING = 1e-6


def check_scores(truth: Side, found: Side, findings: Findings) -> None:
    """Rules on scores: predictions have them, ground truth has not."""
    if truth.rows.score is not None and len(truth.rows):
        swapped = found.rows.score is None
        findings.add(
            "truth-scored",
            truth.where(0),
            "ground truth with scores",
            "ground truth, which has none",
            "ground truth and predictions look swapped" if swapped else "these look like predictions",
            len(truth.rows),
        )
    if not len(found.rows):
        return
    scores = found.rows.score
    if scores is None:
        findings.add("score-missing", found.where(0), "predictions without scores", "a score each", "", len(found.rows))
        return
    low, high = float(scores.min()), float(scores.max())
    if low >= 0 and 1 + ROUNDING < high <= 100 and float((scores > 1).mean()) > 0.5:
        findings.add_rows(
            "score-percent",
            found,
            np.flatnonzero(scores > 1 + ROUNDING),
            lambda row: f"score {scores[row]:g}, and up to {high:g}",
            "confidences from 0 to 1",
            "scores look like percentages: divide them by 100",
        )
    elif low < 0 or high > 1 + ROUNDING:
        findings.add_rows(
            "score-range",
            found,
            np.flatnonzero((scores < 0) | (scores > 1 + ROUNDING)),
            lambda row: f"score {scores[row]:g}",
            "confidences from 0 to 1",
            "scores look like logits: apply the model's sigmoid or softmax" if low < 0 else "",
        )
    if low == high and len(scores) > 1:
        findings.add(
            "score-constant",
            found.where(0),
            f"the score {low:g} for every prediction",
            "scores that rank the predictions",
            "does the answer carry scores?",
            len(scores),
        )
