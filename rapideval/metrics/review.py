"""Likely errors of the ground truth: where confident predictions and the labels disagree, for a person to look at.

A confident detection where nothing is labelled may be an object that the annotator missed; one that lies on an object
of another label may show the wrong label; one that overlaps its object only partly may show a sloppy outline; an object
that no version finds at all may not be there. None of this is proof: it is an order in which to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

from rapideval.errors import UsageError
from rapideval.metrics.causes import CAUSES, Causes, explain
from rapideval.model import Dataset, Extras, align

if TYPE_CHECKING:
    from rapideval.metrics.protocol import Task

__all__ = ["KINDS", "Review", "Suspect", "review"]

Kind = Literal["unlabelled", "label", "outline", "not found"]
KINDS: tuple[Kind, ...] = ("unlabelled", "label", "outline", "not found")

_SAME_PLACE = 0.5  # from this overlap of boxes on, two versions speak of one thing
_OF_CAUSE: dict[str, Kind] = {"background": "unlabelled", "label": "label", "localisation": "outline"}


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A place where ground truth may be wrong."""

    kind: Kind
    """``unlabelled``: found with confidence, nothing there; ``label``: found as another label; ``outline``: found with
    little overlap; ``not found``: labelled, and no version finds anything there."""
    image: str
    truth_label: str | None
    predicted_label: str | None
    score: float | None
    """Of the detection."""
    iou: float | None
    """Of the detection with the object."""
    box: tuple[float, float, float, float]
    """x, y, width, height in pixels: of the detection, else of the object."""
    truth_row: int | None
    """Row of the object in the ground truth."""
    versions: int
    """How many of the versions agree on it."""
    suspicion: float
    """What the order goes by, from 0 to 1."""


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """Likely errors of the ground truth, the likeliest first."""

    task: Literal["detection", "instance"]
    versions: int
    min_score: float
    total: int
    """How many there are, of which `suspects` may be the first."""
    counts: dict[str, int]
    suspects: list[Suspect]


def review(
    ground_truth: Dataset,
    predictions: Sequence[Dataset],
    *,
    task: Task = "detection",
    min_score: float = 0.5,
    limit: int | None = None,
    threads: int = 0,
) -> Review:
    """List likely errors of the ground truth, the likeliest first.

    Parameters
    ----------
    ground_truth
        What is doubted.
    predictions
        One or more versions; what several agree on comes first.
    task
        ``"detection"`` or ``"instance"``: whether boxes or masks are compared.
    min_score
        Detections below are no witnesses.
    limit
        At most so many; all where None.

    Returns
    -------
    Review

    Examples
    --------
    >>> from rapideval import Annotations, Images, Labels
    >>> images, labels = Images(["a.jpg"]), Labels(["cat", "dog"])
    >>> truth = Dataset(images, labels, Annotations([0, 0], [0, 0], [[0, 0, 10, 10], [70, 0, 10, 10]]))
    >>> found = Dataset(images, labels, Annotations([0, 0], [1, 0], [[0, 0, 10, 10], [40, 0, 9, 9]], [0.9, 0.8]))
    >>> [(one.kind, one.predicted_label, one.suspicion) for one in review(truth, [found]).suspects]
    [('label', 'dog', 0.9), ('unlabelled', 'cat', 0.8), ('not found', None, 0.5)]
    """
    if task == "semantic":
        raise UsageError("a review is of objects: the task is detection or instance")
    if not predictions:
        raise UsageError("a review needs predictions of at least one version")
    if not 0 <= min_score <= 1:
        raise UsageError(f"min_score {min_score}: it is from 0 to 1")
    suspects: list[list[Suspect]] = []
    unfound = np.ones(len(ground_truth), np.bool_)
    for found in predictions:
        joined = align(ground_truth, found)
        causes = explain(joined.ground_truth, joined.predictions, task=task, threads=threads)
        suspects.append(_witnessed(joined.ground_truth, joined.predictions, causes, min_score))
        unfound &= ~_touched(causes, len(ground_truth)) & (causes.found_by < 0)
    agreed = _agreed(suspects)
    agreed += _not_found(ground_truth, np.flatnonzero(unfound & ~ground_truth.annotations.crowd), len(predictions))
    agreed.sort(key=lambda one: (-one.versions * (one.kind != "not found"), -one.suspicion, one.image, one.box))
    return Review(
        task=task,
        versions=len(predictions),
        min_score=min_score,
        total=len(agreed),
        counts={kind: sum(one.kind == kind for one in agreed) for kind in KINDS},
        suspects=agreed[:limit],
    )


