"""Google Vertex AI AutoML: object detection and image segmentation, online and batch.

``{"predictions": [{"ids": ["7"], "displayNames": ["car"], "confidences": [0.9], "bboxes": [[0.1, 0.4, 0.2, 0.6]]}],
"deployedModelId": "..."}``; a batch has a line an image: ``{"instance": {"content": "gs://..."}, "prediction": ...}``

=========== =====================================================================================================
coordinates **xMin, xMax, yMin, yMax**, relative to the image's size (which must be given: ``sizes=``)
semantic    ``categoryMask``: PNG (base64), read where it has one channel of category numbers (0 is background), named
            by ``labels=``; colours are refused, as what they mean stands in the model's metadata only
scores      ``confidences`` in [0, 1]
labels      ``displayNames``, text
images      a batch names its images: ``instance.content``
=========== =====================================================================================================

Source: cloud.google.com/vertex-ai/docs/image-data, "Interpret prediction results"; the prediction schemas
``image_object_detection`` and ``image_segmentation`` of googleapis. That the mask is base64 is inferred from JSON's
lack of bytes.
"""

from __future__ import annotations

from typing import Any

from rapideval.payloads.class_maps import read_class_map
from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.redact import unsigned_url
from rapideval.payloads.rows import Rows
from rapideval.payloads.text import Tree, as_text, shown

__all__ = ["read", "recognises", "split"]

_LISTS = ("displayNames", "confidences", "bboxes")


def recognises(tree: Tree) -> bool:
    """Whether this is an answer, or a line of a batch."""
    if not isinstance(tree, dict):
        return False
    if "instance" in tree and "prediction" in tree:
        return _is_prediction(tree["prediction"])
    predictions = tree.get("predictions")
    return isinstance(predictions, list) and bool(predictions) and all(_is_prediction(item) for item in predictions)


def _is_prediction(value: Tree) -> bool:
    return isinstance(value, dict) and ("bboxes" in value or "categoryMask" in value)


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """The images, with their names in a batch."""
    del options
    if isinstance(tree, dict) and "prediction" in tree:
        instance = tree.get("instance")
        content = as_text(instance.get("content")) if isinstance(instance, dict) else None
        named = content if content and "://" in content else None
        return [ImageResult(tree["prediction"], place["prediction"], key=named and unsigned_url(named))]
    if isinstance(tree, dict) and isinstance(tree.get("predictions"), list):
        where = place["predictions"]
        return [ImageResult(item, where[index]) for index, item in enumerate(tree["predictions"])]
    return refuse("M22", place, shown(tree), "an object with predictions, or with instance and prediction")


def read(result: ImageResult, context: Context) -> None:
    """Add the objects, or the semantic masks, of one image."""
    tree, place = result.tree, result.place
    if not _is_prediction(tree):
        context.problems.add("M22", place, shown(tree), "an object with bboxes or categoryMask")
    elif "categoryMask" in tree:
        read_class_map(tree["categoryMask"], place["categoryMask"], result, context)
        if "confidenceMask" in tree:
            context.notes.tell("unread-keys", place["confidenceMask"], "confidences of pixels, which are not read")
    else:
        _read_boxes(tree, place, result, context)


def _read_boxes(tree: dict[str, Any], place: Place, result: ImageResult, context: Context) -> None:
    for key in _LISTS:
        if not isinstance(tree.get(key), list):
            context.problems.add("M25", place[key], shown(tree.get(key)), "a list, one for each object")
            return
    counts = {key: len(tree[key]) for key in _LISTS}
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{count:,} {key}" for key, count in counts.items())
        context.problems.add("M24", place, found, "lists of one length, one entry for each object")
        return
    boxes = context.boxes(tree["bboxes"], place["bboxes"], result, order="xxyy", relative=True)
    scores = context.scores(tree["confidences"], place["confidences"])
    names = context.label_names(tree["displayNames"], place["displayNames"])
    if boxes is not None and scores is not None and names is not None:
        context.add(result, Rows(names, boxes, scores, origin=f"{place['bboxes']}[{{row}}]"))
