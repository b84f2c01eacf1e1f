"""Several datasets as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import Problem
from rapideval.model.annotations import Annotations
from rapideval.model.columns import Extras, offsets_of, refuse
from rapideval.model.dataset import Dataset
from rapideval.model.images import Images
from rapideval.model.labels import Labels

__all__ = ["concat"]


def concat(parts: Sequence[Dataset]) -> tuple[Images, Labels, Annotations, dict[str, Any], tuple[Problem, ...]]:
    """Parts of the dataset that holds all of these; see `Dataset.concat`."""
    labels = _labels([part.labels for part in parts])
    images, image_places = _images([part.images for part in parts])
    tables = []
    for part, places in zip(parts, image_places, strict=True):
        rows = part.annotations
        label_places = np.array([labels.index(name) for name in part.labels.names], np.int32)
        moved = {"image": places[rows.image], "label": label_places[rows.label]}
        tables.append(Annotations(**(rows.columns() | moved)) if len(rows) else rows)
    info: dict[str, Any] = {}
    for part in reversed(parts):
        info |= part.info
    return images, labels, Annotations.concat(tables), info, tuple(note for part in parts for note in part.notes)


def _labels(parts: Sequence[Labels]) -> Labels:
    names = list(dict.fromkeys(name for part in parts for name in part.names))
    holders = [[(part, part.index(name)) for part in parts if name in part] for name in names]
    ids = [next((int(part.ids[place]) for part, place in held if part.ids is not None), None) for held in holders]
    groups = [
        next((part.supercategories[place] for part, place in held if part.supercategories is not None), None)
        for held in holders
    ]
    extras = _extras([[(part.extras, place) for part, place in held] for held in holders])
    return Labels(names, _unique(ids), groups if any(groups) else None, extras)


def _images(parts: Sequence[Images]) -> tuple[Images, list[npt.NDArray[np.int32]]]:
    keys = list(dict.fromkeys(key for part in parts for key in part.keys))
    place = {key: index for index, key in enumerate(keys)}
    places = [np.array([place[key] for key in part.keys], np.int32) for part in parts]
    sizes = np.zeros((len(keys), 2), np.uint32)
    ids: list[int | None] = [None] * len(keys)
    holders: list[list[tuple[Extras | None, int]]] = [[] for _ in keys]
    for part, where in zip(parts, places, strict=True):
        if len(np.unique(where)) != len(part):
            refuse("image-duplicate", "images", "two images of one name in a dataset", "unique names, to join datasets")
        _add_sizes(sizes, part, where)
        for row, index in enumerate(where.tolist()):
            if part.ids is not None and ids[index] is None:
                ids[index] = int(part.ids[row])
            holders[index].append((part.extras, row))
    unique_ids = _unique(ids)
    named = unique_ids is None or any(part.names is not None for part in parts)
    return Images(keys if named else None, unique_ids, sizes, _extras(holders)), places


def _add_sizes(sizes: npt.NDArray[np.uint32], part: Images, where: npt.NDArray[np.int32]) -> None:
    """Write the sizes that a part knows to the places of its images; they must not contradict what stands there."""
    known = part.sizes_known
    clash = known & (sizes[where] > 0).all(axis=1) & (sizes[where] != part.sizes).any(axis=1)
    if clash.any():
        row = int(np.flatnonzero(clash)[0])
        refuse(
            "image-size",
            f"image {part.key(row)!r}",
            f"size {part.sizes[row].tolist()}",
            f"{sizes[where[row]].tolist()}, as in another dataset",
        )
    sizes[where[known]] = part.sizes[known]


def _extras(holders: Sequence[Sequence[tuple[Extras | None, int]]]) -> Extras | None:
    """Further fields: for each row those of the first that has any; None where none has."""
    texts = [
        next((text for extras, row in held if extras is not None for text in [extras.text(row)] if text), b"")
        for held in holders
    ]
    return Extras(b"".join(texts), offsets_of([len(text) for text in texts])) if any(texts) else None


def _unique(ids: Sequence[int | None]) -> list[int] | None:
    """The ids, where all are there and no two are equal."""
    known = [number for number in ids if number is not None]
    return known if known and len(known) == len(ids) == len(set(known)) else None
