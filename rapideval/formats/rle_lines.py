"""The lines of a RLE file, as types: what may stand in them, and the source of their JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from rapideval.formats.header import Box, Id, ImageEntry, LabelEntry, Size

__all__ = ["SCHEMA", "VERSION", "Header", "MaskLine"]

SCHEMA = "rapideval-rle"
VERSION = 1


class Header(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The first line."""

    schema: Literal["rapideval-rle"]
    version: Literal[1]
    scored: bool | UnsetType = UNSET
    labels: list[LabelEntry] | UnsetType = UNSET
    images: list[ImageEntry] | UnsetType = UNSET
    info: dict[str, Any] | UnsetType = UNSET


class MaskLine(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One annotation: a mask, or a box alone."""

    image: Annotated[str | Id, Meta(description="the name of the image, or its id where it has no name")]
    label: str
    score: float | UnsetType = UNSET
    size: Size | UnsetType = UNSET
    counts: Annotated[
        str | list[Annotated[int, Meta(ge=0, le=2**32 - 1)]],
        Meta(description="COCO run lengths: column by column, background first; compressed, or as numbers"),
    ] | UnsetType = UNSET  # fmt: skip
    box: Box | UnsetType = UNSET
    area: float | UnsetType = UNSET
    crowd: bool | UnsetType = UNSET
    id: Id | UnsetType = UNSET
    extras: dict[str, Any] | UnsetType = UNSET
