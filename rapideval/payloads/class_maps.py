"""Maps of class numbers: a picture whose values say which class each pixel is of, 0 being background."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rapideval.errors import InputError
from rapideval.model import Masks
from rapideval.payloads.context import Context
from rapideval.payloads.keys import ImageResult
from rapideval.payloads.pictures import Picture, base64_picture, one_channel
from rapideval.payloads.places import Place
from rapideval.payloads.rows import Rows
from rapideval.payloads.text import Tree, as_text, shown

__all__ = ["read_class_map"]


def read_class_map(
    value: Tree, place: Place, result: ImageResult, context: Context, names: Mapping[str, Any] | None = None
) -> None:
    """Add one mask for each class of a map.

    Parameters
    ----------
    value
        A base64 PNG, or a `Picture`.
    names
        Names by number, as text; else the caller's labels.
    """
    try:
        text = as_text(value)
        if text is None and not isinstance(value, Picture):
            context.problems.add("M35", place, shown(value), "a base64 PNG of class numbers")
            return
        picture = value if text is None else base64_picture(text, place)
        pixels = one_channel(picture, place)
    except InputError as error:
        context.problems.extend(error)
        return
    if pixels.dtype == np.bool_:
        pixels = pixels.astype(np.uint8)
    numbers = [int(number) for number in np.unique(pixels) if number != 0]
    labels = [_name(number, place, context, names) for number in numbers]
    found = [name for name in labels if name is not None]
    if len(found) < len(numbers):
        return
    result.size = result.size or (pixels.shape[0], pixels.shape[1])
    masks = Masks.concat([Masks.from_dense(pixels == number) for number in numbers])
    context.add(result, Rows(found, masks=masks, origin=f"{place}: class {{row}}", numbers=numbers))


def _name(number: int, place: Place, context: Context, names: Mapping[str, Any] | None) -> str | None:
    given = None if names is None else as_text(names.get(str(number)))
    return given or context.label_of_number(number, place)
