"""What the project's own documents (RLE lines, GeoJSON) say of images, labels and the whole dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import UNSET, Meta, UnsetType

from rapideval.formats.notes import Report
from rapideval.formats.rowtext import Column, integers, strings
from rapideval.model import Dataset, Extras, Images, Labels

__all__ = [
    "Box",
    "Id",
    "ImageEntry",
    "LabelEntry",
    "Size",
    "extras_from",
    "image_column",
    "image_entries",
    "images_from",
    "label_entries",
    "labels_from",
]

Positive = Annotated[int, Meta(ge=1, le=2**32 - 1)]
Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Size = Annotated[list[Positive], Meta(min_length=2, max_length=2, description="height and width in pixels")]
Box = Annotated[list[float], Meta(min_length=4, max_length=4, description="x, y, width, height in pixels")]
Key = str | int


class ImageEntry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """An image; it is known by its name, by its id, or by both."""

    name: str | UnsetType = UNSET
    id: Id | UnsetType = UNSET
    size: Size | UnsetType = UNSET
    extras: dict[str, Any] | UnsetType = UNSET


class LabelEntry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """A label."""

    name: str
    id: Id | UnsetType = UNSET
    supercategory: str | UnsetType = UNSET
    extras: dict[str, Any] | UnsetType = UNSET


# --- out -----------------------------------------------------------------------------------------------


def image_entries(images: Images) -> list[ImageEntry]:
    """An entry for each image."""
    return [
        ImageEntry(
            UNSET if image.name is None else image.name,
            UNSET if image.id is None else image.id,
            UNSET if image.height is None or image.width is None else [image.height, image.width],
            _extras_of(images.extras, image.index),
        )
        for image in images
    ]


def label_entries(labels: Labels) -> list[LabelEntry]:
    """An entry for each label."""
    return [
        LabelEntry(
            label.name,
            UNSET if label.id is None else label.id,
            UNSET if label.supercategory is None else label.supercategory,
            _extras_of(labels.extras, label.index),
        )
        for label in labels
    ]


def _extras_of(extras: Extras | None, index: int) -> dict[str, Any] | UnsetType:
    return UNSET if extras is None else extras[index] or UNSET


def image_column(dataset: Dataset) -> Column:
    """What annotations call their images: by name, or by id where names do not tell them apart."""
    images, which = dataset.images, dataset.annotations.image
    if images.names is not None and len(set(images.names)) == len(images.names):
        return strings(images.names, which)
    assert images.ids is not None  # the model has one or the other
    return integers(images.ids, which)


# --- in ------------------------------------------------------------------------------------------------


def images_from(
    entries: Sequence[ImageEntry] | None,
    keys: Sequence[Key],
    context: Images | None,
    where: Callable[[int], str],
    report: Report,
) -> tuple[Images, npt.NDArray[np.int32]]:
    """Images of a document, and the place of each annotation's image.

    Parameters
    ----------
    entries
        What the document says of its images; None where it leaves them to its annotations.
    keys
        What each annotation calls its image.
    context
        Images that were given; they stand for those of the document.
    where, report
        Place of an annotation, and where to refuse it.
    """
    if context is not None:
        return _images_beside(context, keys)
    if entries is None:
        return _images_of_keys(keys, report)
    by: dict[Key, int] = {}
    for index, entry in enumerate(entries):
        for key in (entry.name, entry.id):
            if key is not UNSET:
                by.setdefault(key, index)
    for row, key in enumerate(keys):
        if key not in by:
            report.refuse("image-unknown", where(row), f"image {key!r}", "an image of the document's list")
    names = [entry.name for entry in entries if entry.name is not UNSET]
    ids = [entry.id for entry in entries if entry.id is not UNSET]
    if len(entries) not in (len(names), len(ids)):
        report.refuse("image-name", "images", "images without name or without id", "the same for every image")
    report.close()
    images = Images(
        names if len(names) == len(entries) else None,
        ids if len(ids) == len(entries) and entries else None,
        [[0, 0] if entry.size is UNSET else entry.size for entry in entries],
        extras_from([entry.extras for entry in entries]),
    )
    return images, np.array([by[key] for key in keys], np.int32)


def _images_beside(context: Images, keys: Sequence[Key]) -> tuple[Images, npt.NDArray[np.int32]]:
    place = {key: index for index, key in reversed(list(enumerate(context.keys)))}
    new = [name for name in dict.fromkeys(map(str, keys)) if name not in place]
    place |= {key: len(context) + index for index, key in enumerate(new)}
    images = context
    if new:
        sizes = np.concatenate([context.sizes, np.zeros((len(new), 2), np.uint32)])
        images = Images([*context.keys, *new], None, sizes)
    return images, np.array([place[str(key)] for key in keys], np.int32)


def _images_of_keys(keys: Sequence[Key], report: Report) -> tuple[Images, npt.NDArray[np.int32]]:
    unique = list(dict.fromkeys(keys))
    numbers = [key for key in unique if isinstance(key, int)]
    if len(numbers) not in (0, len(unique)):
        report.refuse("image-name", "", "images by name and by id", "one of them for every annotation")
        report.close()
    place = {key: index for index, key in enumerate(unique)}
    images = Images(ids=numbers) if numbers else Images(map(str, unique))
    return images, np.array([place[key] for key in keys], np.int32)


def labels_from(
    entries: Sequence[LabelEntry], names: Sequence[str], context: Labels | None
) -> tuple[Labels, npt.NDArray[np.int32]]:
    """Labels of a document, and the place of each annotation's label; labels that were given stand before."""
    labels = context
    if labels is None:
        ids = [entry.id for entry in entries if entry.id is not UNSET]
        supers = [None if entry.supercategory is UNSET else entry.supercategory for entry in entries]
        labels = Labels(
            [entry.name for entry in entries],
            ids if len(ids) == len(entries) and entries else None,
            supers if any(name is not None for name in supers) else None,
            extras_from([entry.extras for entry in entries]),
        )
    labels = labels.extended(names)
    return labels, np.array([labels.index(name) for name in names], np.int32)


def extras_from(rows: Sequence[dict[str, Any] | UnsetType | None]) -> Extras | None:
    """Further fields, None where no row has any."""
    given = [row if row is not UNSET else None for row in rows]
    return Extras.from_dicts(given) if any(given) else None
