"""Tables of matches as columns of a saved evaluation, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.metrics.matches import Matches, Objects
from rapideval.metrics.protocol import Protocol
from rapideval.metrics.semantic import SemanticMatches
from rapideval.metrics.storage import Group
from rapideval.model import Images, Labels

__all__ = ["detection_columns", "detection_matches", "images_of", "pixel_columns", "pixel_matches"]

DETECTION_COLUMNS = ("label", "image", "row", "score", "rank", "iou", "iou_row", "matched_iou", "matched_row")
PIXEL_COLUMNS = ("image", "label", "truth", "predicted", "intersection")


def detection_columns(matches: Matches) -> dict[str, Group]:
    """Columns of detections, objects and images."""
    detections: Group = {name: getattr(matches, name) for name in DETECTION_COLUMNS}
    if matches.other_iou is not None:
        detections |= {"other_iou": matches.other_iou, "other_row": matches.other_row}
    for name in ("matched", "ignored"):
        detections |= _words(name, getattr(matches, name))
    objects: Group = {"label": matches.objects.label, "image": matches.objects.image}
    objects |= {"ignored_areas": matches.objects.ignored.view(np.int64)} | _words("matched", matches.objects.matched)
    return {"detection": detections, "object": objects, "image": _image_group(matches.images)}


def detection_matches(document: dict[str, Any], groups: dict[str, Group]) -> Matches:
    """The table that `detection_columns` took apart; ValueError and its like for what does not fit."""
    detections, objects = groups["detection"], groups["object"]
    columns: Group = {name: detections.get(name) for name in (*DETECTION_COLUMNS, "other_iou", "other_row")}
    matches = Matches(
        protocol=Protocol.from_dict(document["protocol"]),
        images=images_of(groups),
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
    return matches


def pixel_columns(matches: SemanticMatches, images: Images) -> dict[str, Group]:
    """Columns of pixels by image and label, of the confusion's places, and of images."""
    image_group = _image_group(images) | {
        "ignored": matches.ignored,
        "covered_truth": np.ascontiguousarray(matches.covered[:, 0]),
        "covered_predicted": np.ascontiguousarray(matches.covered[:, 1]),
    }
    truth, predicted = (places.astype(np.int32) for places in np.nonzero(matches.confusion))
    confusion = {"label": truth, "predicted_label": predicted, "intersection": matches.confusion[truth, predicted]}
    pixels = {name: getattr(matches, name) for name in PIXEL_COLUMNS}
    return {"pixels": pixels, "confusion": confusion, "image": image_group}


def pixel_matches(document: dict[str, Any], groups: dict[str, Group]) -> SemanticMatches:
    """The table that `pixel_columns` took apart; ValueError and its like for what does not fit."""
    labels, image_group, pairs = Labels(document["labels"], document["label_ids"]), groups["image"], groups["confusion"]
    confusion = np.zeros((len(labels) + 1, len(labels) + 1), np.int64)
    confusion[pairs["label"], pairs["predicted_label"]] = pairs["intersection"]
    return SemanticMatches(
        labels,
        len(image_group["height"]),
        **{name: groups["pixels"][name] for name in PIXEL_COLUMNS},
        confusion=confusion,
        ignored=image_group["ignored"],
        covered=np.stack([image_group["covered_truth"], image_group["covered_predicted"]], axis=1),
    )


def images_of(groups: dict[str, Group]) -> Images:
    """The images of a saved evaluation."""
    group = groups["image"]
    sizes = np.stack([group["height"], group["width"]], axis=1).astype(np.uint32)
    return Images(group.get("name"), group.get("id"), sizes)


def _check_order(matches: Matches) -> None:
    """Refuse scores that rise within a label: whatever is counted from the table relies on their order."""
    falls = np.diff(matches.score) <= 0
    borders = matches.label_offsets[(matches.label_offsets > 0) & (matches.label_offsets < len(matches))]
    falls[borders - 1] = True
    if not falls.all():
        raise ValueError("scores that rise within a label")


def _image_group(images: Images) -> Group:
    group: Group = {} if images.names is None else {"name": list(images.names)}
    if images.ids is not None:
        group["id"] = images.ids
    return group | {"height": images.sizes[:, 0].astype(np.int64), "width": images.sizes[:, 1].astype(np.int64)}


def _words(name: str, words: Any) -> Group:
    return {f"{name}_{w}": np.ascontiguousarray(words[:, w]).view(np.int64) for w in range(words.shape[1])}


def _joined(name: str, group: Group) -> Any:
    words: list[npt.NDArray[np.int64]] = []
    while f"{name}_{len(words)}" in group:
        words.append(group[f"{name}_{len(words)}"])
    return np.ascontiguousarray(np.stack(words, axis=1)).view(np.uint64)
