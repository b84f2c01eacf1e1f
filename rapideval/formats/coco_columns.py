"""Columns of a COCO document: which rows have a key, ids that are numbers or text, texts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.errors import InputError
from rapideval.formats.notes import Report
from rapideval.model import Extras

__all__ = [
    "Columns",
    "Ids",
    "Places",
    "extras_of",
    "ids_of",
    "made",
    "missing_rows",
    "other_task",
    "places",
    "shown",
    "texts_of",
]

Columns = dict[str, Any]
Ids = npt.NDArray[np.int64] | list[str]
Places = npt.NDArray[np.int32]
Made = TypeVar("Made")


def missing_rows(columns: Columns, key: str) -> npt.NDArray[np.int64]:
    """Rows without a key."""
    present = columns["present"][key]
    if present is True:
        return np.empty(0, np.int64)
    if present is False:
        return np.arange(columns["rows"], dtype=np.int64)
    return np.flatnonzero(~np.broadcast_to(np.asarray(present, np.bool_), columns["rows"])).astype(np.int64)


def texts_of(column: Any) -> list[str]:
    """Texts of a ragged UTF-8 column."""
    data = column["data"].tobytes()
    bounds = column["offsets"].tolist()
    return [data[a:b].decode("utf-8", "surrogatepass") for a, b in itertools.pairwise(bounds)]


def extras_of(columns: Columns) -> Extras | None:
    """Unknown fields, None where no row has any."""
    column = columns["extras"]
    return Extras(column["data"], column["offsets"]) if column is not None and len(column["data"]) else None


def other_task(columns: Columns) -> str:
    """Which other COCO task annotations seem to be of, as a hint; "" where nothing says so."""
    extras = b"" if columns["extras"] is None else columns["extras"]["data"][:100_000].tobytes()
    if b'"caption"' in extras:
        return "these are COCO captions, which have neither labels nor boxes"
    if b'"segments_info"' in extras:
        return "this is COCO panoptic, whose segments are in PNG files beside it"
    return ""


def ids_of(columns: Columns, key: str, path: str, report: Report, hint: str = "") -> Ids:
    """Ids of every row: numbers, or text where they are not numbers. Rows without one are refused."""
    report.refuse_rows(
        "coco-key",
        missing_rows(columns, key),
        lambda row: f"{path}[{row}].{key}",
        lambda _: "no such key",
        "an id",
        hint,
    )
    report.close()
    column = columns[key]
    if column is None:
        return np.empty(0, np.int64)
    if isinstance(column, np.ndarray):
        return column
    texts = texts_of(column)
    # Text stands for a number only where the number would be written so: "7", but not "07" or "+7".
    if all(
        text.isascii() and len(text) < 19 and text.removeprefix("-").isdigit() and str(int(text)) == text
        for text in texts
    ):
        report.note(
            "id-text",
            f"ids as text ({texts[0]!r}): read as numbers",
            f"{path}[0].{key}",
            severity="warning",
            count=len(texts),
        )
        return np.array([int(text) for text in texts], np.int64)
    return texts


def places(values: Ids, keys: Ids) -> Places:
    """Place of each value among the keys, -1 where it is not there."""
    if isinstance(values, np.ndarray) and isinstance(keys, np.ndarray):
        found: Places = _core.index_ids(values, keys)
        return found
    index = {key: place for place, key in enumerate(map(str, keys if isinstance(keys, list) else keys.tolist()))}
    texts = values if isinstance(values, list) else map(str, values.tolist())
    return np.array([index.get(text, -1) for text in texts], np.int32)


def shown(values: Ids, row: int) -> str:
    """One id, as a message shows it."""
    return repr(values[row]) if isinstance(values, list) else str(values[row])


def made(report: Report, path: str, make: Callable[[], Made]) -> Made:
    """What `make` gives; what it refuses is said of this document."""
    try:
        return make()
    except InputError as error:
        problem = error.problems[0]
        report.refuse(problem.rule, path, f"{problem.found} ({problem.where})", problem.expected, problem.hint)
        report.close()
        raise
