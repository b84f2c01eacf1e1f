"""An evaluation as one typed document: what ``rapideval evaluate --json`` prints. Its JSON Schema is made from here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from rapideval.errors import Problem

if TYPE_CHECKING:
    from rapideval.metrics.evaluation import Evaluation

__all__ = ["EvaluationDocument", "document"]

Value = str | int | float | None


class EvaluationDocument(msgspec.Struct, kw_only=True):
    """Scores of one set of predictions. Undefined numbers are null."""

    format: Literal["rapideval/evaluation"] = "rapideval/evaluation"
    version: Literal[1] = 1
    rapideval: str
    """Version of the tool."""
    task: Literal["detection", "instance", "semantic"]
    summary: dict[str, float | None]
    """The numbers that matter, by name."""
    counts: dict[str, int]
    """How much there is: images, labels, objects, detections, ..."""
    labels: list[dict[str, Value]]
    """One row a label, under its name in ``label``."""
    notes: list[Problem]
    """What is worth knowing about the input."""
    protocol: dict[str, Any]
    """All that decides a number besides ground truth and predictions."""
    fingerprints: dict[str, str]
    """Hashes of the content of ground truth, predictions and protocol."""


def document(evaluation: Evaluation) -> EvaluationDocument:
    """See `Evaluation.document`."""
    import rapideval

    return EvaluationDocument(
        rapideval=rapideval.__version__,
        task=evaluation.task,
        summary={name: _defined(value) for name, value in evaluation.summary.items()},
        counts=evaluation.counts,
        labels=[{name: _defined(value) for name, value in row.items()} for row in evaluation.label_table().rows()],
        notes=list(evaluation.notes),
        protocol=evaluation.protocol.to_dict(),
        fingerprints=evaluation.fingerprints,
    )


def _defined(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
