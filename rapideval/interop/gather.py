"""One dataset of the objects that a library has for each image."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval.errors import InputError, Problem, UsageError
from rapideval.model import Annotations, Dataset, Extras, Images, Labels, Masks, Polygons, Source
from rapideval.model.columns import refuse

__all__ = ["GivenImages", "GivenLabels", "LabelPlaces", "PerImage", "images_of", "placed"]

GivenImages = Images | Dataset | Iterable[str] | str
GivenLabels = Labels | Dataset | Mapping[int, str] | Iterable[str]


@contextlib.contextmanager
def placed(where: str) -> Iterator[None]:
    """Say in errors of columns which object they are of."""
    try:
        yield
    except InputError as error:
        raise InputError(
            [
                item if item.where.startswith(where) else replace(item, where=f"{where}.{item.where}")
                for item in error.problems
            ],
            error.total,
        ) from None


def images_of(given: GivenImages | None, count: int, what: str) -> Images:
    """Images that stand for as many objects, by their order."""
    if given is None:
        raise UsageError(f"{what} do not name their images: give as many names with images=, in the same order")
    if isinstance(given, Dataset):
        given = given.images
    if not isinstance(given, Images):
        given = Images([given] if isinstance(given, str) else given)
    if len(given) != count:
        refuse("column-length", "images", f"{len(given)} images", f"{count}, as the {what}")
    return given


class LabelPlaces:
    """Places of labels by the number or the name that a library gives.

    Parameters
    ----------
    given
        Names by number: a sequence, or a mapping (``id2label``); `Labels` are found by their ids, else by their place.
        A name that stands for several numbers (torchvision's ``"N/A"``) is one label. None: the numbers are the names.
    """

    def __init__(self, given: GivenLabels | None) -> None:
        self.known = given is not None
        self.notes: list[Problem] = []
        self._names: dict[str, int] = {}
        self._numbers: dict[int, int] = {}
        self._first: list[int | None] = []
        self._labels: Labels | None = None
        if isinstance(given, Dataset):
            given = given.labels
        if given is None:
            return
        if isinstance(given, Labels):
            self._labels = given
            pairs = list(zip(given.names, range(len(given)) if given.ids is None else given.ids.tolist(), strict=True))
        elif isinstance(given, Mapping):
            pairs = [(name, int(number)) for number, name in given.items()]
        elif isinstance(given, str):
            raise UsageError(f"labels: found one text, {given!r:.60}, expected a list of names or a mapping")
        else:
            pairs = [(name, number) for number, name in enumerate(given)]
        for name, number in pairs:
            self._add(name, number)
        self._keep_ids = isinstance(given, Mapping) or len(self._names) < len(pairs)
        if len(self._names) < len(pairs):
            self.notes.append(
                Problem(
                    "label-duplicate",
                    "labels",
                    f"{len(pairs)} numbers for {len(self._names)} names",
                    hint="numbers of one name are one label, which has the first of them as its id",
                    severity="info",
                    count=len(pairs) - len(self._names),
                )
            )

    def _add(self, name: str, number: int | None) -> int:
        place = self._names.setdefault(name, len(self._names))
        if place == len(self._first):
            self._first.append(number)
        if number is not None:
            self._numbers[number] = place
        return place

    def places(
        self, numbers: npt.NDArray[np.int64] | None, names: Sequence[str] | None, where: str
    ) -> npt.NDArray[np.int32]:
        """Places (N,) of rows by their names, where they have them, else by their numbers."""
        if names is not None:
            return self._by_name(numbers, names, where)
        if numbers is None:
            if len(self._names) == 1 and self.known:
                return np.zeros(0, np.int32)
            raise UsageError(f"{where}: no labels: give the one that all have, with labels=[name]")
        if not self.known:
            for number in np.unique(numbers).tolist():
                if number not in self._numbers:
                    self._add(str(number), number)
        unknown = [row for row, number in enumerate(numbers.tolist()) if number not in self._numbers]
        if unknown:
            row, known = unknown[0], sorted(self._numbers)
            expected = f"one of {len(known)} numbers from {known[0]} to {known[-1]}" if known else "a label's number"
            refuse("label-unknown", f"{where}[{row}]", f"{numbers[row]} ({len(unknown):,} such rows)", expected,
                   "is the background counted in one of them?")  # fmt: skip
        return np.array([self._numbers[number] for number in numbers.tolist()], np.int32)

    def _by_name(
        self, numbers: npt.NDArray[np.int64] | None, names: Sequence[str], where: str
    ) -> npt.NDArray[np.int32]:
        places = []
        for row, name in enumerate(names):
            number = None if numbers is None else int(numbers[row])
            if not self.known:
                if number is not None and number in self._numbers and self._names.get(name) != self._numbers[number]:
                    other = next(key for key, place in self._names.items() if place == self._numbers[number])
                    refuse("label-name", f"{where}[{row}]", f"{name!r} for number {number}", f"{other!r}, as before")
                places.append(self._add(name, number))
                continue
            place = self._names.get(name)
            if place is None:
                refuse("label-unknown", f"{where}[{row}]", repr(name), f"one of {list(self._names)[:20]}")
            if number is not None and self._numbers.get(number) != place:
                refuse("label-name", f"{where}[{row}]", f"{name!r} for number {number}",
                       "the name that labels= has for that number")  # fmt: skip
            places.append(place)
        return np.array(places, np.int32)

    def finish(self) -> tuple[Labels, npt.NDArray[np.int32]]:
        """Labels, and the place among them of each place that was given out."""
        order = np.arange(len(self._names), dtype=np.int32)
        if self._labels is not None:
            return self._labels, order
        names = list(self._names)
        numbers = [number for number in self._first if number is not None]
        if self.known:
            return Labels(names, numbers if self._keep_ids else None), order
        if not names or len(numbers) < len(names):
            return Labels(names), order
        rising = np.argsort(np.array(numbers, np.int64), kind="stable")
        order[rising] = np.arange(len(names), dtype=np.int32)
        return Labels([names[place] for place in rising], [numbers[place] for place in rising]), order


class PerImage:
    """Annotations image by image, made one dataset at the end."""

    def __init__(self, images: Images, labels: GivenLabels | None) -> None:
        self.images = images
        self.labels = LabelPlaces(labels)
        self.notes: list[Problem] = []
        self._parts: list[Annotations] = []
        self._sizes = images.sizes.copy()
        self._named = False

    def size(self, image: int, size: tuple[int, int], where: str) -> None:
        """Keep the height and width of an image; another than the one that is known is refused."""
        known = tuple(self._sizes[image].tolist())
        if known == (0, 0):
            self._sizes[image] = size
        elif known != tuple(size):
            refuse("image-size", where, f"height {size[0]}, width {size[1]}",
                   f"height {known[0]}, width {known[1]}, as image {self.images.key(image)!r}")  # fmt: skip

    def add(
        self,
        image: int,
        where: str,
        *,
        numbers: npt.NDArray[np.int64] | None = None,
        names: Sequence[str] | None = None,
        label_where: str = "",
        box: npt.NDArray[np.float64] | None = None,
        dense: npt.NDArray[np.bool_] | None = None,
        extras: Sequence[Mapping[str, Any]] | None = None,
        polygons: Polygons | None = None,
        **columns: Any,
    ) -> None:
        """Keep the annotations of one image: `label_where` says where its labels stand, others are columns."""
        self._named = self._named or names is not None
        lengths = [len(part) for part in (box, polygons, dense) if part is not None]
        if any(length != lengths[0] for length in lengths):
            refuse("column-length", where, f"parts of {' and '.join(map(str, lengths))} rows", "as many of each")
        for place, given in ((label_where, numbers), (label_where, names), (f"{where}.extras", extras)):
            if given is not None and len(given) != lengths[0]:
                refuse("column-length", place, f"{len(given)} rows", f"{lengths[0]} rows, as the boxes")
        places = self.labels.places(numbers, names, label_where)
        if not len(places):
            places = np.zeros(lengths[0], np.int32)
        masks = None
        if dense is not None:
            if dense.shape[1] and dense.shape[2]:
                self.size(image, (dense.shape[1], dense.shape[2]), f"{where}.masks")
            masks = Masks.from_dense(dense) if len(dense) else None
        rows = np.arange(lengths[0])
        with placed(where):
            self._parts.append(
                Annotations(
                    np.full(len(rows), image, np.int32),
                    places,
                    box,
                    masks=masks,
                    polygons=polygons,
                    source=Source([f"{where}[{{row}}]"], rows),
                    extras=Extras.from_dicts(extras) if extras and any(extras) else None,
                    **columns,
                )
            )

    def dataset(self, scored: bool = False) -> Dataset:
        """All of it; `scored` says what it is where there is no image at all."""
        labels, order = self.labels.finish()
        notes = [*self.notes, *self.labels.notes]
        if not self.labels.known and not self._named and len(labels):
            notes.append(Problem("label-names", "labels", f"{len(labels)} numbers without names",
                                 hint="give their names with labels=", severity="warning"))  # fmt: skip
        rows = Annotations.concat(self._parts) if self._parts else Annotations.empty(scored)
        if len(rows):
            rows = rows.replace(label=order[rows.label])
        dropped = sum(len(part) for part in self._parts if part.ids is not None)
        if dropped and rows.ids is None:
            notes.append(Problem("annotation-ids", "id", "ids that are not unique, or that some rows lack",
                                 hint="no id is kept", severity="warning", count=dropped))  # fmt: skip
        return Dataset(self.images.with_sizes(self._sizes), labels, rows, notes=notes)
