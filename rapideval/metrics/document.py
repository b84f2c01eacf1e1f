"""An evaluation as one typed document: what ``rapideval evaluate --json`` prints. Its JSON Schema is made from here."""

from __future__ import annotations

import math
from typing import Any, Literal

import msgspec

from rapideval.errors import Problem
from rapideval.metrics.calibration import Reliability
from rapideval.metrics.numbers import Number

__all__ = ["EvaluationDocument", "LabelPoint", "Range", "SavedEvaluation", "defined"]

Value = str | int | float | None


class Range(msgspec.Struct, frozen=True):
    """A number with its interval."""

    value: Number
    low: Number
    high: Number


class LabelPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The operating point of a label."""

    label: str
    score: Range
    """The threshold; its interval says how far it would move on another holdout of this size."""
    precision: Range
    """At this threshold, as the two that follow."""
    recall: Range
    f1: Range


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
    operating_points: list[LabelPoint] | None = None
    """Of each label, where they were asked for."""
    reliability: Reliability | None = None
    """Score against precision, where it was asked for."""


class SavedEvaluation(msgspec.Struct, kw_only=True):
    """Metadata of a saved evaluation: the JSON under the key ``rapideval`` of its Parquet file."""

    version: Literal[1]
    format: Literal["rapideval/matches", "rapideval/pixels"]
    """Detections of boxes or masks, or pixels by image and label."""
    columns: dict[str, list[str]]
    """Kind of row -> its columns; each kind is one row group, in this order."""
    protocol: dict[str, Any]
    """All that decides a number besides ground truth and predictions."""
    labels: list[str]
    """The ground truth's labels, then those that only the predictions have."""
    label_ids: list[int] | None
    truth_labels: int
    """How many of the labels are the ground truth's."""
    fingerprints: dict[str, str]
    """Hashes of the content of ground truth, predictions and protocol."""
    notes: list[Problem]
    """What the guards found worth knowing."""
    label_offsets: list[int] | msgspec.UnsetType = msgspec.UNSET
    """Detections: where the rows of each label begin and end."""
    detections: int | msgspec.UnsetType = msgspec.UNSET
    """Detections: how many there were, those beyond the limit among them."""


def defined(value: Any) -> Any:
    """The value, or None for NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value
