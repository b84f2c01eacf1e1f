"""Ground truth against predictions: matched once, then counted. One module per family of numbers."""

from rapideval.metrics.detection import Curves, accumulate
from rapideval.metrics.evaluation import Evaluation, evaluate
from rapideval.metrics.match import match
from rapideval.metrics.matches import Matches, Objects
from rapideval.metrics.protocol import COCO_AREAS, AreaRange, Protocol

__all__ = [
    "COCO_AREAS",
    "AreaRange",
    "Curves",
    "Evaluation",
    "Matches",
    "Objects",
    "Protocol",
    "accumulate",
    "evaluate",
    "match",
]
