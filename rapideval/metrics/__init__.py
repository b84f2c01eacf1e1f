"""Ground truth against predictions: matched once, then counted. One module per family of numbers."""

from rapideval.metrics.by_label import per_label
from rapideval.metrics.confusion import ConfusionMatrix, confusion_matrix, with_other_labels
from rapideval.metrics.detection import Curves, accumulate
from rapideval.metrics.detection_evaluation import DetectionEvaluation
from rapideval.metrics.equal_scores import Ties, ap_range, ties
from rapideval.metrics.evaluation import Evaluation
from rapideval.metrics.label_table import LabelTable
from rapideval.metrics.matches import Matches, Objects
from rapideval.metrics.matching import match
from rapideval.metrics.operating import BestPoints, OperatingPoint, best_f1, operating_point
from rapideval.metrics.pr_curves import PrecisionRecall, precision_recall
from rapideval.metrics.protocol import COCO_AREAS, AreaRange, Protocol
from rapideval.metrics.scoring import evaluate
from rapideval.metrics.semantic import SemanticMatches, match_semantic
from rapideval.metrics.semantic_evaluation import SemanticEvaluation
from rapideval.metrics.voc import VocAP, voc_average_precision

__all__ = [
    "COCO_AREAS",
    "AreaRange",
    "BestPoints",
    "ConfusionMatrix",
    "Curves",
    "DetectionEvaluation",
    "Evaluation",
    "LabelTable",
    "Matches",
    "Objects",
    "OperatingPoint",
    "PrecisionRecall",
    "Protocol",
    "SemanticEvaluation",
    "SemanticMatches",
    "Ties",
    "VocAP",
    "accumulate",
    "ap_range",
    "best_f1",
    "confusion_matrix",
    "evaluate",
    "match",
    "match_semantic",
    "operating_point",
    "per_label",
    "precision_recall",
    "ties",
    "voc_average_precision",
    "with_other_labels",
]
