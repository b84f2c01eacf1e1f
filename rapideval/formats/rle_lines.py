"""The lines of a RLE file, as types: what may stand in them, and the source of their JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

__all__ = ["SCHEMA", "VERSION", "Header", "ImageEntry", "LabelEntry", "MaskLine"]

SCHEMA = "rapideval-rle"
VERSION = 1

Positive = Annotated[int, Meta(ge=1)]
Size = Annotated[list[Positive], Meta(min_length=2, max_length=2, description="height and width in pixels")]
Box = Annotated[list[float], Meta(min_length=4, max_length=4, description="x, y, width, height in pixels")]


class ImageEntry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An image; it is known by its name, by its id, or by both."""

    name: str | UnsetType = UNSET
    id: int | UnsetType = UNSET
    size: Size | UnsetType = UNSET
    extras: dict[str, Any] | UnsetType = UNSET


class LabelEntry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A label."""

    name: str
    id: int | UnsetType = UNSET
    supercategory: str | UnsetType = UNSET
    extras: dict[str, Any] | UnsetType = UNSET


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

    image: Annotated[str | int, Meta(description="the name of the image, or its id where it has no name")]
    label: str
    score: float | UnsetType = UNSET
    size: Size | UnsetType = UNSET
    counts: Annotated[
        str | list[Annotated[int, Meta(ge=0)]],
        Meta(description="COCO run lengths: column by column, background first; compressed, or as numbers"),
    ] | UnsetType = UNSET  # fmt: skip
    box: Box | UnsetType = UNSET
    area: float | UnsetType = UNSET
    crowd: bool | UnsetType = UNSET
    id: int | UnsetType = UNSET
    extras: dict[str, Any] | UnsetType = UNSET
