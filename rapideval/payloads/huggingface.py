"""Hugging Face Inference: object detection and image segmentation, as its task pages define them.

``[{"label": "car", "score": 0.9, "box": {"xmin": 1, "ymin": 2, "xmax": 4, "ymax": 6}}, ...]`` and
``[{"label": "car", "score": 0.9, "mask": "<base64 PNG>"}, ...]``

=========== ==========================================================================================
coordinates pixels, corners
masks       base64 PNG of the image's size, black and white
scores      ``score`` in [0, 1]; null or absent for semantic segmentation
labels      ``label``, text
=========== ==========================================================================================

The list is of objects, for one image; a list of such lists is several images. An image without any object is ``[]``.

Source: huggingface.co/docs/inference-providers, tasks "Object detection" and "Image segmentation"; the specifications
in huggingface.js ``packages/tasks`` (MIT).
"""

from __future__ import annotations

from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.records import Layout, read_records
from rapideval.payloads.text import Tree, is_text, shown

__all__ = ["read", "recognises", "split"]

_LAYOUT = Layout(
    label=("label",),
    score=("score",),
    box=(("box", "xmin"), ("box", "ymin"), ("box", "xmax"), ("box", "ymax")),
    mask=("mask",),
    used=frozenset({"label", "score", "box", "mask"}),
)


def recognises(tree: Tree) -> bool:
    """Whether these are objects with a label and a box or a mask."""
    if not isinstance(tree, list) or not tree:
        return False
    if all(isinstance(item, list) for item in tree):
        return any(recognises(item) for item in tree)
    return all(
        isinstance(item, dict)
        and is_text(item.get("label"))
        and (isinstance(item.get("box"), dict) or is_text(item.get("mask")))
        for item in tree
    )


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """The images: one, or a list for each."""
    del options
    if not isinstance(tree, list):
        return refuse("M20", place, shown(tree), "a list of objects with label, score and box or mask")
    if tree and all(isinstance(item, list) for item in tree):
        return [ImageResult(item, place[index]) for index, item in enumerate(tree)]
    return [ImageResult(tree, place)]


def read(result: ImageResult, context: Context) -> None:
    """Add the objects of one image."""
    read_records(result.tree, result.place, result, context, _LAYOUT)
