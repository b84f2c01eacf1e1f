"""Numbers of a document that may be undefined."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

__all__ = ["Number"]

Number: TypeAlias = Annotated[float, msgspec.Meta(extra_json_schema={"nullable": True})]
"""A number; NaN where it is undefined, which JSON has as null."""
