"""The labels a dataset speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from rapideval.model.columns import (
    Extras,
    Frozen,
    Rows,
    column,
    names_of,
    refuse,
    refuse_duplicate_ids,
    row_numbers,
)

__all__ = ["Label", "Labels"]


@dataclass(frozen=True, slots=True)
class Label:
    """One label, for people who loop."""

    index: int
    name: str
    id: int | None
    supercategory: str | None


class Labels(Frozen):
    """Labels in order; an annotation refers to one by its place here.

    Parameters
    ----------
    names
        Unique, not empty.
    ids : int64 array of shape (N,), optional
        The source's own numbers (COCO ``category_id``), unique. They serve to write back what was read and never to
        tell which labels of two datasets are the same: that is the name's office.
    supercategories
        One per label, or None where the source has none.
    extras
        Fields of the source without a column here.

    Examples
    --------
    >>> labels = Labels(["cat", "dog"], ids=[17, 18])
    >>> labels.index("dog"), labels[0].id, len(labels)
    (1, 17, 2)
    """

    __slots__ = ("_index", "extras", "ids", "names", "supercategories")
    names: tuple[str, ...]
    ids: npt.NDArray[np.int64] | None
    supercategories: tuple[str | None, ...] | None
    extras: Extras | None
    _index: dict[str, int]

    def __init__(
        self,
        names: Iterable[str] = (),
        ids: npt.ArrayLike | None = None,
        supercategories: Iterable[str | None] | None = None,
        extras: Extras | None = None,
    ) -> None:
        names = names_of(names, "labels")
        index: dict[str, int] = {}
        for place, name in enumerate(names):
            if not isinstance(name, str) or not name:
                refuse("label-name", f"labels[{place}]", repr(name), "a name that is not empty")
            if index.setdefault(name, place) != place:
                refuse(
                    "label-duplicate",
                    f"labels[{place}]",
                    f"{name!r}, as labels[{index[name]}]",
                    "unique names",
                )
        checked_ids = None
        if ids is not None:
            checked_ids = column(ids, np.int64, "labels.ids", len(names))
            refuse_duplicate_ids(checked_ids, "label")
        supers = None if supercategories is None else tuple(supercategories)
        if supers is not None and len(supers) != len(names):
            refuse("column-length", "labels.supercategories", f"{len(supers)} rows", f"{len(names)} rows")
        if extras is not None and len(extras) != len(names):
            refuse("column-length", "labels.extras", f"{len(extras)} rows", f"{len(names)} rows")
        self._set(names=names, ids=checked_ids, supercategories=supers, extras=extras, _index=index)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._index

    def __getitem__(self, index: int) -> Label:
        index = range(len(self))[index]
        label_id = None if self.ids is None else int(self.ids[index])
        return Label(index, self.names[index], label_id, self.supercategories[index] if self.supercategories else None)

    def __iter__(self) -> Iterator[Label]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Labels) and self.names == other.names

    def __hash__(self) -> int:
        return hash(self.names)

    def index(self, name: str) -> int:
        """Place of a label by its name; KeyError with the nearest names where there is none."""
        try:
            return self._index[name]
        except KeyError:
            from difflib import get_close_matches

            near = get_close_matches(name, self.names, n=3)
            known = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {len(self)} labels"
            raise KeyError(f"no label {name!r}: {known}") from None

    def get(self, name: str) -> int | None:
        """Place of a label by its name, or None."""
        return self._index.get(name)

    def take(self, rows: Rows) -> Self:
        """The chosen labels, in that order."""
        numbers = row_numbers(rows, len(self))
        return type(self)(
            [self.names[i] for i in numbers],
            None if self.ids is None else self.ids[numbers],
            None if self.supercategories is None else [self.supercategories[i] for i in numbers],
            None if self.extras is None else self.extras.take(numbers),
        )

    def rename(self, names: Mapping[str, str]) -> tuple[Labels, npt.NDArray[np.int32]]:
        """Labels under new names, those of the same new name made one, and the new place of each old label.

        A merged or renamed label keeps the id of the first that bears the name.
        """
        unknown = [name for name in names if name not in self]
        if unknown:
            refuse("label-unknown", "label map", f"{unknown[0]!r}", f"one of {list(self.names[:20])}")
        renamed = [names.get(name, name) for name in self.names]
        first: dict[str, int] = {}
        for place, name in enumerate(renamed):
            first.setdefault(name, place)
        order = {name: new for new, name in enumerate(first)}
        kept = self.take(np.array(list(first.values()), np.int64))
        merged = Labels(list(first), kept.ids, kept.supercategories, kept.extras)
        return merged, np.array([order[name] for name in renamed], np.int32)

    def extended(self, names: Iterable[str]) -> Labels:
        """These labels and, after them, those names that are not among them yet; with the next ids, if any."""
        new = [name for name in dict.fromkeys(names) if name not in self]
        if not new:
            return self
        supers = None if self.supercategories is None else (*self.supercategories, *(None for _ in new))
        ids = None
        if self.ids is not None:
            start = int(self.ids.max(initial=0)) + 1
            ids = np.concatenate([self.ids, np.arange(start, start + len(new))])
        extras = None if self.extras is None else Extras.concat([self.extras, Extras.empty(len(new))])
        return Labels((*self.names, *new), ids, supers, extras)

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:6]) + (f", … {len(self) - 6} more" if len(self) > 6 else "")
        return f"Labels({len(self)}: {shown})"
