"""COCO documents with numbers and flags written as text, mended where it is unmistakable what is meant."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from rapideval.errors import FormatError, Problem
from rapideval.formats.notes import Report

__all__ = ["mended"]

_FLAGS = {"0": 0, "1": 1, "false": 0, "true": 1, "no": 0, "yes": 1}


def mended(text: bytes, report: Report) -> bytes:
    """Give the document with text turned into the numbers it stands for, each kind noted."""
    try:
        document = json.loads(text)
    except ValueError:
        return text  # the strict reader says where and why
    rows = (
        document if isinstance(document, list) else document.get("annotations") if isinstance(document, dict) else None
    )
    found: dict[str, tuple[int, int, str]] = {}
    for member, keys in _KEYS.items():
        table = rows if member == "annotations" else document.get(member) if isinstance(document, dict) else None
        for row, item in enumerate(table if isinstance(table, list) else ()):
            for key in keys if isinstance(item, dict) else ():
                value = keys[key](item.get(key))
                if value is not None:
                    first, count, shown = found.get(f"{member}.{key}", (row, 0, repr(item[key])))
                    found[f"{member}.{key}"] = (first, count + 1, shown)
                    item[key] = value
    for path, (row, count, shown) in found.items():
        member, key = path.split(".")
        where = f"$[{row}].{key}" if isinstance(document, list) else f"$.{member}[{row}].{key}"
        report.note("mended", f"{shown}, read as a number", where, severity="warning", count=count)
    try:
        return json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
    except ValueError:
        problem = Problem("json-nan", report.name, "NaN or Infinity", "finite numbers")
        raise FormatError(problem) from None


def _integer(value: Any) -> int | None:
    if not isinstance(value, str):
        return None
    try:
        number = int(value)
    except ValueError:
        return None
    return number if str(number) == value else None


def _number(value: Any) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _flag(value: Any) -> int | None:
    return _FLAGS.get(value.lower()) if isinstance(value, str) else None


def _numbers(value: Any) -> list[Any] | None:
    if not isinstance(value, list) or not any(isinstance(item, str) for item in value):
        return None
    numbers = [item if (number := _number(item)) is None else number for item in value]
    return numbers


_KEYS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "images": {"id": _integer, "width": _integer, "height": _integer},
    "categories": {"id": _integer},
    "annotations": {
        "image_id": _integer,
        "category_id": _integer,
        "id": _integer,
        "iscrowd": _flag,
        "area": _number,
        "score": _number,
        "bbox": _numbers,
    },
}
