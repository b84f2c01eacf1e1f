"""Ground truth against predictions: matched once, then counted. One module per family of numbers."""

from rapideval.metrics.detection import Curves, accumulate
from rapideval.metrics.evaluation import Evaluation, evaluate
from rapideval.metrics.match import match
from rapideval.metrics.matches import Matches, Objects
from rapideval.metrics.operating import BestPoints, OperatingPoint, best_f1, operating_point
from rapideval.metrics.per_label import LabelTable, per_label
from rapideval.metrics.protocol import COCO_AREAS, AreaRange, Protocol

__all__ = [
    "COCO_AREAS",
    "AreaRange",
    "BestPoints",
    "Curves",
    "Evaluation",
    "LabelTable",
    "Matches",
    "Objects",
    "OperatingPoint",
    "Protocol",
    "accumulate",
    "best_f1",
    "evaluate",
    "match",
    "operating_point",
    "per_label",
]
