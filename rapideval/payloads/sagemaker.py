"""Amazon SageMaker's built-in algorithms: object detection (MXNet), semantic segmentation.

``{"prediction": [[4.0, 0.86, 0.31, 0.07, 0.71, 0.93], ...]}``: class, score, xmin, ymin, xmax, ymax.

=========== ====================================================================================================
coordinates corners, relative to the image's size (which must be given: ``sizes=``)
semantic    the answer is a PNG itself (``image/png``), whose values are class numbers, 0 being background, named by
            ``labels=``
scores      in [0, 1]
labels      a whole number, written as a float: ``labels=`` gives names
=========== ====================================================================================================

Source: docs.aws.amazon.com/sagemaker, "Object Detection Request and Response Formats", "Semantic Segmentation
Algorithm".
"""

from __future__ import annotations

from typing import Any

from rapideval.payloads.class_maps import read_class_map
from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.pictures import Picture
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.rows import Rows
from rapideval.payloads.text import Tree, shown

__all__ = ["read", "recognises", "split"]

_SHAPE = "[class, score, xmin, ymin, xmax, ymax]"


def recognises(tree: Tree) -> bool:
    """Whether this is a list of detections under ``prediction``, or a PNG."""
    return isinstance(tree, Picture) or (
        isinstance(tree, dict) and isinstance(tree.get("prediction"), list) and "instance" not in tree
    )


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """The one image."""
    del options
    if not recognises(tree):
        return refuse("M22", place, shown(tree), f'an object {{"prediction": [{_SHAPE}, ...]}}, or a PNG')
    return [ImageResult(tree, place)]


def read(result: ImageResult, context: Context) -> None:
    """Add the objects, or the semantic masks, of the image."""
    if isinstance(result.tree, Picture):
        read_class_map(result.tree, result.place, result, context)
        return
    rows, place = result.tree["prediction"], result.place["prediction"]
    if not _are_rows(rows, place, context):
        return
    # Paths of the numbers within a row: the box begins at its third.
    boxes = context.boxes([row[2:] for row in rows], place, result, relative=True, keys=[(2,), (3,), (4,), (5,)])
    scores = context.scores([row[1] for row in rows], place, (1,))
    labels = context.label_names([_whole(row[0]) for row in rows], place, (0,))
    if boxes is not None and scores is not None and labels is not None:
        context.add(result, Rows(labels, boxes, scores, origin=f"{place}[{{row}}]"))


def _are_rows(rows: list[Any], place: Place, context: Context) -> bool:
    before = context.problems.total
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != 6:
            found = f"{len(row):,} values" if isinstance(row, list) else shown(row)
            context.problems.add("M26", place[index], found, f"six numbers {_SHAPE}")
    return context.problems.total == before


def _whole(value: Any) -> Any:
    """A class number written as a float, as the integer it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
