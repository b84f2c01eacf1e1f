"""The rules of the pre-flight: one table, with how severe each is and why."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from rapideval.errors import EvaluationError, Problem, UsageError
from rapideval.model import Annotations, Dataset

__all__ = ["RULES", "Findings", "Rule", "Side"]

OTHERS_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that would give a plausible wrong number.

    Attributes
    ----------
    id
        Stable name, as ``allow`` takes it.
    severity
        ``"refuse"`` raises unless allowed; ``"warn"`` lets the evaluation go on and says so.
    reason
        Why the number would be wrong, or may be.
    """

    id: str
    severity: Literal["refuse", "warn"]
    reason: str


RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        # boxes
        Rule("box-corners", "refuse", "boxes x1, y1, x2, y2 read as x, y, width, height overlap the wrong pixels"),
        Rule(
            "box-normalised", "refuse", "boxes in fractions of the image lie within one or two pixels and match nothing"
        ),
        Rule("box-negative", "refuse", "a negative width or height has no area and no overlap"),
        Rule("box-empty", "warn", "a box without area can match nothing"),
        Rule("box-outside", "warn", "many boxes beyond the image come of another resolution, or of swapped axes"),
        Rule(
            "box-scale",
            "warn",
            "predictions that never reach the far side of their images come of a smaller resolution",
        ),
        # scores
        Rule("score-missing", "refuse", "detections are ranked by score: without scores there is no average precision"),
        Rule("score-percent", "refuse", "scores in percent make every prediction pass every operating point"),
        Rule(
            "score-range",
            "refuse",
            "scores outside [0, 1] are no confidences: operating points do not mean what they say",
        ),
        Rule(
            "score-constant",
            "warn",
            "predictions that all have one score have no ranking: their order decides the result",
        ),
        Rule("truth-scored", "refuse", "ground truth has no scores: the two arguments may be swapped"),
        # labels
        Rule("label-disjoint", "refuse", "no prediction has a label of the ground truth: every score would be 0"),
        Rule("label-spelling", "refuse", "a label that differs in case or separators only is meant to be the same"),
        Rule("label-renamed", "refuse", "a label with the id, but not the name, of a label that gets no predictions"),
        Rule(
            "label-ids", "warn", "names that stand for other ids than in the ground truth: a label list may be shifted"
        ),
        Rule(
            "label-unknown",
            "warn",
            "predictions of labels the ground truth does not have are false positives of no average",
        ),
        # images
        Rule("image-disjoint", "refuse", "no image is in both: every score would be 0"),
        Rule("image-unknown", "refuse", "predictions of images the ground truth does not have are left out"),
        Rule("image-unanswered", "warn", "images without an answer count as images where nothing was found"),
        # masks
        Rule("mask-missing", "refuse", "a box is not a mask: predictions without masks would all miss"),
        Rule("truth-mask-missing", "refuse", "ground truth without masks can be found by no mask"),
        Rule("mask-size", "refuse", "masks of another size than their image's cannot be compared with it"),
        Rule(
            "outline-outside", "warn", "many outlines beyond the image come of another resolution, or of swapped axes"
        ),
        # ids
        Rule(
            "id-duplicate",
            "refuse",
            "ground truth with repeated ids was damaged; pycocotools scores it wrong in silence",
        ),
        Rule("id-zero", "warn", "pycocotools never matches ground truth with the id 0 (rapideval does)"),
    )
}


@dataclass(frozen=True, slots=True)
class Side:
    """Ground truth or predictions, and what messages call them."""

    name: str
    data: Dataset

    @property
    def rows(self) -> Annotations:
        """Its annotations."""
        return self.data.annotations

    def where(self, row: int) -> str:
        """Place of an annotation in its file."""
        place = self.rows.where(row)
        return place if self.rows.source is not None else f"{self.name}: {place}"


class Findings:
    """What the rules find, sorted into refusals and warnings.

    Parameters
    ----------
    allow
        Ids of rules that do not refuse: what they find is a warning; what a warning finds is only told.
    """

    def __init__(self, allow: Collection[str]) -> None:
        unknown = sorted(set(allow) - RULES.keys())
        if unknown:
            raise UsageError(f"no rule {unknown[0]!r} to allow: there are {', '.join(RULES)}")
        self._allow = frozenset(allow)
        self.refused: list[Problem] = []
        self.warnings: list[Problem] = []

    def add(self, rule: str, where: str, found: str, expected: str, hint: str = "", count: int = 1) -> None:
        """One rule broken, `count` times."""
        refuse = RULES[rule].severity == "refuse"
        if refuse and rule not in self._allow:
            advice = f"allow {rule!r} if it is meant"
            hint = f"{hint}, or {advice}" if hint else advice
            self.refused.append(Problem(rule, where, found, expected, hint, "error", count))
        else:
            severity: Literal["warning", "info"] = "info" if not refuse and rule in self._allow else "warning"
            self.warnings.append(Problem(rule, where, found, expected, hint, severity, count))

    def add_rows(
        self,
        rule: str,
        side: Side,
        rows: npt.NDArray[Any],
        found: Callable[[int], str],
        expected: str,
        hint: str = "",
    ) -> None:
        """One rule broken by some annotations: the first is shown, the next named, all counted."""
        if not len(rows):
            return
        first, *others = rows[: 1 + OTHERS_SHOWN].tolist()
        text = found(first)
        if others:
            text += f" (then {', '.join(side.where(row).rsplit(': ', 1)[-1] for row in others)})"
        self.add(rule, side.where(first), text, expected, hint, len(rows))

    def close(self) -> tuple[Problem, ...]:
        """Raise what was refused, else give the warnings."""
        if self.refused:
            raise EvaluationError([*self.refused, *self.warnings])
        return tuple(self.warnings)


def numbers(values: npt.NDArray[np.float64]) -> str:
    """Numbers as a message shows them."""
    return "[" + ", ".join(f"{value:g}" for value in values.tolist()) + "]"
