"""Pictures of semantic masks: pixels that the candidate lost, and those that are wrong, over the photograph."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.metrics.semantic_evaluation import counted_truth
from rapideval.model import Masks
from rapideval.report.html.pictures import Photographs, Shape, outline, picture
from rapideval.report.text import clean

if TYPE_CHECKING:
    from rapideval.judge import ImageChange
    from rapideval.metrics import SemanticEvaluation
    from rapideval.model import Dataset

__all__ = ["compared_pixels", "pixel_pictures"]

_Map = npt.NDArray[np.int64]
_MOST_POINTS = 6000  # corners of a picture's outlines; the smallest regions are left out


def pixel_pictures(
    versions: tuple[SemanticEvaluation, SemanticEvaluation], changes: Sequence[ImageChange], photographs: Photographs
) -> str:
    """Images, each with the wrong pixels of the baseline beside those of the candidate.

    Raises
    ------
    UsageError
        Where an evaluation was loaded: what is drawn are the masks themselves.
    """
    drawn = []
    for change in changes:
        place = versions[0].images.index(change.image)
        (truth, before), (truth_after, after) = (compared_pixels(one, place) for one in versions)
        lost = (before == truth) & (after != truth_after)
        names = [_names(one) for one in versions]
        sides = [
            _shapes(truth, before, np.zeros_like(lost), names[0]),
            _shapes(truth_after, after, lost, names[1]),
        ]
        height, width = truth.shape
        drawn.append(picture(sides, place, (width, height), change, photographs))
    return "".join(drawn)


def compared_pixels(evaluation: SemanticEvaluation, place: int) -> tuple[_Map, _Map]:
    """Labels of an image's pixels, in the ground truth and as predicted: int64 (H, W) each.

    Background is K, the number of labels, as in the evaluation's confusion; pixels that are left out are -1 in both.
    """
    joined = evaluation.aligned("pictures")
    truth = counted_truth(joined, evaluation.protocol)
    background = len(evaluation.matches.labels)
    there, left_out = _painted(truth, place, background)
    found, _ = _painted(joined.predictions, place, background)
    if there.size == 0 or found.size == 0:  # one side says nothing of this image
        shape = max(there.shape, found.shape)
        there, found = (np.full(shape, background) if side.size == 0 else side for side in (there, found))
        left_out = np.zeros(shape, np.bool_) if left_out.shape != shape else left_out
    if evaluation.protocol.unlabelled == "ignore":
        left_out = left_out | (there == background)
    return np.where(left_out, -1, there), np.where(left_out, -1, found)


def _painted(data: Dataset, place: int, background: int) -> tuple[_Map, npt.NDArray[np.bool_]]:
    """Labels of the pixels of an image, painted in the order in which they are scored, and crowd regions."""
    of_image = data.annotations.take(np.flatnonzero(data.annotations.image == place))
    rows = data.replace(annotations=of_image).with_masks().annotations
    here = np.arange(len(rows))
    if rows.masks is None or not len(here):
        return np.zeros((0, 0), np.int64), np.zeros((0, 0), np.bool_)
    if rows.score is not None:
        here = here[np.argsort(rows.score[here], kind="stable")]
    shape = tuple(rows.masks.sizes[here[0]].tolist())
    painted, crowd = np.full(shape, background), np.zeros(shape, np.bool_)
    for row in here.tolist():
        mask = rows.masks.dense(row)
        if rows.crowd[row]:
            crowd |= mask
        else:
            painted[mask] = rows.label[row]
    return painted, crowd


def _names(evaluation: SemanticEvaluation) -> list[str]:
    return [*(clean(name) for name in evaluation.matches.labels.names), "background"]


def _shapes(truth: _Map, found: _Map, lost: npt.NDArray[np.bool_], names: Sequence[str]) -> list[Shape]:
    """Wrong pixels as regions by what is there and what was found, and the labels' own outlines."""
    regions = [("ground", truth == label, names[label]) for label in np.unique(truth[truth >= 0]).tolist()]
    regions = [region for region in regions if region[2] != "background"]
    for kind, chosen in (("wrong", (truth != found) & ~lost), ("lost", lost)):
        for pair in np.unique(np.stack([truth[chosen], found[chosen]], axis=1), axis=0).tolist():
            told = f"{kind}: {names[pair[0]]}, taken for {names[pair[1]]}"
            regions.append((kind, chosen & (truth == pair[0]) & (found == pair[1]), told))
    shapes = []
    for kind, mask, told in regions:
        path = outline(_rings(mask))
        if path:
            shapes.append(Shape(kind, path, told))
    return shapes


def _rings(mask: npt.NDArray[np.bool_]) -> list[npt.NDArray[np.float64]]:
    """The largest outlines of a region."""
    runs = Masks.from_dense(mask)
    points, offsets, _, _ = _core.rle_outlines(runs.counts, runs.offsets, runs.sizes)
    rings = [points[start:stop] for start, stop in pairwise(offsets)]
    rings.sort(key=lambda ring: -float(np.prod(np.ptp(ring, axis=0))))
    kept = np.cumsum([len(ring) for ring in rings]) <= _MOST_POINTS
    return [ring for ring, keep in zip(rings, kept.tolist(), strict=True) if keep]
