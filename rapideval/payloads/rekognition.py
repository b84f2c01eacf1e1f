"""Amazon Rekognition: Custom Labels, and the objects that DetectLabels finds.

``{"CustomLabels": [{"Name": "car", "Confidence": 90.1, "Geometry": {"BoundingBox": {"Left": 0.1, "Top": 0.2,
"Width": 0.3, "Height": 0.4}, "Polygon": [{"X": 0.1, "Y": 0.2}, ...]}}]}`` and
``{"Labels": [{"Name": "Car", "Instances": [{"BoundingBox": {...}, "Confidence": 90.1}]}]}``

=========== ======================================================================================================
coordinates relative to the image's size (which must be given: ``sizes=``), corner and size; they may reach out of it
scores      ``Confidence`` from 0 to 100
labels      ``Name``, text
left out    labels of the whole image, without geometry: counted in a note
=========== ======================================================================================================

``Polygon`` is what Rekognition draws around the object; it is kept as the outline where it has more than the box's four
corners. Source: Amazon Rekognition Custom Labels guide, "DetectCustomLabels operation response"; API reference,
"DetectLabels", "BoundingBox".
"""

from __future__ import annotations

from typing import Any

from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.records import MISSING, Layout, member, read_records, ring_of_pairs
from rapideval.payloads.text import Tree, shown

__all__ = ["read", "recognises", "split"]


def _rings(item: dict[str, Any], place: Place) -> list[tuple[list[Any], Place]] | None:
    points = member(item, ("Geometry", "Polygon"))
    if not isinstance(points, list) or len(points) <= 4:
        return None
    return ring_of_pairs(points, place.at("Geometry", "Polygon"), "X", "Y")


_SIDES = ("Left", "Top", "Width", "Height")
_LAYOUT = Layout(
    label=("Name",),
    score=("Confidence",),
    box=[("Geometry", "BoundingBox", side) for side in _SIDES],
    order="xywh",
    rings=_rings,
    relative=True,
    percent=True,
    used=frozenset({"Name", "Confidence", "Geometry"}),
)
_INSTANCES = Layout(
    label=("Name",),
    score=("Confidence",),
    box=[("BoundingBox", side) for side in _SIDES],
    order="xywh",
    relative=True,
    percent=True,
    used=frozenset({"Name", "Confidence", "BoundingBox"}),
)


def recognises(tree: Tree) -> bool:
    """Whether this is an answer of DetectCustomLabels or DetectLabels."""
    return isinstance(tree, dict) and (isinstance(tree.get("CustomLabels"), list) or _has_instances(tree))


def _has_instances(tree: dict[str, Any]) -> bool:
    labels = tree.get("Labels")
    return isinstance(labels, list) and all(isinstance(label, dict) and "Name" in label for label in labels)


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """The one image."""
    del options
    if not recognises(tree):
        return refuse("M22", place, shown(tree), "an object with CustomLabels or Labels")
    return [ImageResult(tree, place)]


def read(result: ImageResult, context: Context) -> None:
    """Add the objects of the image."""
    tree, place = result.tree, result.place
    if isinstance(tree.get("CustomLabels"), list):
        labels, where = tree["CustomLabels"], place["CustomLabels"]
        located = [i for i, label in enumerate(labels) if member(label, ("Geometry", "BoundingBox")) is not MISSING]
        _tell_whole(len(labels) - len(located), where, context)
        read_records(labels, where, result, context, _LAYOUT, located)
        return
    whole = 0
    for index, label in enumerate(tree["Labels"]):
        instances = label.get("Instances")
        if not isinstance(instances, list) or not instances:
            whole += 1
            continue
        named = [
            {"Name": label["Name"], **instance} if isinstance(instance, dict) else instance for instance in instances
        ]
        read_records(named, place.at("Labels", index, "Instances"), result, context, _INSTANCES)
    _tell_whole(whole, place["Labels"], context)


def _tell_whole(count: int, place: Place, context: Context) -> None:
    if count:
        context.notes.tell("left-out", place, "a label of the whole image, without a box", count=count)
