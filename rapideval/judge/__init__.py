"""Two evaluations -> a verdict: intervals by resampling images, rules of a policy, and what they add up to."""

from rapideval.judge.changes import ImageChange, image_changes
from rapideval.judge.compare import Comparison, Difference, compare
from rapideval.judge.gate import GateResult, gate
from rapideval.judge.policy import Policy
from rapideval.judge.slices import read_attributes
from rapideval.judge.verdict import Outcome

__all__ = [
    "Comparison",
    "Difference",
    "GateResult",
    "ImageChange",
    "Outcome",
    "Policy",
    "compare",
    "gate",
    "image_changes",
    "read_attributes",
]
