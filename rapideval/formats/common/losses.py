"""Losses that several formats have, told alike."""

from __future__ import annotations

from collections.abc import Collection

from rapideval.formats.capabilities import Loss, plural
from rapideval.formats.common.names import safe_path
from rapideval.model import Dataset, Extras, Images

__all__ = ["beyond", "file_names", "holes_as_masks", "outlines_as_masks"]


def beyond(extras: Extras | None, known: Collection[str], kind: str, noun: str) -> Loss:
    """Further fields besides those that a format has a place for.

    Parameters
    ----------
    extras
        Of annotations, images or labels.
    known
        Names that the format has a place for.
    kind, noun
        The capability (``"image_attributes"``), and what has the fields (``"image"``).
    """
    names = set(known)
    count = 0 if extras is None else sum(1 for row in range(len(extras)) if extras[row].keys() - names)
    return Loss(kind, count, f"further fields of {plural(count, noun)} that the format has no place for")


def file_names(images: Images) -> Loss:
    """Names that change when they become names of files, where the documents themselves keep them."""
    count = sum(1 for key in images.keys if safe_path(key) != key)
    return Loss(
        "image_files", count, f"the file names of {plural(count, 'image')}: changed where a path cannot hold them"
    )


def outlines_as_masks(dataset: Dataset) -> list[Loss]:
    """Outlines of more than one ring, in a format that has masks for them: see `vectors.masks_of_complex`."""
    polygons = dataset.annotations.polygons
    count = 0 if polygons is None else int((polygons.holed | (polygons.part_counts > 1)).sum())
    text = f"{plural(count, 'outline')} with holes or of several parts: written as masks"
    return [Loss("parts", count, text), Loss("holes", 0, "")]  # holes are among those


def holes_as_masks(dataset: Dataset) -> Loss:
    """Outlines with holes, in a format that has masks for them: see `vectors.masks_of_holed`."""
    polygons = dataset.annotations.polygons
    count = 0 if polygons is None else int(polygons.holed.sum())
    return Loss("holes", count, f"{plural(count, 'outline')} with holes: written as masks")
