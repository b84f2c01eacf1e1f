"""COCO JSON into columns by way of Python objects: plain, slow, and the measure of the reader in the core.

Gives the columns that `rapideval._core.read_coco_results` and `read_coco_dataset` give.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rapideval._core import CoreError
from rapideval.model.columns import offsets_of

Rows = list[dict[str, Any]]
KNOWN = {
    "annotations": ("image_id", "category_id", "id", "bbox", "score", "area", "iscrowd", "segmentation"),
    "images": ("id", "width", "height", "file_name"),
    "categories": ("id", "name", "supercategory"),
}


class Problems(list[CoreError]):
    """Problems met, in the order of the text."""

    def add(self, rule: str, path: str, found: Any, expected: str) -> None:
        """One more."""
        error = CoreError(f"found {found}, expected {expected}")
        error.rule, error.path, error.found, error.expected = rule, path, str(found)[:60], expected
        error.hint, error.offset, error.line, error.row = "", None, None, None
        self.append(error)


def read_coco_results(source: str | bytes, extras: bool = False) -> Any:
    """See `rapideval._core.read_coco_results`."""
    problems = Problems()
    rows = _load(source)
    columns = annotation_columns(rows, "$", extras, problems)
    return {"annotations": columns, "problems": problems, "problem_count": len(problems)}


def read_coco_dataset(source: str | bytes, extras: bool = False) -> Any:
    """See `rapideval._core.read_coco_dataset`."""
    problems = Problems()
    document = _load(source)
    result: dict[str, Any] = {
        key: read(document[key], f"$.{key}", extras, problems) if key in document else None
        for key, read in (
            ("images", image_columns),
            ("categories", category_columns),
            ("annotations", annotation_columns),
        )
    }
    result["top"] = {k: _dump(v) for k, v in document.items() if k not in KNOWN}
    return result | {"problems": problems, "problem_count": len(problems)}


def _load(source: str | bytes) -> Any:
    if isinstance(source, str):
        with open(source, "rb") as file:
            source = file.read()

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    try:
        return json.loads(source.removeprefix(b"\xef\xbb\xbf").decode(), parse_constant=refuse)
    except ValueError as exc:
        problems = Problems()
        rule = "json-nan" if "is not JSON" in str(exc) else "json-syntax"
        problems.add(rule, "$", str(exc), "JSON")
        raise problems[0] from None


def annotation_columns(rows: Rows, path: str, extras: bool, problems: Problems) -> Any:
    """Columns of annotations."""
    columns = _common(rows, "annotations", extras)
    for key in ("image_id", "category_id", "id"):
        columns[key] = _ids(rows, path, key, problems)
    columns["bbox"] = _numbers(rows, path, "bbox", 4, problems)
    columns["score"] = _numbers(rows, path, "score", None, problems)
    columns["area"] = _numbers(rows, path, "area", None, problems)
    crowd = []
    for i, row in enumerate(rows):
        value = row.get("iscrowd")
        if value not in (None, 0, 1) or isinstance(value, str):
            problems.add("coco-iscrowd", f"{path}[{i}].iscrowd", repr(value), "0 or 1")
        crowd.append(value == 1)
    columns["iscrowd"] = np.array(crowd, np.bool_) if any("iscrowd" in row for row in rows) else None
    columns["segmentation"] = _segmentations(rows, path, problems)
    return columns


def image_columns(rows: Rows, path: str, extras: bool, problems: Problems) -> Any:
    """Columns of images."""
    columns = _common(rows, "images", extras)
    columns["id"] = _ids(rows, path, "id", problems)
    for key in ("width", "height"):
        columns[key] = np.array([row.get(key) or 0 for row in rows], np.int64)
    columns["file_name"] = _texts([row.get("file_name") or "" for row in rows])
    return columns


def category_columns(rows: Rows, path: str, extras: bool, problems: Problems) -> Any:
    """Columns of categories."""
    columns = _common(rows, "categories", extras)
    columns["id"] = _ids(rows, path, "id", problems)
    for key in ("name", "supercategory"):
        columns[key] = _texts([row.get(key) or "" for row in rows])
    return columns


def _common(rows: Rows, member: str, extras: bool) -> dict[str, Any]:
    present: dict[str, Any] = {}
    nulls = {}
    for key in KNOWN[member]:
        have = np.array([row.get(key) is not None for row in rows], np.bool_)
        present[key] = True if len(rows) and have.all() else have if have.any() else False
        null = sum(1 for row in rows if key in row and row[key] is None)
        if null:
            nulls[key] = null
    others = [{k: v for k, v in row.items() if k not in KNOWN[member]} for row in rows] if extras else []
    texts = [_dump(other).decode() if other else "" for other in others]
    return {"rows": len(rows), "present": present, "nulls": nulls, "extras": _texts(texts) if extras else None}


def _dump(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def _texts(texts: list[str]) -> Any:
    data = [text.encode() for text in texts]
    return {"data": np.frombuffer(b"".join(data), np.uint8), "offsets": offsets_of([len(text) for text in data])}


def _ids(rows: Rows, path: str, key: str, problems: Problems) -> Any:
    values = [row.get(key) for row in rows]
    if all(value is None for value in values):
        return None
    text = any(isinstance(value, str) for value in values)
    for i, value in enumerate(values):
        if value is None:
            continue
        if text and not isinstance(value, str):
            problems.add("coco-id-mixed", f"{path}[{i}].{key}", repr(value), "text, as in the other rows")
        elif not text and (isinstance(value, bool) or value != int(value)):
            problems.add("coco-id", f"{path}[{i}].{key}", repr(value), "an integer")
    if text:
        return _texts([value if isinstance(value, str) else "" for value in values])
    return np.array([0 if value is None else int(value) for value in values], np.int64)


def _numbers(rows: Rows, path: str, key: str, width: int | None, problems: Problems) -> Any:
    if not any(row.get(key) is not None for row in rows):
        return None

    def is_number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

    fits: Callable[[Any], bool] = is_number
    blank: Any = math.nan
    expected = "a number"
    if width:
        blank = [math.nan] * width
        expected = f"{width} numbers"

        def fits(value: Any) -> bool:
            return isinstance(value, list) and len(value) == width and all(map(is_number, value))

    out = []
    for i, row in enumerate(rows):
        value = row.get(key)
        good = value is not None and fits(value)
        if value is not None and not good:
            problems.add("coco-bbox" if width else "coco-number", f"{path}[{i}].{key}", repr(value), expected)
        out.append(value if good else blank)
    return np.array(out, np.float64)


def _segmentations(rows: Rows, path: str, problems: Problems) -> Any:
    if not any(row.get("segmentation") is not None for row in rows):
        return None
    kinds, runs, sizes, points, ring_lengths, ring_counts = [], [], [], [], [], []
    for i, row in enumerate(rows):
        value = row.get("segmentation")
        kind, size = 0, [0, 0]
        mine: list[int] = []
        rings: list[Any] = []
        if isinstance(value, dict):
            size, counts = value.get("size", []), value.get("counts", [])
            kind = 3 if isinstance(counts, str) else 2
            mine = decode(counts) if kind == 3 else counts
            if sum(mine) != size[0] * size[1]:
                problems.add(
                    "rle-sum", f"{path}[{i}].segmentation", f"runs of {sum(mine)} pixels", f"{size[0] * size[1]}"
                )
        elif value:
            kind, rings = 1, value
            for r, ring in enumerate(rings):
                if not isinstance(ring, list) or len(ring) < 6 or len(ring) % 2:
                    problems.add(
                        "coco-polygon", f"{path}[{i}].segmentation[{r}]", repr(ring), "x, y of three points or more"
                    )
                    kind, rings = 0, []
                    break
        kinds.append(kind)
        runs.append(mine)
        sizes.append(size)
        ring_counts.append(len(rings))
        ring_lengths += [len(ring) // 2 for ring in rings]
        points += [number for ring in rings for number in ring]
    return {
        "kind": np.array(kinds, np.uint8),
        "counts": np.array([count for mine in runs for count in mine], np.uint32),
        "offsets": offsets_of([len(mine) for mine in runs]),
        "sizes": np.array(sizes, np.uint32).reshape(-1, 2),
        "coordinates": np.array(points, np.float64).reshape(-1, 2),
        "ring_offsets": offsets_of(ring_lengths),
        "row_offsets": offsets_of(ring_counts),
    }


def decode(text: str) -> list[int]:
    """Run lengths of COCO's compressed string: 5 bits a character, lowest first, differences to the last but one."""
    counts: list[int] = []
    value = shift = 0
    for character in text.encode():
        bits = character - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value -= 1 << shift
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return counts


def index_ids(values: Any, keys: Any) -> Any:
    """See `rapideval._core.index_ids`."""
    place = {key: row for row, key in reversed(list(enumerate(keys.tolist())))}
    return np.array([place.get(value, -1) for value in values.tolist()], np.int32)
