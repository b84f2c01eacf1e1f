"""The member that the project adds to a FeatureCollection."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from rapideval.formats.header import ImageEntry, LabelEntry

__all__ = ["DEGREES", "MEMBER", "PIXELS", "RESERVED", "GeojsonHeader"]

MEMBER = "rapideval"
PIXELS = "pixels, x right, y down, origin at the top-left corner of the top-left pixel"
DEGREES = "longitude and latitude of WGS 84 (EPSG:4326)"

RESERVED = ("label", "image", "score", "crowd", "area", "box", "shape", "extras")
"""Properties that have a meaning here; further fields of these names stand in ``extras``."""


class GeojsonHeader(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a FeatureCollection of the project says beside its features."""

    schema: Literal["rapideval-geojson"]
    version: Literal[1]
    coordinates: str
    scored: bool
    images: list[ImageEntry]
    labels: list[LabelEntry]
    transform: Annotated[
        list[float] | UnsetType,
        Meta(description="a, b, c, d, e, f: longitude = a x + b y + c, latitude = d x + e y + f"),
    ] = UNSET
    info: dict[str, Any] | UnsetType = UNSET
