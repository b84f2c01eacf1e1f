"""The one call from ground truth and predictions to scores."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal, overload

from rapideval.errors import UsageError
from rapideval.metrics import guards
from rapideval.metrics.detection_evaluation import DetectionEvaluation
from rapideval.metrics.matching import match_aligned
from rapideval.metrics.protocol import Protocol, Task
from rapideval.model import Dataset, align

if TYPE_CHECKING:
    from rapideval.metrics.evaluation import Evaluation
    from rapideval.metrics.semantic_evaluation import SemanticEvaluation
    from rapideval.model.join import By

__all__ = ["evaluate"]

Engine = Literal["rapideval", "pycocotools"]


@overload
def evaluate(
    ground_truth: Dataset,
    predictions: Dataset,
    task: Literal["detection", "instance"] = "detection",
    *,
    protocol: None = None,
    labels: Mapping[str, str] | None = None,
    join: By = "auto",
    allow: Collection[str] = (),
    engine: Engine = "rapideval",
    threads: int = 0,
    **options: Any,
) -> DetectionEvaluation: ...


@overload
def evaluate(
    ground_truth: Dataset,
    predictions: Dataset,
    task: Literal["semantic"],
    *,
    protocol: None = None,
    labels: Mapping[str, str] | None = None,
    join: By = "auto",
    allow: Collection[str] = (),
    engine: Engine = "rapideval",
    threads: int = 0,
    **options: Any,
) -> SemanticEvaluation: ...


@overload
def evaluate(
    ground_truth: Dataset,
    predictions: Dataset,
    task: Task | None = None,
    *,
    protocol: Protocol | None = None,
    labels: Mapping[str, str] | None = None,
    join: By = "auto",
    allow: Collection[str] = (),
    engine: Engine = "rapideval",
    threads: int = 0,
    **options: Any,
) -> Evaluation: ...


def evaluate(
    ground_truth: Dataset,
    predictions: Dataset,
    task: Task | None = None,
    *,
    protocol: Protocol | None = None,
    labels: Mapping[str, str] | None = None,
    join: By = "auto",
    allow: Collection[str] = (),
    engine: Engine = "rapideval",
    threads: int = 0,
    **options: Any,
) -> Evaluation:
    """Score predictions against ground truth.

    Images are joined by name, the last part of a path or URL, or id; labels by name (see `rapideval.model.align`).

    Parameters
    ----------
    ground_truth, predictions
        What is compared; only the predictions have scores.
    task
        ``"detection"`` (boxes; the default), ``"instance"`` (masks) or ``"semantic"`` (pixels).
    protocol
        All that decides a number; or give single fields of it as keyword arguments, such as ``limits=(1, 10, 300)``.
    labels
        Prediction label name -> ground-truth label name, where they differ.
    join
        What tells that two images are the same: ``"auto"``, ``"name"``, ``"tail"`` or ``"id"``.
    allow
        Ids of guards that are not to refuse; see `rapideval.metrics.guards`.
    engine
        ``"pycocotools"`` lets the reference itself count precision and recall, for an audit; the numbers are the same,
        it takes some hundred times as long.
    threads
        0: all of the machine. The numbers are the same for any.

    Returns
    -------
    DetectionEvaluation or, for a semantic task, SemanticEvaluation

    Raises
    ------
    EvaluationError
        Where predictions and ground truth cannot be scored, or would give a plausible wrong number.

    Examples
    --------
    >>> from rapideval import Annotations, Dataset, Images, Labels, evaluate
    >>> images, labels = Images(["a.jpg"]), Labels(["cat", "dog"])
    >>> truth = Dataset(images, labels, Annotations([0], [0], [[0, 0, 40, 40]]))
    >>> found = Dataset(images, labels, Annotations([0, 0], [0, 1], [[0, 0, 40, 32], [50, 50, 9, 9]], [0.9, 0.6]))
    >>> evaluate(truth, found)
    Evaluation of boxes: 2 detections, 1 object, 2 labels, 1 image
      AP 0.700   AP50 1.000   AP75 1.000   AP_small –   AP_medium 0.700   AP_large –
      AR1 0.700   AR10 0.700   AR100 0.700   AR_small –   AR_medium 0.700   AR_large –
    """
    if protocol is None:
        protocol = Protocol(task=task or "detection", **options)
    elif options:
        raise UsageError(f"both a protocol and {', '.join(sorted(options))}: give one or the other")
    elif task is not None and task != protocol.task:
        raise UsageError(f"task {task!r}, but a protocol of task {protocol.task!r}")
    if engine not in ("rapideval", "pycocotools") or (engine == "pycocotools" and protocol.task == "semantic"):
        raise UsageError(f"no engine {engine!r} for the task {protocol.task!r}: there is 'rapideval'")
    if labels:
        # Before anything looks at labels, so that the guards see the names that are meant.
        known = {name: other for name, other in labels.items() if name in predictions.labels}
        predictions = predictions.relabel(known)
    aligned = align(ground_truth, predictions, by=join)
    notes = guards.check(ground_truth, predictions, aligned, protocol.task, allow)
    truth_labels = len(ground_truth.labels)
    if protocol.task == "semantic":
        from rapideval.metrics.semantic_evaluation import SemanticEvaluation, match_pixels

        return SemanticEvaluation(
            match_pixels(aligned, protocol, threads),
            protocol,
            ground_truth.images,
            truth_labels,
            notes=notes,
            datasets=(ground_truth, predictions),
            aligned=aligned,
        )
    curves = None
    if engine == "pycocotools":
        from rapideval.metrics.audit import pycocotools_curves

        curves = pycocotools_curves(aligned, protocol, truth_labels)
    return DetectionEvaluation(
        match_aligned(aligned, protocol, truth_labels, threads),
        notes=notes,
        datasets=(ground_truth, predictions),
        aligned=aligned,
        detections=len(aligned.predictions),
        curves=curves,
        threads=threads,
    )
