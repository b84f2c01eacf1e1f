"""How many scores tie, and what that does to average precision."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.metrics.detection import accumulate
from rapideval.metrics.matches import Matches

__all__ = ["Ties", "ap_range", "ties"]


class Ties(NamedTuple):
    """Detections that share their score with another of their label.

    Attributes
    ----------
    detections
        All detections.
    tied
        Those that share their score.
    groups
        How many scores are shared.
    largest
        Size of the largest group.
    mixed
        Detections in groups with both true and false positives: only their order can change a number.
    """

    detections: int
    tied: int
    groups: int
    largest: int
    mixed: int

    @property
    def share(self) -> float:
        """Share of the detections that are tied; NaN where there are none."""
        return self.tied / self.detections if self.detections else float("nan")


def ties(matches: Matches) -> Ties:
    """Count equal scores within labels: half-precision endpoints and rounded JSON make many.

    Equal scores are ordered by image, as pycocotools orders them: a convention, not a judgement of the model.
    """
    group = _groups(matches)
    sizes = np.bincount(group) if len(group) else np.zeros(0, np.int64)
    shared = sizes > 1
    right = np.bincount(group[matches.is_true()], minlength=len(sizes)) > 0
    wrong = np.bincount(group[matches.is_false()], minlength=len(sizes)) > 0
    return Ties(
        len(matches),
        int(sizes[shared].sum()),
        int(shared.sum()),
        int(sizes.max(initial=0)) if shared.any() else 0,
        int(sizes[shared & right & wrong].sum()),
    )


def ap_range(matches: Matches, iou: float | None = None, area: str | None = None) -> tuple[float, float]:
    """Lowest and highest AP at one IoU threshold that another order of equal scores could give.

    Within each group of equal scores the false positives, or the true ones, come first; who is matched to what stays.
    """
    group, right, wrong = _groups(matches), matches.is_true(iou, area), matches.is_false(iou, area)
    threshold = matches.protocol.iou_thresholds[matches.protocol.threshold_place(iou)]
    worst, best = (
        accumulate(_reordered(matches, np.lexsort((first, group)))).average_precision(threshold, area)
        for first in (~wrong, ~right)
    )
    return worst, best


def _groups(matches: Matches) -> npt.NDArray[np.int64]:
    """Number of the group of equal score and label of each row, rising."""
    if not len(matches):
        return np.zeros(0, np.int64)
    new = np.append(True, matches.score[1:] != matches.score[:-1])
    starts = matches.label_offsets[:-1]
    new[starts[starts < len(matches)]] = True
    return np.cumsum(new) - 1


def _reordered(matches: Matches, order: npt.NDArray[np.intp]) -> Matches:
    names = ("row", "image", "label", "score", "rank", "iou", "iou_row", "matched_iou", "matched_row")
    columns = {name: getattr(matches, name)[order] for name in (*names, "matched", "ignored")}
    return matches.replace(other_iou=None, other_row=None, **columns)
