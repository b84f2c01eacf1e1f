"""Parts of a holdout: images by an attribute or by how many objects they hold, objects by size.

A slice is named ``KIND:VALUE``: ``size:small`` is an area range of the protocol, ``count:empty``, ``count:few`` (1 to 4
objects), ``count:many`` (5 to 19) and ``count:crowded`` (20 and more) go by the ground truth, and ``COLUMN:VALUE`` by a
column of the images' attributes. No slice needs new matching.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.errors import InputError, Problem
from rapideval.judge.policy import nearest
from rapideval.metrics import DetectionEvaluation, Evaluation, SemanticEvaluation
from rapideval.model import Images, match_images

__all__ = ["Attributes", "Slice", "find_slice", "read_attributes", "slice_names"]

COUNTS = {"empty": (0, 0), "few": (1, 4), "many": (5, 19), "crowded": (20, 2**31)}

Attributes = Mapping[str, Sequence[str | None]]
"""Columns of image attributes: a value, or None, for each image of the evaluation."""


class Slice(NamedTuple):
    """Images (I,) booleans that belong, and the area range objects are counted in."""

    name: str
    images: npt.NDArray[np.bool_]
    area: str | None


def read_attributes(path: str | Path, images: Images) -> dict[str, list[str | None]]:
    """Attributes of the images from a CSV file, or a JSON list of objects, with a column ``image``.

    Rows are joined to images by name, last part of the path, or id; images without a row have None.

    Raises
    ------
    InputError
        Where there is no column ``image``, or a row's image is not among the images.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(Problem("slice-file", str(path), str(error), "a CSV or JSON file in UTF-8")) from None
    rows: list[dict[str, object]]
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except json.JSONDecodeError as error:
            raise InputError(Problem("slice-file", f"{path}: line {error.lineno}", error.msg, "JSON")) from None
    else:
        rows = [dict(row) for row in csv.DictReader(text.splitlines())]
    if not rows or not all(isinstance(row, dict) and row.get("image") is not None for row in rows):
        raise InputError(Problem("slice-file", str(path), "rows without an image", "a column 'image' in every row"))
    keys = [str(row["image"]) for row in rows]
    if len(set(keys)) != len(keys):
        again = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise InputError(Problem("slice-image", str(path), f"image {again!r} twice", "one row an image"))
    places, _ = match_images(images, Images(keys))
    unknown = [key for key, place in zip(keys, places, strict=True) if place < 0]
    if len(unknown) == len(keys):
        problem = Problem("slice-image", str(path), f"image {unknown[0]!r}", f"images such as {images.key(0)!r}")
        raise InputError(problem)
    columns: dict[str, list[str | None]] = {}
    for row, place in zip(rows, places.tolist(), strict=True):
        for name, value in row.items():
            if name is not None and name != "image" and place >= 0 and value not in (None, ""):
                columns.setdefault(name, [None] * len(images))[place] = str(value)
    return columns


def object_counts(evaluation: Evaluation) -> npt.NDArray[np.int64]:
    """Ground-truth objects that count in each image, (I,); of pixels: labels that stand there."""
    if isinstance(evaluation, DetectionEvaluation):
        objects = evaluation.matches.objects
        return np.bincount(objects.image[evaluation.matches.object_counts()], minlength=len(evaluation.images))
    assert isinstance(evaluation, SemanticEvaluation)
    rows = evaluation.matches
    there = (rows.truth > 0) & (rows.label < len(rows.labels))
    return np.bincount(rows.image[there], minlength=len(evaluation.images))


def slice_names(evaluation: Evaluation, attributes: Attributes) -> list[str]:
    """All slices there are."""
    names = [f"count:{name}" for name in COUNTS]
    if isinstance(evaluation, DetectionEvaluation):
        names = [f"size:{area.name}" for area in evaluation.protocol.area_ranges[1:]] + names
    for column, values in attributes.items():
        names += [f"{column}:{value}" for value in sorted({v for v in values if v is not None})]
    return names


def find_slice(name: str, evaluation: Evaluation, attributes: Attributes) -> Slice:
    """The slice of this name; InputError with the nearest names where there is none."""
    known = slice_names(evaluation, attributes)
    if name not in known:
        raise InputError(Problem("slice-unknown", f"slice {name!r}", "no such slice", "a slice", nearest(name, known)))
    kind, _, value = name.partition(":")
    everything = np.ones(len(evaluation.images), np.bool_)
    if kind == "size" and isinstance(evaluation, DetectionEvaluation):
        return Slice(name, everything, value)
    if kind == "count":
        low, high = COUNTS[value]
        counts = object_counts(evaluation)
        return Slice(name, (counts >= low) & (counts <= high), None)
    return Slice(name, np.array([v == value for v in attributes[kind]], np.bool_), None)
