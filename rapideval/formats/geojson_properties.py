"""Properties of features: what the project wrote, and what those of other tools mean."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval.errors import UsageError
from rapideval.formats.geojson_header import RESERVED
from rapideval.formats.notes import Report

__all__ = ["Properties", "foreign_properties", "own_properties"]

LABELS = ("label", "class", "category", "classification", "name")
SCORES = ("score", "confidence", "conf", "probability")
UNNAMED = "object"
Rows = Sequence[dict[str, Any]]


class Properties(NamedTuple):
    """Columns of features' properties."""

    images: list[str | int]
    labels: list[str]
    scores: npt.NDArray[np.float64] | None
    boxes: list[list[float] | None] | None
    areas: npt.NDArray[np.float64] | None
    crowd: npt.NDArray[np.bool_] | None
    shapes: list[str] | None
    extras: list[dict[str, Any]]


# --- the project's own -------------------------------------------------------------------------------


def own_properties(rows: Rows, path: str, places: Sequence[int], report: Report) -> Properties:
    """Properties as the project writes them; another type or a missing one is refused."""

    def column(name: str, fits: Callable[[Any], bool], expected: str, needed: bool) -> list[Any] | None:
        values = [row.get(name) for row in rows]
        if not needed and all(value is None for value in values):
            return None
        for place, value in zip(places, values, strict=True):
            if not fits(value):
                where = f"{path.format(place)}.properties.{name}"
                found = "no such property" if value is None else repr(value)[:60]
                report.refuse("geojson-property", where, found, expected)
        return values

    def is_key(value: Any) -> bool:
        return isinstance(value, str | int) and not isinstance(value, bool) and value != ""

    images = column("image", is_key, "the name of an image, or its id", True)
    labels = column("label", lambda v: isinstance(v, str) and v != "", "the name of a label", True)
    shapes = column("shape", lambda v: v in ("box", "mask", "polygon"), "box, mask or polygon", True)
    scores = column("score", _is_number, "a number, as the other features have", False)
    areas = column("area", _is_number, "a number, as the other features have", False)
    boxes = column("box", lambda v: v is None or _is_box(v), "x, y, width, height", False)
    column("crowd", lambda v: v is None or isinstance(v, bool), "true or false", False)
    column("extras", lambda v: v is None or isinstance(v, dict), "an object", False)
    report.close()
    kept = [{k: v for k, v in row.items() if k not in RESERVED} | (row.get("extras") or {}) for row in rows]
    return Properties(
        images or [],
        labels or [],
        None if scores is None else np.array(scores, np.float64),
        boxes,
        None if areas is None else np.array(areas, np.float64),
        np.array([row.get("crowd") is True for row in rows], np.bool_),
        shapes,
        kept,
    )


# --- other tools' ------------------------------------------------------------------------------------


def foreign_properties(
    rows: Rows,
    label_property: str | None,
    score_property: str | None,
    image: str,
    path: str,
    places: Sequence[int],
    report: Report,
) -> Properties:
    """Properties of files that say neither what they mean nor that every feature has them."""
    label = _chosen(rows, label_property, LABELS, lambda value: _label(value) is not None, "label_property")
    score = _chosen(rows, score_property, SCORES, _is_number, "score_property")
    labels = [UNNAMED if label is None else _label(row.get(label)) or UNNAMED for row in rows]
    unnamed = labels.count(UNNAMED)
    if unnamed and rows:
        first = path.format(places[labels.index(UNNAMED)])
        report.note(
            "label-missing", f"features without a label: called {UNNAMED!r}", first,
            hint="name the property that is the label (label_property=)", severity="warning", count=unnamed,
        )  # fmt: skip
    elif label not in (None, "label"):
        report.note("label-property", f"the property {label!r} is the label", path.format(places[0]), count=len(rows))
    if score not in (None, "score"):
        report.note("score-property", f"the property {score!r} is the score", path.format(places[0]), count=len(rows))
    images = [row.get("image") for row in rows]
    named = bool(images) and all(isinstance(name, str) and name for name in images)
    used = {name for name in (label, score, "image" if named else None) if name is not None}
    # A classification has more than its name (QuPath: a colour), so it stays among the further fields too.
    used -= {name for name in used if any(isinstance(row.get(name), dict) for row in rows)}
    return Properties(
        [str(name) for name in images] if named else [image] * len(rows),
        labels,
        None if score is None else np.array([row[score] for row in rows], np.float64),
        None,
        None,
        None,
        None,
        [{key: value for key, value in row.items() if key not in used} for row in rows],
    )


def _chosen(
    rows: Rows, asked: str | None, candidates: Sequence[str], fits: Callable[[Any], bool], option: str
) -> str | None:
    """The property that is meant: the one asked for, else the first candidate that every feature has."""
    if asked is not None:
        if rows and not any(fits(row.get(asked)) for row in rows):
            known = sorted({key for row in rows for key in row})
            raise UsageError(f"{option}={asked!r}: no feature has it so; there are {', '.join(known[:20])}")
        return asked
    full = [name for name in candidates if rows and all(fits(row.get(name)) for row in rows)]
    if full or option == "score_property":
        return full[0] if full else None
    # Features that a tool left without a class are still of the property that the others have it in.
    some = [name for name in candidates[:-1] if any(fits(row.get(name)) for row in rows)]
    return some[0] if some else None


def _label(value: Any) -> str | None:
    if isinstance(value, dict):
        value = value.get("name")
    if isinstance(value, str) and value:
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_box(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 4 and all(map(_is_number, value))
