"""Datasets of several sources as one, with what becomes of names and numbers that more than one of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from rapideval.errors import InputError, Problem, UsageError
from rapideval.model.columns import Extras
from rapideval.model.dataset import Dataset
from rapideval.model.images import Images

__all__ = ["Merged", "SameImages", "merge"]

SameImages: TypeAlias = Literal["refuse", "join", "rename"]

Numbers = npt.NDArray[np.int64]

# Above this JSON's readers lose digits, so that no new number is taken from there.
_HIGHEST = 1 << 53


class Merged(NamedTuple):
    """Datasets as one, and which image of it each of theirs is.

    Attributes
    ----------
    dataset
        All of them.
    keys
        For each part, the keys that its images have in the whole, in their order.
    """

    dataset: Dataset
    keys: list[tuple[str, ...]]


def merge(parts: Sequence[tuple[str, Dataset]], *, same_images: SameImages = "refuse") -> Merged:
    """Join datasets of several sources: labels by name; images as `same_images` says.

    Parameters
    ----------
    parts
        What each source is called in messages, and its dataset.
    same_images
        What it means that two sources have an image of one name:

        - ``"refuse"``: that it cannot be told. Cameras and tools number their files from 1, so that equal names are as
          often chance as they are the same picture, and either guess would be a plausible wrong dataset: annotations
          on pictures that they are not of, or pictures counted twice.
        - ``"join"``: the same picture, with the annotations of all of them.
        - ``"rename"``: different pictures. Those of later sources get the number of their source: ``a-2.jpg``.

    Returns
    -------
    Merged
        Ids stay as they are; where two sources give one number to different things, those of the later source get new
        ones. That, and whatever else the sources do not agree on, is noted.

    Raises
    ------
    InputError
        For images of one name in two sources or within one; for images of two sizes; for sources whose images have
        names and others that have only numbers; for predictions among ground truth.

    Examples
    --------
    >>> from rapideval import Annotations, Labels
    >>> one = Dataset(Images(["a.jpg"]), Labels(["cat"]), Annotations([0], [0], [[1, 2, 3, 4]]))
    >>> merge([("one", one), ("two", one)], same_images="rename").dataset.images.keys
    ('a.jpg', 'a-2.jpg')
    """
    if same_images not in get_args(SameImages):
        raise UsageError(f"same_images {same_images!r}: expected refuse, join or rename")
    if not parts:
        raise UsageError("nothing to merge: there are no datasets")
    _check_names(parts)
    notes: list[Problem] = []
    if same_images == "refuse":
        _refuse_same(parts)
    elif same_images == "rename":
        parts = _renamed(parts, notes)
    whole = Dataset.concat([part for _, part in parts])
    notes += _disagreements(parts)
    if same_images == "join":
        notes += _repeated(whole, parts)
    images = whole.images
    ids = _ids([(part.images.keys, part.images.ids) for _, part in parts], images.keys, "image", notes)
    labels = whole.labels
    label_ids = _ids([(part.labels.names, part.labels.ids) for _, part in parts], labels.names, "label", notes)
    whole = whole.replace(
        images=Images(images.names, ids, images.sizes, images.extras),
        labels=type(labels)(labels.names, label_ids, labels.supercategories, labels.extras),
        annotations=whole.annotations.replace(
            ids=_annotation_ids([part for _, part in parts], notes), derived=whole.annotations.derived
        ),
        notes=[*whole.notes, *notes],
    )
    return Merged(whole, [part.images.keys for _, part in parts])


# --- images of one name ----------------------------------------------------------------------------


def _check_names(parts: Sequence[tuple[str, Dataset]]) -> None:
    """Refuse sources of which some have names of images and others only numbers: they would never meet."""
    named = {part.images.names is not None: source for source, part in parts if len(part.images)}
    if len(named) == 2:
        raise InputError(
            Problem(
                "image-names",
                named[False],
                "images that have only numbers",
                f"names, as in {named[True]}",
                "give the ground truth that the numbers refer to (--ground-truth)",
            )
        )


def _refuse_same(parts: Sequence[tuple[str, Dataset]]) -> None:
    owner: dict[str, str] = {}
    for source, part in parts:
        both = [key for key in part.images.keys if key in owner]
        if both:
            raise InputError(
                Problem(
                    "image-twice",
                    f"{source}: image {both[0]!r}",
                    f"the name of an image of {owner[both[0]]}",
                    "names that only one source has",
                    "are they the same pictures (same_images='join', --same-images join), or others under the same"
                    " names (rename)?",
                    "error",
                    len(both),
                )
            )
        owner |= dict.fromkeys(part.images.keys, source)


def _renamed(parts: Sequence[tuple[str, Dataset]], notes: list[Problem]) -> list[tuple[str, Dataset]]:
    """Images of later sources under names that no earlier one has."""
    taken = {key for _, part in parts for key in part.images.keys}
    seen: set[str] = set()
    renamed = []
    for number, (source, part) in enumerate(parts, 1):
        if part.images.names is None and seen.intersection(part.images.keys):
            expected, hint = "names, to rename them", "give the ground truth that the numbers refer to (--ground-truth)"
            raise InputError(Problem("image-names", source, "images that have only numbers", expected, hint))
        names, first, count = list(part.images.keys), "", 0
        for place, name in enumerate(names):
            if name in seen:
                names[place] = _numbered(name, number, taken)
                taken.add(names[place])
                first, count = first or f"image {name!r}, which is {names[place]!r} now", count + 1
        seen |= set(names)
        if count:
            note = Problem("image-renamed", source, first, "names that only one source has", "", "warning", count)
            notes.append(note)
            images = Images(names, part.images.ids, part.images.sizes, part.images.extras)
            part = part.replace(images=images)
        renamed.append((source, part))
    return renamed


def _numbered(name: str, number: int, taken: set[str]) -> str:
    suffix = PurePosixPath(name).suffix
    stem = name.removesuffix(suffix)
    while True:
        stem = f"{stem}-{number}"
        if stem + suffix not in taken:
            return stem + suffix


# --- what the sources do not agree on --------------------------------------------------------------


def _disagreements(parts: Sequence[tuple[str, Dataset]]) -> list[Problem]:
    """Fields of which the first source's are kept, where a later one says something else."""
    notes = []
    info: dict[str, tuple[str, Any]] = {}
    images: dict[str, tuple[str, bytes]] = {}
    labels: dict[str, tuple[str, bytes]] = {}
    groups: dict[str, tuple[str, Any]] = {}
    for source, part in parts:
        found = [
            ("metadata", _differing(info, source, part.info)),
            ("supercategory of label", _differing(groups, source, _supercategories(part))),
            ("further fields of label", _differing(labels, source, _texts(part.labels.names, part.labels.extras))),
            ("further fields of image", _differing(images, source, _texts(part.images.keys, part.images.extras))),
        ]
        for what, keys in found:
            if keys:
                said = f"{what} {keys[0][0]!r}: others than in {keys[0][1]}, whose are kept"
                notes.append(Problem("sources-differ", source, said, "", "", "warning", len(keys)))
    return notes


