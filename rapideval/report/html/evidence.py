"""What a page is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rapideval.metrics import DetectionEvaluation, SemanticEvaluation
from rapideval.report.html.pictures import Photographs

if TYPE_CHECKING:
    from rapideval.judge import Comparison, GateResult
    from rapideval.metrics import Evaluation

__all__ = ["Evidence"]


class Evidence(NamedTuple):
    """What a page is made of.

    Attributes
    ----------
    comparison
        All differences.
    baseline, candidate
        The two evaluations; causes of errors and pictures need fresh ones.
    gate
        The verdict, where a policy was held against them.
    photographs
        Where pictures are.
    score
        From which detections count in pictures and confusion.
    """

    comparison: Comparison
    baseline: Evaluation
    candidate: Evaluation
    gate: GateResult | None = None
    photographs: Photographs = Photographs()
    score: float = 0.5

    @property
    def versions(self) -> tuple[DetectionEvaluation, DetectionEvaluation] | None:
        """Both evaluations, where they are of detections."""
        if isinstance(self.baseline, DetectionEvaluation) and isinstance(self.candidate, DetectionEvaluation):
            return self.baseline, self.candidate
        return None

    @property
    def pixels(self) -> tuple[SemanticEvaluation, SemanticEvaluation] | None:
        """Both evaluations, where they are of pixels."""
        if isinstance(self.baseline, SemanticEvaluation) and isinstance(self.candidate, SemanticEvaluation):
            return self.baseline, self.candidate
        return None

    @property
    def fresh(self) -> bool:
        """Whether ground truth and predictions themselves are at hand."""
        return self.baseline.is_fresh and self.candidate.is_fresh
