"""An evaluation of detections as a file, and back."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from rapideval.errors import FormatError, Problem, RapidevalError
from rapideval.metrics.matches import Matches, Objects
from rapideval.metrics.protocol import Protocol
from rapideval.metrics.storage import Group, read_groups, write_groups
from rapideval.model import Images, Labels

if TYPE_CHECKING:
    from rapideval.metrics.evaluation import Evaluation

__all__ = ["FORMAT", "load", "save"]

FORMAT = "rapideval/matches"
DETECTION_COLUMNS = ("label", "image", "row", "score", "rank", "iou", "iou_row", "matched_iou", "matched_row")


def save(evaluation: Evaluation, path: str | os.PathLike[str]) -> None:
    """See `Evaluation.save`."""
    matches = evaluation.matches
    detections: Group = {name: getattr(matches, name) for name in DETECTION_COLUMNS}
    if matches.other_iou is not None:
        detections |= {"other_iou": matches.other_iou, "other_row": matches.other_row}
    for name in ("matched", "ignored"):
        detections |= _words(name, getattr(matches, name))
    objects: Group = {"label": matches.objects.label, "image": matches.objects.image}
    objects |= {"ignored_areas": matches.objects.ignored.view(np.int64)} | _words("matched", matches.objects.matched)
    groups = {"detection": detections, "object": objects, "image": _image_group(matches.images)}
    document = {
        "format": FORMAT,
        "protocol": evaluation.protocol.to_dict(),
        "labels": list(matches.labels.names),
        "label_ids": None if matches.labels.ids is None else matches.labels.ids.tolist(),
        "truth_labels": matches.truth_labels,
        "label_offsets": matches.label_offsets.tolist(),
        "detections": evaluation.counts["detections"],
        "fingerprints": evaluation.fingerprints,
        "notes": [asdict(note) for note in evaluation.notes],
    }
    write_groups(path, document, groups)


def load(path: str | os.PathLike[str]) -> Evaluation:
    """See `Evaluation.load`."""
    from rapideval.metrics.evaluation import Evaluation

    document, groups = read_groups(path, (FORMAT,))
    try:
        matches = _matches(document, groups)
        _check_order(matches)
        return Evaluation(
            matches,
            notes=tuple(Problem(**note) for note in document["notes"]),
            fingerprints=document["fingerprints"],
            detections=int(document["detections"]),
        )
    except (RapidevalError, KeyError, TypeError, ValueError, IndexError) as error:
        problem = Problem("evaluation-file", os.fspath(path), f"content that does not fit ({error})", "what save wrote")
        raise FormatError(problem) from None


def _check_order(matches: Matches) -> None:
    """Refuse scores that rise within a label: whatever is counted from the table relies on their order."""
    falls = np.diff(matches.score) <= 0
    borders = matches.label_offsets[(matches.label_offsets > 0) & (matches.label_offsets < len(matches))]
    falls[borders - 1] = True
    if not falls.all():
        raise ValueError("scores that rise within a label")


def _matches(document: dict[str, Any], groups: dict[str, Group]) -> Matches:
    detections, objects, images = groups["detection"], groups["object"], groups["image"]
    columns: Group = {name: detections.get(name) for name in (*DETECTION_COLUMNS, "other_iou", "other_row")}
    sizes = np.stack([images["height"], images["width"]], axis=1).astype(np.uint32)
    return Matches(
        protocol=Protocol.from_dict(document["protocol"]),
        images=Images(images.get("name"), images.get("id"), sizes),
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


def _image_group(images: Images) -> Group:
    group: Group = {} if images.names is None else {"name": list(images.names)}
    if images.ids is not None:
        group["id"] = images.ids
    return group | {"height": images.sizes[:, 0].astype(np.int64), "width": images.sizes[:, 1].astype(np.int64)}


def _words(name: str, words: Any) -> Group:
    return {f"{name}_{w}": np.ascontiguousarray(words[:, w]).view(np.int64) for w in range(words.shape[1])}


def _joined(name: str, group: Group) -> Any:
    words = [
        group[f"{name}_{w}"]
        for w in range(sum(column.startswith(f"{name}_") and column[-1].isdigit() for column in group))
    ]
    return np.ascontiguousarray(np.stack(words, axis=1)).view(np.uint64)
