"""Columns into JSON text, a row at a time."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["Field", "join_rows", "number_texts", "ragged_texts", "string_texts"]

Texts = list[str]
Field = tuple[str, Texts, npt.NDArray[np.bool_] | None]
"""Name of a member, its JSON texts, and which rows have it (None: all)."""


def number_texts(values: npt.NDArray[Any]) -> Texts:
    """JSON numbers, the shortest that read back as the same value; whole numbers without a fraction."""
    if values.dtype.kind in "iu":
        return list(map(str, values.tolist()))
    if values.dtype.kind == "b":
        return ["1" if value else "0" for value in values.tolist()]
    return [str(int(v)) if v.is_integer() and abs(v) < 1e16 else repr(v) for v in values.tolist()]


def string_texts(values: Iterable[str]) -> Texts:
    """JSON strings."""
    return [json.dumps(value, ensure_ascii=False) for value in values]


def ragged_texts(texts: Texts, offsets: npt.NDArray[np.int64]) -> Texts:
    """JSON arrays of consecutive texts: row i holds ``texts[offsets[i]:offsets[i + 1]]``."""
    bounds = offsets.tolist()
    return [f"[{','.join(texts[a:b])}]" for a, b in itertools.pairwise(bounds)]


def join_rows(fields: Sequence[Field], extras: Sequence[bytes] | None, count: int) -> bytes:
    """JSON objects of these members, one a line; extras are objects whose members follow."""
    columns = []
    for name, texts, have in fields:
        key = json.dumps(name)
        members = [f"{key}:{text}" for text in texts]
        if have is not None:
            members = [member if there else "" for member, there in zip(members, have.tolist(), strict=True)]
        columns.append(members)
    if extras is not None:
        columns.append([text.decode()[1:-1] for text in extras])
    if not columns:
        return b",\n".join([b"{}"] * count)
    rows = ("{" + ",".join(filter(None, members)) + "}" for members in zip(*columns, strict=True))
    return ",\n".join(rows).encode()
