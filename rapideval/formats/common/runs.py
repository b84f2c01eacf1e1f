"""COCO run lengths in documents of other formats."""

from __future__ import annotations

from rapideval.errors import InputError
from rapideval.formats.common.nodes import Node
from rapideval.model import Masks

__all__ = ["mask_of_runs"]


def mask_of_runs(rle: Node) -> Masks:
    """The mask of an object with ``size`` and ``counts``: a compressed string, or numbers."""
    size = [side.size() for side in rle["size"]]
    counts = rle["counts"]
    if len(size) != 2:
        rle["size"].refuse("mask-size", f"{len(size)} numbers", "height and width")
    try:
        if isinstance(counts.value, str):
            return Masks.from_strings([counts.value], [size])
        return Masks.from_counts([[run.whole(0) for run in counts]], [size])
    except InputError as error:
        counts.refuse("mask-counts", error.problems[0].found, error.problems[0].expected)
