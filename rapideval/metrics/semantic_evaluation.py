"""The evaluation of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from rapideval.errors import Problem
from rapideval.metrics.evaluation import Evaluation
from rapideval.metrics.label_table import LabelTable
from rapideval.metrics.protocol import Protocol
from rapideval.metrics.semantic import SemanticMatches, match_semantic
from rapideval.model import Aligned, Dataset, Images

if TYPE_CHECKING:
    from rapideval.metrics.storage import Group

__all__ = ["SemanticEvaluation", "counted_truth", "match_pixels"]


class SemanticEvaluation(Evaluation):
    """Scores of semantic segmentation.

    Attributes
    ----------
    matches : SemanticMatches
        Pixels by image and label: the table that all numbers are counted from.
    """

    kind = "pixels"
    file_format = "rapideval/pixels"

    def __init__(
        self,
        matches: SemanticMatches,
        protocol: Protocol,
        images: Images,
        truth_labels: int,
        *,
        notes: tuple[Problem, ...] = (),
        fingerprints: Mapping[str, str] | None = None,
        datasets: tuple[Dataset, Dataset] | None = None,
        aligned: Aligned | None = None,
    ) -> None:
        super().__init__(protocol, images, matches.labels, truth_labels, notes, fingerprints, datasets, aligned)
        self.matches = matches

    @cached_property
    def summary(self) -> dict[str, float]:
        """mIoU, mDice, fwIoU, pixel accuracy, mean accuracy; see `SemanticMatches.summary`."""
        return self.matches.summary()

    @cached_property
    def counts(self) -> dict[str, int]:
        """How much there is: images, the ground truth's labels, pixels that count and that do not."""
        return {
            "images": len(self.images),
            "labels": self.truth_labels,
            "pixels": int(self.matches.confusion.sum()),
            "ignored pixels": int(self.matches.ignored.sum()),
            "covered truth pixels": int(self.matches.covered[:, 0].sum()),
            "covered predicted pixels": int(self.matches.covered[:, 1].sum()),
        }

    def label_table(self) -> LabelTable:
        """One row a label: IoU, Dice, accuracy, precision, and pixels; see `SemanticMatches.per_label`."""
        return self.matches.per_label()

    def per_label(self) -> LabelTable:
        """One row a label; see `label_table`."""
        return self.label_table()

    def _columns(self) -> tuple[dict[str, Any], dict[str, Group]]:
        from rapideval.metrics.saved import pixel_columns

        return {}, pixel_columns(self.matches, self.images)

    @classmethod
    def _restored(
        cls, document: dict[str, Any], groups: dict[str, Group], notes: tuple[Problem, ...]
    ) -> SemanticEvaluation:
        from rapideval.metrics.saved import images_of, pixel_matches

        return cls(
            pixel_matches(document, groups),
            Protocol.from_dict(document["protocol"]),
            images_of(groups),
            document["truth_labels"],
            notes=notes,
            fingerprints=document["fingerprints"],
        )


def match_pixels(aligned: Aligned, protocol: Protocol, threads: int = 0) -> SemanticMatches:
    """Compare label masks of joined datasets by a protocol; ground truth of its `ignore_labels` is left out."""
    truth = counted_truth(aligned, protocol)
    return match_semantic(truth, aligned.predictions, unlabelled=protocol.unlabelled, threads=threads)


def counted_truth(aligned: Aligned, protocol: Protocol) -> Dataset:
    """The ground truth, with what the protocol leaves out as crowd."""
    truth = aligned.ground_truth
    if protocol.ignore_labels:
        places = [place for name in protocol.ignore_labels if (place := truth.labels.get(name)) is not None]
        left_out = truth.annotations.crowd | np.isin(truth.annotations.label, places)
        truth = truth.replace(annotations=truth.annotations.replace(crowd=left_out))
    return truth
