"""What changed in which image: objects that were found and are lost, and false positives that are new."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from rapideval.metrics import DetectionEvaluation, Evaluation, SemanticEvaluation
from rapideval.metrics.numbers import Number

__all__ = ["ImageChange", "image_changes", "lost_and_gained"]


class ImageChange(msgspec.Struct, frozen=True, kw_only=True):
    """How the two versions differ on one image."""

    image: str
    lost: int
    """Objects that the baseline found and the candidate does not."""
    gained: int
    """Objects that only the candidate finds."""
    new_false_positives: int
    """By how many more false positives the candidate has (negative: fewer)."""
    lost_labels: list[str]
    """Labels of the lost objects."""
    balance: Number
    """What the ranking goes by: lost less gained objects plus new false positives; of pixels, the loss of mean IoU."""


def image_changes(
    baseline: Evaluation, candidate: Evaluation, score: float = 0.5, iou: float | None = None, limit: int | None = None
) -> list[ImageChange]:
    """Images on which the versions differ, the worst for the candidate first.

    Parameters
    ----------
    score
        Detections of at least this score count.
    iou
        From which an object is found; None: the protocol's reference.
    limit
        At most so many images; all where None.
    """
    if isinstance(baseline, SemanticEvaluation):
        assert isinstance(candidate, SemanticEvaluation)
        return _pixel_changes(baseline, candidate, limit)
    assert isinstance(baseline, DetectionEvaluation)
    assert isinstance(candidate, DetectionEvaluation)
    return _object_changes(baseline, candidate, score, iou, limit)


def _worst(images: npt.NDArray[np.intp], balance: npt.NDArray[Any], limit: int | None) -> list[int]:
    """The images of highest balance, among equals in their order."""
    worst: list[int] = images[np.argsort(-balance[images], kind="stable")][:limit].tolist()
    return worst


def _found(evaluation: DetectionEvaluation, score: float, iou: float | None) -> npt.NDArray[np.bool_]:
    """Objects found by a detection of at least this score, (G,)."""
    matches = evaluation.matches
    found = np.zeros(len(matches.objects), np.bool_)
    reference = matches.protocol.reference_iou
    if iou is None or abs(iou - reference) < 1e-12:
        hits = matches.matched_row[(matches.score >= score) & (matches.matched_row >= 0)]
        found[hits] = True
    else:
        found = matches.object_is_found(iou)
    return found & matches.object_counts()


def lost_and_gained(
    baseline: DetectionEvaluation, candidate: DetectionEvaluation, score: float = 0.5, iou: float | None = None
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Objects that only the baseline finds, and those that only the candidate finds: bool (G,) each.

    Parameters
    ----------
    score, iou
        As in `image_changes`.
    """
    before, after = (_found(evaluation, score, iou) for evaluation in (baseline, candidate))
    return before & ~after, after & ~before


def _object_changes(
    baseline: DetectionEvaluation, candidate: DetectionEvaluation, score: float, iou: float | None, limit: int | None
) -> list[ImageChange]:
    objects = baseline.matches.objects
    only_before, only_after = lost_and_gained(baseline, candidate, score, iou)
    count = len(baseline.images)

    def per_image(rows: npt.NDArray[np.bool_], image: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
        return np.bincount(image[rows], minlength=count)

    lost, gained = per_image(only_before, objects.image), per_image(only_after, objects.image)
    wrong = [
        per_image(e.matches.is_false(iou) & (e.matches.score >= score), e.matches.image) for e in (baseline, candidate)
    ]
    more = wrong[1] - wrong[0]
    balance = lost - gained + more
    changes = []
    lost_image, lost_label = objects.image[only_before], objects.label[only_before]
    for image in _worst(np.flatnonzero((lost > 0) | (gained > 0) | (more != 0)), balance, limit):
        labels = lost_label[lost_image == image]
        changes.append(
            ImageChange(
                image=baseline.images.key(image),
                lost=int(lost[image]),
                gained=int(gained[image]),
                new_false_positives=int(more[image]),
                lost_labels=[baseline.labels.names[k] for k in labels.tolist()],
                balance=float(balance[image]),
            )
        )
    return changes


def _pixel_changes(baseline: SemanticEvaluation, candidate: SemanticEvaluation, limit: int | None) -> list[ImageChange]:
    loss = baseline.matches.image_iou() - candidate.matches.image_iou()
    return [
        ImageChange(
            image=baseline.images.key(image),
            lost=0,
            gained=0,
            new_false_positives=0,
            lost_labels=[],
            balance=float(loss[image]),
        )
        for image in _worst(np.flatnonzero(np.isfinite(loss) & (loss != 0)), loss, limit)
    ]