def _differing(known: dict[str, tuple[str, Any]], source: str, said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Keys of which an earlier source says something else, and which one; what is new is added."""
    found = []
    for key, value in said.items():
        owner, first = known.setdefault(key, (source, value))
        if first != value:
            found.append((key, owner))
    return found


def _supercategories(part: Dataset) -> dict[str, str]:
    groups = part.labels.supercategories or ()
    return {name: group for name, group in zip(part.labels.names, groups, strict=False) if group}


def _texts(keys: Sequence[str], extras: Extras | None) -> dict[str, bytes]:
    if extras is None:
        return {}
    return {keys[row]: extras.text(row) for row in np.flatnonzero(extras.present).tolist()}


def _repeated(whole: Dataset, parts: Sequence[tuple[str, Dataset]]) -> list[Problem]:
    """Boxes of one label that stand at one place of one image in two sources: they are kept, and would count twice."""
    rows = whole.annotations
    if not len(rows):
        return []
    source = np.repeat(np.arange(len(parts)), [len(part) for _, part in parts])
    table = np.column_stack([rows.image, rows.label, rows.box])
    order = np.lexsort((source, *table.T[::-1]))
    same = (table[order][1:] == table[order][:-1]).all(axis=1) & (source[order][1:] != source[order][:-1])
    count = int(same.sum())
    if not count:
        return []
    first = whole[int(order[1:][same][0])]
    found = (
        f"annotations of image {first.image!r}, {first.label!r}, at the place of one of another source: both are kept"
    )
    name = parts[int(source[order[1:][same][0]])][0]
    return [Problem("annotation-twice", name, found, "each object once", "", "warning", count)]


# --- numbers ---------------------------------------------------------------------------------------


def _ids(
    parts: Sequence[tuple[Sequence[str], Numbers | None]], keys: Sequence[str], what: str, notes: list[Problem]
) -> Numbers | None:
    """Ids of images or labels: of each the first it has, unless another has that number; None where none has any."""
    if all(ids is None for _, ids in parts):
        return None
    chosen: dict[str, int] = {}
    taken: set[int] = set()
    unnumbered, changed = [], 0
    for names, ids in parts:
        for name, number in zip(names, [None] * len(names) if ids is None else ids.tolist(), strict=True):
            if name in chosen or number is None:
                continue
            if number in taken:
                changed += 1
                unnumbered.append(name)
                chosen[name] = -1  # to be numbered: a number that a later source gives it is no better
            else:
                chosen[name] = number
                taken.add(number)
    without = [name for name in keys if name not in chosen]
    new = _new_numbers(np.array(sorted(taken), np.int64), len(unnumbered) + len(without))
    chosen |= dict(zip([*unnumbered, *without], new.tolist(), strict=True))
    _note_numbers(what, changed, len(without), notes)
    return np.array([chosen[name] for name in keys], np.int64)


def _annotation_ids(parts: Sequence[Dataset], notes: list[Problem]) -> Numbers | None:
    """Ids of annotations, in their order: those that an earlier one has are replaced."""
    tables = [part.annotations for part in parts]
    if all(table.ids is None for table in tables):
        return None
    given = np.concatenate([np.ones(len(table), np.bool_) & (table.ids is not None) for table in tables])
    ids = np.concatenate([np.zeros(len(table), np.int64) if table.ids is None else table.ids for table in tables])
    rows = np.flatnonzero(given)
    numbers, first = np.unique(ids[rows], return_index=True)
    kept = np.zeros(len(ids), np.bool_)
    kept[rows[first]] = True
    ids = ids.copy()
    ids[~kept] = _new_numbers(numbers, int((~kept).sum()))
    _note_numbers("annotation", int((given & ~kept).sum()), int((~given).sum()), notes)
    return ids


def _note_numbers(what: str, changed: int, new: int, notes: list[Problem]) -> None:
    if changed:
        found = f"ids of {what}s that an earlier source gives to others: they are renumbered"
        notes.append(Problem(f"{what}-ids", "", found, "", "", "info", changed))
    if new:
        found = f"{what}s without an id, among others that have one: they are numbered"
        notes.append(Problem(f"{what}-ids", "", found, "", "", "info", new))


def _new_numbers(taken: Numbers, count: int) -> Numbers:
    """Numbers that are not taken: above the highest, or the lowest free ones where those would be too high."""
    highest = max(int(taken.max(initial=0)), 0)
    if highest + count < _HIGHEST:
        return np.arange(highest + 1, highest + 1 + count)
    return np.setdiff1d(np.arange(1, len(taken) + count + 1), taken)[:count]
