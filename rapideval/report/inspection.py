"""What a dataset holds, in numbers: what ``rapideval inspect`` shows."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np
import numpy.typing as npt

from rapideval.errors import Problem
from rapideval.loading import Loaded
from rapideval.metrics.guards import check_alone
from rapideval.metrics.protocol import COCO_AREAS
from rapideval.model import Annotations, Dataset
from rapideval.payloads import Answer

__all__ = ["Counts", "Inspection", "LabelRow", "Scores", "Spread", "TaskCounts", "inspect_loaded"]

BINS = 20


class Spread(msgspec.Struct):
    """Least, middle and greatest of some numbers."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> Spread | None:
        """Of an array; None where it is empty."""
        if not len(values):
            return None
        return cls(float(values.min()), float(np.median(values)), float(values.max()))


class Counts(msgspec.Struct, kw_only=True):
    """How much there is."""

    images: int
    images_without_annotations: int
    images_of_unknown_size: int
    labels: int
    labels_without_annotations: int
    annotations: int
    boxes: int
    """Boxes that the source gave; others are those of masks or outlines."""
    masks: int
    outlines: int
    crowds: int


class LabelRow(msgspec.Struct):
    """One label."""

    label: str
    id: int | None
    annotations: int
    images: int
    median_area: float | None
    median_score: float | None


class Scores(msgspec.Struct):
    """How the scores of predictions are spread."""

    least: float
    median: float
    most: float
    at_least_half: int
    """Predictions of a score of 0.5 or more."""
    distinct: int
    """Different scores; predictions of one score have no order among them."""
    histogram: list[int]
    """Predictions in twenty steps of 0.05 from 0 to 1; a score beyond counts in the first or last."""


class TaskCounts(msgspec.Struct):
    """Tasks of an answer by their status."""

    finished: int = 0
    pending: int = 0
    failed: int = 0
    refused: int = 0


class Inspection(msgspec.Struct, kw_only=True):
    """What a source is and holds (``rapideval inspect --json``)."""

    source: str
    format: str
    """Name of the format, or of the service whose answers these are."""
    title: str
    reason: str
    """What in the content says that it is of this format."""
    tasks: TaskCounts | None
    """Of answers of an endpoint; null for a file of a format."""
    predictions: bool
    """Whether the annotations have scores."""
    counts: Counts
    heights: Spread | None
    widths: Spread | None
    annotations_per_image: Spread | None
    areas: dict[str, int]
    """Annotations by COCO's sizes; an area at a border counts in the smaller."""
    scores: Scores | None
    labels: list[LabelRow]
    problems: list[Problem]
    """What was mended, derived or skipped in reading, and what is suspicious."""
    fingerprint: str
    """Hash of the content that bears on scores, whatever the format."""


def inspect_loaded(loaded: Loaded, source: str) -> Inspection:
    """Count what a dataset holds, and look for what is suspicious.

    Parameters
    ----------
    loaded
        What was read; see `rapideval.load`.
    source
        What people call it.

    Examples
    --------
    >>> from rapideval.loading import load
    >>> answer = b'[{"boxes": [[0, 0, 9, 9], [0, 0, 99, 99]], "scores": [0.9, 0.2], "labels": ["cat", "cat"]}]'
    >>> seen = inspect_loaded(load(answer, images=["a.jpg"]), "answer.json")
    >>> seen.areas, seen.scores.at_least_half, [(row.label, row.annotations) for row in seen.labels]
    ({'small': 1, 'medium': 0, 'large': 1}, 1, [('cat', 2)])
    """
    dataset, recognised = loaded.dataset, loaded.source
    rows, images = dataset.annotations, dataset.images
    per_image = np.bincount(rows.image, minlength=len(images))
    sizes = images.sizes[images.sizes_known].astype(np.float64)
    return Inspection(
        source=source,
        format=recognised.name,
        title=recognised.title,
        reason=recognised.reason,
        tasks=None
        if loaded.answer is None
        else TaskCounts(**Counter[str](task.status for task in loaded.answer.tasks)),
        predictions=dataset.scored,
        counts=_counts(dataset, per_image),
        heights=Spread.of(sizes[:, 0]),
        widths=Spread.of(sizes[:, 1]),
        annotations_per_image=Spread.of(per_image),
        areas=_areas(rows),
        scores=_scores(rows),
        labels=_labels(dataset),
        problems=[*dataset.notes, *check_alone(dataset, source)],
        fingerprint=dataset.fingerprint(),
    )


def _tasks(answer: Answer) -> TaskCounts:
    return TaskCounts(**Counter[str](task.status for task in answer.tasks))


def _counts(dataset: Dataset, per_image: npt.NDArray[np.int64]) -> Counts:
    rows = dataset.annotations
    return Counts(
        images=len(dataset.images),
        images_without_annotations=int((per_image == 0).sum()),
        images_of_unknown_size=int((~dataset.images.sizes_known).sum()),
        labels=len(dataset.labels),
        labels_without_annotations=len(dataset.labels) - len(np.unique(rows.label)),
        annotations=len(rows),
        boxes=0 if "box" in rows.derived else len(rows),
        masks=0 if rows.masks is None else int(rows.masks.present.sum()),
        outlines=0 if rows.polygons is None else int(rows.polygons.present.sum()),
        crowds=int(rows.crowd.sum()),
    )


def _areas(rows: Annotations) -> dict[str, int]:
    small, medium, _ = COCO_AREAS[1:]
    place = np.digitize(rows.area, [small.high, medium.high], right=True)
    return dict(zip((area.name for area in COCO_AREAS[1:]), np.bincount(place, minlength=3).tolist(), strict=True))


def _scores(rows: Annotations) -> Scores | None:
    score = rows.score
    if score is None or not len(score):
        return None
    place = np.clip((score * BINS).astype(np.int64), 0, BINS - 1)
    return Scores(
        float(score.min()),
        float(np.median(score)),
        float(score.max()),
        int((score >= 0.5).sum()),
        len(np.unique(score)),
        np.bincount(place, minlength=BINS).tolist(),
    )


def _labels(dataset: Dataset) -> list[LabelRow]:
    """The labels in the order of the dataset; medians by one sort of the rows by label."""
    rows, labels = dataset.annotations, dataset.labels
    order = np.argsort(rows.label, kind="stable")
    bounds = np.searchsorted(rows.label[order], np.arange(len(labels) + 1)).tolist()
    listed = []
    for place, name in enumerate(labels.names):
        chosen = order[bounds[place] : bounds[place + 1]]
        listed.append(
            LabelRow(
                name,
                None if labels.ids is None else int(labels.ids[place]),
                len(chosen),
                len(np.unique(rows.image[chosen])),
                float(np.median(rows.area[chosen])) if len(chosen) else None,
                float(np.median(rows.score[chosen])) if rows.score is not None and len(chosen) else None,
            )
        )
    return listed
