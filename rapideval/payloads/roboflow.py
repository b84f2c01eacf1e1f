"""Roboflow Inference, hosted or self-hosted: object detection, instance and semantic segmentation.

``{"predictions": [{"x": 5, "y": 5, "width": 4, "height": 2, "confidence": 0.9, "class": "car", "class_id": 0,
"detection_id": "..."}], "image": {"width": 640, "height": 480}, "time": 0.1}``

=========== ==================================================================================================
coordinates pixels; **x, y are the centre** of the box
outlines    ``points`` ``[{"x": 1, "y": 2}, ...]``, one ring; or ``rle``, COCO run lengths
semantic    ``predictions``: ``segmentation_mask``, a base64 PNG whose values are class numbers (0 is background), and
            ``class_map`` from number to name
scores      ``confidence`` in [0, 1]
labels      ``class``, else the number ``class_id``
kept        ``detection_id``, ``class_id``, ``tracker_id``, ``keypoints`` and all else an object has, as extras
=========== ==================================================================================================

A list of such answers is a batch, an image each; a workflow's ``{"outputs": [{"name": {"predictions": ...}}]}`` is read
where one of its outputs is such an answer. Classification has no boxes and is refused.

Source: ``inference/core/entities/responses/inference.py`` of roboflow/inference (Apache-2.0); docs.roboflow.com,
"Deploy, Serverless"; release notes of inference 1.2.4 for ``rle``.
"""

from __future__ import annotations

from typing import Any

from rapideval.payloads.class_maps import read_class_map
from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.records import Layout, member, read_records, ring_of_pairs
from rapideval.payloads.text import Tree, shown

__all__ = ["read", "recognises", "split"]


def _rings(item: dict[str, Any], place: Place) -> list[tuple[list[Any], Place]] | None:
    return ring_of_pairs(item.get("points"), place["points"], "x", "y")


_LAYOUT = Layout(
    label=("class",),
    fallback_label=("class_id",),
    score=("confidence",),
    box=(("x",), ("y",), ("width",), ("height",)),
    order="cxcywh",
    mask=("rle",),
    rings=_rings,
    used=frozenset({"class", "confidence", "x", "y", "width", "height", "points", "rle", "mask_format"}),
)


def recognises(tree: Tree) -> bool:
    """Whether this is an answer, a batch of them, or a workflow's outputs."""
    if isinstance(tree, list):
        return bool(tree) and all(_is_answer(item) for item in tree)
    if isinstance(tree, dict) and isinstance(tree.get("outputs"), list) and tree["outputs"]:
        return all(isinstance(item, dict) and _answers_within(item) for item in tree["outputs"])
    return _is_answer(tree)


def _is_answer(tree: Tree) -> bool:
    if not isinstance(tree, dict) or "predictions" not in tree:
        return False
    predictions = tree["predictions"]
    if isinstance(predictions, dict):
        return "segmentation_mask" in predictions
    if not isinstance(predictions, list):
        return False
    if not predictions:
        return not tree.keys().isdisjoint(("image", "time", "inference_id"))
    return isinstance(predictions[0], dict) and {"x", "y", "width", "height"} <= predictions[0].keys()


def _answers_within(item: dict[str, Any]) -> list[str]:
    return [key for key, value in item.items() if _is_answer(value)]


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """The images: one, or one for each answer of a batch."""
    del options
    if isinstance(tree, dict) and isinstance(tree.get("outputs"), list):
        results = []
        for index, item in enumerate(tree["outputs"]):
            where = place["outputs"][index]
            names = _answers_within(item) if isinstance(item, dict) else []
            if len(names) != 1:
                what = f"{len(names)} outputs with predictions" if names else shown(item)
                refuse("payload-ambiguous", where, what, "one output with predictions")
            results.append(_result(item[names[0]], where[names[0]]))
        return results
    if isinstance(tree, list):
        return [_result(item, place[index]) for index, item in enumerate(tree)]
    return [_result(tree, place)]


def _result(tree: Tree, place: Place) -> ImageResult:
    if not isinstance(tree, dict) or "predictions" not in tree:
        refuse("M22", place, shown(tree), "an object with predictions")
    width, height = member(tree, ("image", "width")), member(tree, ("image", "height"))
    known = type(width) is int and type(height) is int and width > 0 and height > 0
    return ImageResult(tree, place, size=(height, width) if known else None)


def read(result: ImageResult, context: Context) -> None:
    """Add the objects, or the semantic masks, of one image."""
    predictions, place = result.tree["predictions"], result.place["predictions"]
    if isinstance(predictions, dict) and "segmentation_mask" in predictions:
        names = predictions.get("class_map")
        read_class_map(
            predictions["segmentation_mask"],
            place["segmentation_mask"],
            result,
            context,
            names if isinstance(names, dict) else None,
        )
        return
    if isinstance(predictions, dict):
        context.problems.add("M22", place, shown(predictions), "a list of objects with x, y, width, height")
        return
    read_records(predictions, place, result, context, _LAYOUT)
