"""What a Parquet file says beside its rows."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from rapideval.formats.header import ImageEntry, LabelEntry

__all__ = ["KEY", "ParquetHeader"]

KEY = b"rapideval"


class ParquetHeader(msgspec.Struct, omit_defaults=True):
    """Images, labels and metadata; the value of ``rapideval`` in the file's metadata."""

    schema: Literal["rapideval-dataset"]
    version: Literal[1]
    scored: bool
    images: list[ImageEntry]
    labels: list[LabelEntry]
    derived: list[str]
    info: dict[str, Any] | UnsetType = UNSET
