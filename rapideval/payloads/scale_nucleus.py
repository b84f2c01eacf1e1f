"""Scale Launch endpoints made for Nucleus: a list of objects, for one image.

``[{"type": "box", "geometry": {"x": 1, "y": 2, "width": 3, "height": 4}, "label": "car", "confidence": 0.9}, ...]``

=========== =====================================================================
coordinates pixels, top-left corner and size
outlines    ``polygon``: ``geometry.vertices`` ``[{"x": 1, "y": 2}, ...]``, one ring
scores      ``confidence`` in [0, 1], optional
labels      ``label``, text
kept        ``classPdf``, ``metadata`` and all else an object has, as extras
left out    ``line``, ``keypoints``, ``cuboid``, ``category``: counted in a note
=========== =====================================================================

A list of such lists is several images. Annotations as Nucleus exports them (``{"predictions": [...]}``, with a
``reference_id`` each) are files rather than answers: they are a format.

Source: the pydantic models in ``nucleus/test_launch_integration.py`` of scale-nucleus 0.22.3 (MIT).
"""

from __future__ import annotations

from typing import Any

from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.options import Options
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.records import Layout, member, read_records, ring_of_pairs
from rapideval.payloads.text import Tree, shown

__all__ = ["read", "recognises", "split"]

_READ = ("box", "polygon")
_LEFT_OUT = ("line", "keypoints", "cuboid", "category", "multicategory")


def _rings(item: dict[str, Any], place: Place) -> list[tuple[list[Any], Place]] | None:
    if item.get("type") != "polygon":
        return None
    return ring_of_pairs(member(item, ("geometry", "vertices")), place.at("geometry", "vertices"), "x", "y")


_LAYOUT = Layout(
    label=("label",),
    score=("confidence",),
    box=(("geometry", "x"), ("geometry", "y"), ("geometry", "width"), ("geometry", "height")),
    order="xywh",
    rings=_rings,
    used=frozenset({"label", "confidence", "type", "geometry"}),
)


def recognises(tree: Tree) -> bool:
    """Whether these are objects with a type and a geometry."""
    if not isinstance(tree, list) or not tree:
        return False
    if all(isinstance(item, list) for item in tree):
        return any(recognises(item) for item in tree)
    return all(isinstance(item, dict) and "type" in item and "geometry" in item for item in tree)


def split(tree: Tree, place: Place, options: Options) -> list[ImageResult]:
    """The images: one, or a list for each."""
    del options
    if not isinstance(tree, list):
        return refuse("M20", place, shown(tree), "a list of objects with type and geometry")
    if tree and all(isinstance(item, list) for item in tree):
        return [ImageResult(item, place[index]) for index, item in enumerate(tree)]
    return [ImageResult(tree, place)]


def read(result: ImageResult, context: Context) -> None:
    """Add the boxes and polygons of one image."""
    chosen = []
    for index, item in enumerate(result.tree):
        kind = item.get("type") if isinstance(item, dict) else None
        if kind in _LEFT_OUT:
            context.notes.tell("left-out", result.place[index], f"a {kind}, which has no box", kind=str(kind))
        elif isinstance(item, dict) and kind not in _READ:
            types = ", ".join((*_READ, *_LEFT_OUT))
            context.problems.add("M22", result.place[index]["type"], shown(kind), f"one of {types}")
        else:
            chosen.append(index)
    read_records(result.tree, result.place, result, context, _LAYOUT, chosen)
