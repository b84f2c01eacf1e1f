"""Sizes of images, which some formats cannot be written without."""

from __future__ import annotations

import numpy as np

from rapideval.errors import InputError, Problem
from rapideval.model import Dataset

__all__ = ["require_sizes"]


def require_sizes(dataset: Dataset, why: str, annotated: bool = True) -> None:
    """Refuse a dataset whose images have no size.

    Parameters
    ----------
    dataset
        What is to be written.
    why
        What the sizes are for, as the message says it: ``"as coordinates are relative to them"``.
    annotated
        Ask it only of images with annotations; else of all.

    Raises
    ------
    InputError
        ``image-size``, naming the first such image and counting them.
    """
    unknown = ~dataset.images.sizes_known
    if annotated:
        has = np.zeros(len(unknown), np.bool_)
        has[dataset.annotations.image] = True
        unknown &= has
    places = np.flatnonzero(unknown)
    if len(places):
        where = f"image {dataset.images.key(int(places[0]))!r}"
        hint = "read them from the image files (--image-folder)"
        raise InputError(
            Problem("image-size", where, "no size", f"height and width, {why}", hint, "error", len(places))
        )
