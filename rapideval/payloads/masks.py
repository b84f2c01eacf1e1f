"""Masks in every writing that answers use: dense bitmasks, text that holds one, COCO run lengths, base64 PNG."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import InputError, Problem
from rapideval.model import Masks
from rapideval.payloads.objects import mask_value_hint
from rapideval.payloads.pictures import Picture, base64_picture, one_channel
from rapideval.payloads.places import Place, refuse
from rapideval.payloads.text import Reader, Tree, as_text, is_text, shown

__all__ = ["is_bitmask", "mask_list", "one_mask"]


def is_bitmask(value: Tree) -> bool:
    """Whether a value of the tree is dense bitmasks already turned into run lengths."""
    return hasattr(value, "counts") and hasattr(value, "ndim")


def _masks(bitmask: Any) -> Masks:
    return Masks(bitmask.counts, bitmask.offsets, bitmask.sizes, checked=True)


def mask_list(value: Tree, place: Place, reader: Reader) -> Masks:
    """Masks [N, H, W] of one image, or an InputError with all that is wrong with them."""
    if is_bitmask(value):
        if value.ndim == 2:
            height, width = value.sizes[0].tolist()
            refuse(
                "M35",
                place,
                f"one mask of {height} rows and {width} columns, or {height} masks of one row only",
                "a list of masks, [N, H, W]",
                "put the one mask in a list",
            )
        return _masks(value)
    if isinstance(value, _core.CoreError):
        _refuse_mask(value, place)
    if is_text(value):
        tree, inside = _layer(value, place, reader)
        return mask_list(tree, inside, reader)
    if not isinstance(value, list):
        refuse("M35", place, shown(value), "a list of masks, [N, H, W]")
    parts: list[Masks] = []
    problems: list[Problem] = []
    for index, item in enumerate(value):
        try:
            parts.append(one_mask(item, place[index], reader))
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(problems)
    return Masks.concat(parts) if parts else Masks.empty(0)


def one_mask(value: Tree, place: Place, reader: Reader) -> Masks:
    """One mask, as one row, or an InputError."""
    if is_bitmask(value):
        if len(value) != 1:
            refuse("M35", place, f"{len(value):,} masks", "one mask, [H, W] or [1, H, W]")
        return _masks(value)
    if isinstance(value, _core.CoreError):
        _refuse_mask(value, place)
    if isinstance(value, dict):
        return _run_lengths(value, place)
    if isinstance(value, _core.JsonText) or (isinstance(value, str) and value.lstrip()[:1] in ("[", "{", '"')):
        tree, inside = _layer(value, place, reader)
        return one_mask(tree, inside, reader)
    if isinstance(value, str):
        return Masks.from_dense(_binary(base64_picture(value, place), place))
    if value == []:
        refuse("M34", place, "a mask without rows", "at least one row")
    return refuse("M35", place, shown(value), "a mask: rows of 0 and 1, COCO run lengths, or a base64 PNG")


def _layer(value: Tree, place: Place, reader: Reader) -> tuple[Tree, Place]:
    return reader.layer(value, place, root_is_bitmask=True)


def _refuse_mask(error: _core.CoreError, place: Place) -> None:
    hint = error.hint
    if not hint and error.rule == "M33":
        try:
            hint = mask_value_hint(float(error.found))
        except ValueError:
            hint = ""
    refuse(error.rule, place.below(error.path), error.found, error.expected, hint)


def _run_lengths(value: dict[str, Any], place: Place) -> Masks:
    """COCO's ``{"size": [h, w], "counts": text or list}``."""
    if "size" not in value or "counts" not in value:
        refuse("M22", place, shown(value), 'COCO run lengths {"size": [height, width], "counts": ...}')
    size, counts = value["size"], value["counts"]
    if not isinstance(size, list) or len(size) != 2 or set(map(type, size)) != {int}:
        refuse("rle-size", place["size"], shown(size), "[height, width]")
    if min(size) < 1 or max(size) >= 1 << 32:
        refuse("M34" if min(size) == 0 else "rle-size", place["size"], f"{size}", "[height, width], both at least 1")
    text = as_text(counts)
    try:
        if text is not None:
            return Masks.from_strings([text], np.array([size], np.uint32))
        if not isinstance(counts, list) or not set(map(type, counts)) <= {int}:
            refuse("rle-counts", place["counts"], shown(counts), "run lengths, or COCO's compressed text")
        if counts and (min(counts) < 0 or max(counts) >= 1 << 32):
            refuse(
                "rle-counts",
                place["counts"],
                f"a run of {min(counts) if min(counts) < 0 else max(counts)}",
                "run lengths from 0",
            )
        return Masks.from_counts([np.array(counts, np.uint32)], np.array([size], np.uint32))
    except InputError as error:
        problem = error.problems[0]
        refuse(
            problem.rule,
            place if problem.where.startswith("masks") else problem.where,
            problem.found,
            problem.expected,
            problem.hint,
        )


def _binary(picture: Picture, place: Place) -> npt.NDArray[np.bool_]:
    """A picture of black and white as a mask."""
    pixels = one_channel(picture, place)
    if pixels.dtype == np.bool_:
        return pixels
    values = np.unique(pixels)
    if (len(values) <= 2 and set(values.tolist()) <= {0, 1}) or set(values.tolist()) <= {0, 255}:
        return np.asarray(pixels != 0)
    other = next(int(value) for value in values if value not in (0, 1))
    y, x = np.argwhere(pixels == other)[0].tolist()
    many = len(values) > 8
    return refuse(
        "M33",
        place,
        f"a PNG with {len(values):,} values, {other} at row {y}, column {x}",
        "black and white",
        "a probability map? Threshold it first"
        if many
        else "a map of class numbers? One mask for each class is expected",
    )
