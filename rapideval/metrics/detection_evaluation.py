"""The evaluation of boxes or masks."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import Problem
from rapideval.metrics.by_label import per_label
from rapideval.metrics.confusion import ConfusionMatrix, confusion_matrix, with_other_labels
from rapideval.metrics.detection import Curves, accumulate
from rapideval.metrics.equal_scores import Ties, ties
from rapideval.metrics.evaluation import Evaluation
from rapideval.metrics.label_table import LabelTable
from rapideval.metrics.matches import Matches
from rapideval.metrics.operating import OperatingPoint, operating_point
from rapideval.metrics.pr_curves import PrecisionRecall, precision_recall
from rapideval.metrics.voc import Method, VocAP, voc_average_precision
from rapideval.model import Aligned, Dataset

if TYPE_CHECKING:
    from rapideval.metrics.audit import Audit
    from rapideval.metrics.causes import Causes
    from rapideval.metrics.storage import Group

__all__ = ["DetectionEvaluation"]


class DetectionEvaluation(Evaluation):
    """Scores of detections: boxes, or masks of objects.

    Attributes
    ----------
    matches : Matches
        What became of every detection and object: the table that all numbers are counted from.
    """

    file_format = "rapideval/matches"

    def __init__(
        self,
        matches: Matches,
        *,
        notes: tuple[Problem, ...] = (),
        fingerprints: Mapping[str, str] | None = None,
        datasets: tuple[Dataset, Dataset] | None = None,
        aligned: Aligned | None = None,
        detections: int | None = None,
        curves: Curves | None = None,
        threads: int = 0,
    ) -> None:
        super().__init__(
            matches.protocol,
            matches.images,
            matches.labels,
            matches.truth_labels,
            notes,
            fingerprints,
            datasets,
            aligned,
        )
        self.matches = matches
        self._detections = len(matches) if detections is None else detections
        self._threads = threads
        if curves is not None:
            self.curves = curves

    @property
    def kind(self) -> str:  # type: ignore[override]
        """``"boxes"`` or ``"masks"``."""
        return "boxes" if self.task == "detection" else "masks"

    @cached_property
    def curves(self) -> Curves:
        """Precision and recall of every label, threshold, size and limit."""
        return accumulate(self.matches, self._threads)

    @cached_property
    def summary(self) -> dict[str, float]:
        """The numbers that COCO reports, by name; NaN where undefined. See `Curves.summary`."""
        return self.curves.summary()

    @property
    def summary_names(self) -> tuple[str, ...]:
        """See `Protocol.summary_metrics`."""
        return tuple(self.protocol.summary_metrics())

    @cached_property
    def counts(self) -> dict[str, int]:
        """How much there is: images, the ground truth's labels, objects that count and that do not, detections.

        ``"matchable detections"`` are those within the protocol's highest limit.
        """
        matches = self.matches
        counting = int(matches.object_counts().sum())
        return {
            "images": len(self.images),
            "labels": self.truth_labels,
            "objects": counting,
            "ignored objects": len(matches.objects) - counting,
            "detections": self._detections,
            "matchable detections": len(matches),
        }

    # --- numbers ---------------------------------------------------------------------------------

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

    def label_table(self) -> LabelTable:
        """One row a label, at score 0.5."""
        return self.per_label()

    def per_label(self, score: float = 0.5, iou: float | None = None) -> LabelTable:
        """One row a label: counts, AP, AR, and precision, recall and F1 at an operating point.

        See `rapideval.metrics.per_label`.
        """
        return per_label(self.matches, self.curves, score, iou)

    def operating_point(
        self, score: float | npt.NDArray[np.float64] = 0.5, iou: float | None = None, area: str | None = None
    ) -> OperatingPoint:
        """Right and wrong detections of at least this score, and objects not found, label by label."""
        return operating_point(self.matches, score, iou, area)

    def precision_recall(
        self, label: str | None = None, iou: float | None = None, area: str | None = None
    ) -> PrecisionRecall:
        """Precision and recall at every score; see `rapideval.metrics.precision_recall`."""
        return precision_recall(self.matches, label, iou, area)

    def confusion(self, score: float = 0.5) -> ConfusionMatrix:
        """Which labels are taken for which, and what for background; see `rapideval.metrics.confusion_matrix`."""
        self._tell_other_labels()
        return confusion_matrix(self.matches, score)

    def voc_average_precision(self, iou: float = 0.5, method: Method = "every point") -> VocAP:
        """AP as Pascal VOC defines it; see `rapideval.metrics.voc_average_precision`."""
        return voc_average_precision(self.matches, iou, method)

    def ties(self) -> Ties:
        """How many scores are equal; see `rapideval.metrics.ties`."""
        return ties(self.matches)

    def audit(self) -> Audit:
        """The same numbers by pycocotools itself, and whether all bits agree."""
        from rapideval.metrics.audit import audit

        return audit(self.curves, self.aligned("audits"), self.protocol, self.truth_labels)

    def causes(self, found: float = 0.5, background: float = 0.1) -> Causes:
        """Why detections are wrong and objects missed, and what AP that costs: TIDE's causes of errors.

        Raises
        ------
        UsageError
            For an evaluation that was loaded: the causes need the objects themselves.
        """
        from rapideval.metrics.causes import explain

        aligned = self.aligned("causes of errors")
        return explain(
            aligned.ground_truth,
            aligned.predictions,
            task="detection" if self.task == "detection" else "instance",
            found=found,
            background=background,
            max_detections=self.protocol.limits[-1],
            threads=self._threads,
        )

    def _tell_other_labels(self) -> None:
        if self._aligned is not None and not self.protocol.class_agnostic:
            self.matches = with_other_labels(self.matches, self._aligned, self._threads)

    def to_pycocotools(self) -> dict[str, Any]:
        """What pycocotools' ``COCOeval.eval`` would hold; see `Curves.to_pycocotools`."""
        return self.curves.to_pycocotools(None if self.protocol.class_agnostic else self.truth_labels)

    def _columns(self) -> tuple[dict[str, Any], dict[str, Group]]:
        from rapideval.metrics.saved import detection_columns

        self._tell_other_labels()
        document = {"label_offsets": self.matches.label_offsets.tolist(), "detections": self._detections}
        return document, detection_columns(self.matches)

    @classmethod
    def _restored(
        cls, document: dict[str, Any], groups: dict[str, Group], notes: tuple[Problem, ...]
    ) -> DetectionEvaluation:
        from rapideval.metrics.saved import detection_matches

        return cls(
            detection_matches(document, groups),
            notes=notes,
            fingerprints=document["fingerprints"],
            detections=int(document["detections"]),
        )

    def _rows(self) -> list[list[str]]:
        names = list(self.summary)
        return [[name for name in names if name.startswith(kind)] for kind in ("AP", "AR")]