def _witnessed(truth: Dataset, found: Dataset, causes: Causes, min_score: float) -> list[Suspect]:
    """What the confident detections of one version speak against."""
    kinds = {CAUSES.index(cause): kind for cause, kind in _OF_CAUSE.items()}
    chosen = np.isin(causes.cause, list(kinds)) & ~causes.ignored & (causes.score >= min_score)
    rows, boxes = found.annotations, found.annotations.box
    suspects = []
    for place in np.flatnonzero(chosen).tolist():
        row, kind = int(causes.row[place]), kinds[int(causes.cause[place])]
        about = int(causes.object[place]) if kind != "unlabelled" else -1
        x, y, width, height = boxes[row].tolist()
        suspects.append(
            Suspect(
                kind=kind,
                image=found.images.key(int(rows.image[row])),
                truth_label=None if about < 0 else truth.labels.names[truth.annotations.label[about]],
                predicted_label=found.labels.names[rows.label[row]],
                score=float(causes.score[place]),
                iou=None if about < 0 else float(causes.iou[place]),
                box=(x, y, width, height),
                truth_row=None if about < 0 else about,
                versions=1,
                suspicion=float(causes.score[place]),
            )
        )
    return suspects


def _touched(causes: Causes, count: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Objects that some detection lies on, whatever its label, (G,)."""
    touched = np.zeros(count, np.bool_)
    touched[causes.object[causes.object >= 0]] = True
    return touched


def _agreed(of_versions: Sequence[Sequence[Suspect]]) -> list[Suspect]:
    """What several versions say of one place, once, with the score of the surest and the number of versions."""
    said = sorted(
        ((one, version) for version, suspects in enumerate(of_versions) for one in suspects),
        key=lambda pair: -pair[0].suspicion,
    )
    kept: list[Suspect] = []
    sayers: list[set[int]] = []
    near: dict[tuple[str, str, str | None], list[int]] = {}
    for one, version in said:
        places = near.setdefault((one.image, one.kind, one.predicted_label), [])
        same = next(
            (p for p in places if version not in sayers[p] and _overlap(kept[p].box, one.box) >= _SAME_PLACE), None
        )
        if same is None:
            places.append(len(kept))
            kept.append(one)
            sayers.append({version})
        else:
            sayers[same].add(version)
    return [msgspec.structs.replace(one, versions=len(versions)) for one, versions in zip(kept, sayers, strict=True)]


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / (a[2] * a[3] + b[2] * b[3] - width * height)


def _not_found(truth: Dataset, rows: np.ndarray[tuple[int], np.dtype[np.intp]], versions: int) -> list[Suspect]:
    """Objects on which no version sees anything: half a suspicion, as a model may just be blind to them."""
    suspects = []
    for row in rows.tolist():
        x, y, width, height = truth.annotations.box[row].tolist()
        suspects.append(
            Suspect(
                kind="not found",
                image=truth.images.key(int(truth.annotations.image[row])),
                truth_label=truth.labels.names[truth.annotations.label[row]],
                predicted_label=None,
                score=None,
                iou=None,
                box=(x, y, width, height),
                truth_row=row,
                versions=versions,
                suspicion=0.5,
            )
        )
    return suspects


def as_dataset(found: Review, ground_truth: Dataset) -> Dataset:
    """The suspects as annotations, so that a labelling tool can show them: labels are what is suspected."""
    from rapideval.model import Annotations, Labels

    names = [f"{one.kind}: {one.predicted_label or one.truth_label}" for one in found.suspects]
    labels = Labels(list(dict.fromkeys(names)))
    fields = [
        {"kind": one.kind, "truth_label": one.truth_label, "predicted_label": one.predicted_label, "iou": one.iou}
        | {"versions": one.versions, "truth_row": one.truth_row}
        for one in found.suspects
    ]
    if not names:
        return Dataset(ground_truth.images, labels, Annotations.empty(scored=True))
    return Dataset(
        ground_truth.images,
        labels,
        Annotations(
            [ground_truth.images.index(one.image) for one in found.suspects],
            [labels.index(name) for name in names],
            [one.box for one in found.suspects],
            [one.suspicion for one in found.suspects],
            extras=Extras.from_dicts(fields),
        ),
    )
