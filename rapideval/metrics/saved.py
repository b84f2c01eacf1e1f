"""Evaluations as files, and back."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import FormatError, Problem, RapidevalError
from rapideval.metrics.matches import Matches, Objects
from rapideval.metrics.protocol import Protocol
from rapideval.metrics.storage import Group, read_groups, write_groups
from rapideval.model import Images, Labels

if TYPE_CHECKING:
    from rapideval.metrics.detection_evaluation import DetectionEvaluation
    from rapideval.metrics.evaluation import Evaluation
    from rapideval.metrics.semantic_evaluation import SemanticEvaluation

__all__ = ["DETECTIONS", "PIXELS", "load", "save_detections", "save_pixels"]

DETECTIONS = "rapideval/matches"
PIXELS = "rapideval/pixels"
DETECTION_COLUMNS = ("label", "image", "row", "score", "rank", "iou", "iou_row", "matched_iou", "matched_row")
PIXEL_COLUMNS = ("image", "label", "truth", "predicted", "intersection")


def save_detections(evaluation: DetectionEvaluation, path: str | os.PathLike[str]) -> None:
    """See `Evaluation.save`."""
    matches = evaluation.matches
    detections: Group = {name: getattr(matches, name) for name in DETECTION_COLUMNS}
    if matches.other_iou is not None:
        detections |= {"other_iou": matches.other_iou, "other_row": matches.other_row}
    for name in ("matched", "ignored"):
        detections |= _words(name, getattr(matches, name))
    objects: Group = {"label": matches.objects.label, "image": matches.objects.image}
    objects |= {"ignored_areas": matches.objects.ignored.view(np.int64)} | _words("matched", matches.objects.matched)
    document = _document(evaluation, DETECTIONS) | {
        "label_offsets": matches.label_offsets.tolist(),
        "detections": evaluation.counts["detections"],
    }
    write_groups(path, document, {"detection": detections, "object": objects, "image": _image_group(evaluation.images)})


def save_pixels(evaluation: SemanticEvaluation, path: str | os.PathLike[str]) -> None:
    """See `Evaluation.save`."""
    matches = evaluation.matches
    images = _image_group(evaluation.images) | {
        "ignored": matches.ignored,
        "covered_truth": np.ascontiguousarray(matches.covered[:, 0]),
        "covered_predicted": np.ascontiguousarray(matches.covered[:, 1]),
    }
    truth, predicted = (places.astype(np.int32) for places in np.nonzero(matches.confusion))
    confusion = {"label": truth, "predicted_label": predicted, "intersection": matches.confusion[truth, predicted]}
    pixels = {name: getattr(matches, name) for name in PIXEL_COLUMNS}
    write_groups(path, _document(evaluation, PIXELS), {"pixels": pixels, "confusion": confusion, "image": images})


def load(path: str | os.PathLike[str]) -> Evaluation:
    """See `Evaluation.load`."""
    document, groups = read_groups(path, (DETECTIONS, PIXELS))
    try:
        return (_detections if document["format"] == DETECTIONS else _pixels)(document, groups)
    except (RapidevalError, KeyError, TypeError, ValueError, IndexError) as error:
        problem = Problem("evaluation-file", os.fspath(path), f"content that does not fit ({error})", "what save wrote")
        raise FormatError(problem) from None


def _document(evaluation: Evaluation, kind: str) -> dict[str, Any]:
    return {
        "format": kind,
        "protocol": evaluation.protocol.to_dict(),
        "labels": list(evaluation.labels.names),
        "label_ids": None if evaluation.labels.ids is None else evaluation.labels.ids.tolist(),
        "truth_labels": evaluation.truth_labels,
        "fingerprints": evaluation.fingerprints,
        "notes": [asdict(note) for note in evaluation.notes],
    }


def _detections(document: dict[str, Any], groups: dict[str, Group]) -> DetectionEvaluation:
    from rapideval.metrics.detection_evaluation import DetectionEvaluation

    detections, objects = groups["detection"], groups["object"]
    columns: Group = {name: detections.get(name) for name in (*DETECTION_COLUMNS, "other_iou", "other_row")}
    matches = Matches(
        protocol=Protocol.from_dict(document["protocol"]),
        images=_images(groups["image"]),
        labels=Labels(document["labels"], document["label_ids"]),
        truth_labels=document["truth_labels"],
        label_offsets=np.array(document["label_offsets"], np.int64),
        matched=_joined("matched", detections),
        ignored=_joined("ignored", detections),
        objects=Objects(
            objects["image"], objects["label"], objects["ignored_areas"].view(np.uint64), _joined("matched", objects)
        ),
        **columns,
    )
    _check_order(matches)
    return DetectionEvaluation(
        matches,
        notes=_notes(document),
        fingerprints=document["fingerprints"],
        detections=int(document["detections"]),
    )


def _pixels(document: dict[str, Any], groups: dict[str, Group]) -> SemanticEvaluation:
    from rapideval.metrics.semantic import SemanticMatches
    from rapideval.metrics.semantic_evaluation import SemanticEvaluation

    images, labels = _images(groups["image"]), Labels(document["labels"], document["label_ids"])
    confusion = np.zeros((len(labels) + 1, len(labels) + 1), np.int64)
    pairs = groups["confusion"]
    confusion[pairs["label"], pairs["predicted_label"]] = pairs["intersection"]
    covered = np.stack([groups["image"]["covered_truth"], groups["image"]["covered_predicted"]], axis=1)
    matches = SemanticMatches(
        labels,
        len(images),
        **{name: groups["pixels"][name] for name in PIXEL_COLUMNS},
        confusion=confusion,
        ignored=groups["image"]["ignored"],
        covered=covered,
    )
    return SemanticEvaluation(
        matches,
        Protocol.from_dict(document["protocol"]),
        images,
        document["truth_labels"],
        notes=_notes(document),
        fingerprints=document["fingerprints"],
    )


def _check_order(matches: Matches) -> None:
    """Refuse scores that rise within a label: whatever is counted from the table relies on their order."""
    falls = np.diff(matches.score) <= 0
    borders = matches.label_offsets[(matches.label_offsets > 0) & (matches.label_offsets < len(matches))]
    falls[borders - 1] = True
    if not falls.all():
        raise ValueError("scores that rise within a label")


def _notes(document: dict[str, Any]) -> tuple[Problem, ...]:
    return tuple(Problem(**note) for note in document["notes"])


def _image_group(images: Images) -> Group:
    group: Group = {} if images.names is None else {"name": list(images.names)}
    if images.ids is not None:
        group["id"] = images.ids
    return group | {"height": images.sizes[:, 0].astype(np.int64), "width": images.sizes[:, 1].astype(np.int64)}


def _images(group: Group) -> Images:
    sizes = np.stack([group["height"], group["width"]], axis=1).astype(np.uint32)
    return Images(group.get("name"), group.get("id"), sizes)


def _words(name: str, words: Any) -> Group:
    return {f"{name}_{w}": np.ascontiguousarray(words[:, w]).view(np.int64) for w in range(words.shape[1])}


def _joined(name: str, group: Group) -> Any:
    words: list[npt.NDArray[np.int64]] = []
    while f"{name}_{len(words)}" in group:
        words.append(group[f"{name}_{len(words)}"])
    return np.ascontiguousarray(np.stack(words, axis=1)).view(np.uint64)
