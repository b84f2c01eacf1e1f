"""An evaluation: what was compared, by which protocol, and all numbers that can be counted from it."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import Problem, UsageError
from rapideval.metrics import guards
from rapideval.metrics.detection import Curves, accumulate
from rapideval.metrics.match import match_aligned
from rapideval.metrics.matches import Matches
from rapideval.metrics.operating import OperatingPoint, operating_point
from rapideval.metrics.per_label import LabelTable, per_label
from rapideval.metrics.protocol import Protocol, Task
from rapideval.model import Aligned, Dataset, Images, Labels, align

if TYPE_CHECKING:
    from rapideval.model.join import By

__all__ = ["Evaluation", "evaluate"]


class Evaluation:
    """Scores of one set of predictions.

    `evaluate` makes it, `Evaluation.load` reads a saved one. Its numbers are counted from the match table when they are
    asked for, and kept.

    Attributes
    ----------
    protocol, images, labels
        What was compared, and how. `labels` begins with the ground truth's.
    matches : Matches
        What became of every detection and object.
    notes : tuple of Problem
        What the guards found worth knowing: labels that only the predictions have, images without an answer, ...
    """

    def __init__(
        self,
        matches: Matches,
        *,
        notes: tuple[Problem, ...] = (),
        fingerprints: Mapping[str, str] | None = None,
        datasets: tuple[Dataset, Dataset] | None = None,
        aligned: Aligned | None = None,
        detections: int | None = None,
        threads: int = 0,
    ) -> None:
        self.matches = matches
        self.notes = notes
        self._fingerprints = dict(fingerprints or {})
        self._datasets = datasets
        self._aligned = aligned
        self._detections = len(matches) if detections is None else detections
        self._threads = threads

    # --- what was compared -----------------------------------------------------------------------

    @property
    def protocol(self) -> Protocol:
        """What the evaluation counts."""
        return self.matches.protocol

    @property
    def task(self) -> Task:
        """``"detection"``, ``"instance"`` or ``"semantic"``."""
        return self.protocol.task

    @property
    def images(self) -> Images:
        """The ground truth's images."""
        return self.matches.images

    @property
    def labels(self) -> Labels:
        """The ground truth's labels, then those that only the predictions have."""
        return self.matches.labels

    @cached_property
    def fingerprints(self) -> dict[str, str]:
        """Hashes of the content of ``ground_truth``, ``predictions`` and ``protocol``."""
        known = dict(self._fingerprints)
        if self._datasets is not None:
            for name, dataset in zip(("ground_truth", "predictions"), self._datasets, strict=True):
                known.setdefault(name, dataset.fingerprint())
        known["protocol"] = self.protocol.fingerprint()
        return known

    # --- numbers ---------------------------------------------------------------------------------

    @cached_property
    def curves(self) -> Curves:
        """Precision and recall of every label, threshold, size and limit."""
        return accumulate(self.matches, self._threads)

    @cached_property
    def summary(self) -> dict[str, float]:
        """The numbers that COCO reports, by name; NaN where undefined."""
        return self.curves.summary()

    def average_precision(
        self, iou: float | None = None, area: str | None = None, limit: int | None = None, label: str | None = None
    ) -> float:
        """AP; see `Curves.average_precision`."""
        return self.curves.average_precision(iou, area, limit, label)

    def average_recall(
        self, iou: float | None = None, area: str | None = None, limit: int | None = None, label: str | None = None
    ) -> float:
        """AR; see `Curves.average_recall`."""
        return self.curves.average_recall(iou, area, limit, label)

    def per_label(self, score: float = 0.5, iou: float | None = None) -> LabelTable:
        """One row a label: counts, AP, AR, and precision, recall and F1 at an operating point; see `per_label`."""
        return per_label(self.matches, self.curves, score, iou)

    def operating_point(
        self, score: float | npt.NDArray[np.float64] = 0.5, iou: float | None = None, area: str | None = None
    ) -> OperatingPoint:
        """Right and wrong detections of at least this score, and objects not found, label by label."""
        return operating_point(self.matches, score, iou, area)

    def to_pycocotools(self) -> dict[str, Any]:
        """What pycocotools' ``COCOeval.eval`` would hold; see `Curves.to_pycocotools`."""
        return self.curves.to_pycocotools(None if self.protocol.class_agnostic else self.matches.truth_labels)

    @cached_property
    def counts(self) -> dict[str, int]:
        """How much there is: images, the ground truth's labels, objects that count and that do not, detections.

        ``"matchable detections"`` are those within the protocol's highest limit.
        """
        matches = self.matches
        counting = int(matches.object_counts().sum())
        return {
            "images": len(self.images),
            "labels": matches.truth_labels,
            "objects": counting,
            "ignored objects": len(matches.objects) - counting,
            "detections": self._detections,
            "matchable detections": len(matches),
        }

    # --- saved -----------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the match table and fingerprints as one Parquet file, some tens of bytes a detection.

        All numbers can be counted from it again, and two saved evaluations compared, without images, ground truth or
        predictions.
        """
        from rapideval.metrics.saved import save

        save(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Evaluation:
        """The evaluation that `save` wrote.

        Raises
        ------
        FormatError
            Where the file is something else, of another version, or damaged.
        """
        from rapideval.metrics.saved import load

        return load(path)

    def __repr__(self) -> str:
        counts = self.counts
        kind = {"detection": "boxes", "instance": "masks"}[self.task]
        lines = [
            f"Evaluation of {kind}: "
            + ", ".join(plural(counts[name + "s"], name) for name in ("detection", "object", "label", "image"))
        ]
        groups: dict[str, list[str]] = {"AP": [], "AR": []}
        for name, value in self.summary.items():
            groups[name[:2]].append(f"{name} {shown(value)}")
        lines += ["  " + "   ".join(group) for group in groups.values()]
        lines += [f"  {note.severity}: {note}" for note in self.notes]
        return "\n".join(lines)


def evaluate(
    ground_truth: Dataset,
    predictions: Dataset,
    task: Task | None = None,
    *,
    protocol: Protocol | None = None,
    labels: Mapping[str, str] | None = None,
    join: By = "auto",
    allow: Collection[str] = (),
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
    threads
        0: all of the machine. The numbers are the same for any.

    Returns
    -------
    Evaluation

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
    >>> evaluation = evaluate(truth, found)
    >>> evaluation
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
    aligned = align(ground_truth, predictions, labels=labels, by=join)
    notes = guards.check(ground_truth, predictions, aligned, protocol.task, allow)
    matches = match_aligned(aligned, protocol, len(ground_truth.labels), threads)
    return Evaluation(
        matches,
        notes=notes,
        datasets=(ground_truth, predictions),
        aligned=aligned,
        detections=len(aligned.predictions),
        threads=threads,
    )


def plural(count: int, noun: str) -> str:
    """Count and noun: ``"1 image"``, ``"2,000 images"``."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def shown(value: float) -> str:
    """A number as tables show it; a dash where it is undefined."""
    return "–" if np.isnan(value) else f"{value:.3f}"
