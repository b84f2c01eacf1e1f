"""Ground truth against predictions: matched once, then counted. One module per family of numbers."""

from rapideval.metrics.by_label import per_label
from rapideval.metrics.detection import Curves, accumulate
from rapideval.metrics.detection_evaluation import DetectionEvaluation
from rapideval.metrics.evaluation import Evaluation
from rapideval.metrics.label_table import LabelTable
from rapideval.metrics.matches import Matches, Objects
from rapideval.metrics.matching import match
from rapideval.metrics.operating import BestPoints, OperatingPoint, best_f1, operating_point
from rapideval.metrics.protocol import COCO_AREAS, AreaRange, Protocol
from rapideval.metrics.scoring import evaluate
from rapideval.metrics.semantic import SemanticMatches, match_semantic
from rapideval.metrics.semantic_evaluation import SemanticEvaluation

__all__ = [
    "COCO_AREAS",
    "AreaRange",
    "BestPoints",
    "Curves",
    "DetectionEvaluation",
    "Evaluation",
    "LabelTable",
    "Matches",
    "Objects",
    "OperatingPoint",
    "Protocol",
    "SemanticEvaluation",
    "SemanticMatches",
    "accumulate",
    "best_f1",
    "evaluate",
    "match",
    "match_semantic",
    "operating_point",
    "per_label",
]
