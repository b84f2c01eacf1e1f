"""The images a dataset speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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

__all__ = ["Image", "Images"]


@dataclass(frozen=True, slots=True)
class Image:
    """One image, for people who loop. Height and width are None where they are not known."""

    index: int
    key: str
    name: str | None
    id: int | None
    height: int | None
    width: int | None


class Images(Frozen):
    """Images in order; an annotation refers to one by its place here.

    An image is known by its name (file name, path or URL as the source gives it), by its id, or by both.

    Parameters
    ----------
    names
        One per image. Unique, unless ids tell the images apart.
    ids : int64 array of shape (N,), optional
        The source's own numbers (COCO ``id``), unique.
    sizes : uint32 array of shape (N, 2), optional
        Height and width in pixels; 0, 0 where not known.
    extras
        Fields of the source without a column here.

    Examples
    --------
    >>> images = Images(["a.jpg", "b.jpg"], ids=[7, 9], sizes=[[480, 640], [0, 0]])
    >>> images[0].width, images[1].width, images.keys
    (640, None, ('a.jpg', 'b.jpg'))
    """

    __slots__ = ("_index", "extras", "ids", "names", "sizes")
    names: tuple[str, ...] | None
    ids: npt.NDArray[np.int64] | None
    sizes: npt.NDArray[np.uint32]
    extras: Extras | None
    _index: dict[str, int] | None

    def __init__(
        self,
        names: Iterable[str] | None = None,
        ids: npt.ArrayLike | None = None,
        sizes: npt.ArrayLike | None = None,
        extras: Extras | None = None,
    ) -> None:
        names = None if names is None else names_of(names, "images")
        checked_ids = None if ids is None else column(ids, np.int64, "images.ids")
        if names is None and checked_ids is None:
            names = ()
        count = len(names) if names is not None else len(checked_ids)  # type: ignore[arg-type]
        if checked_ids is not None:
            if len(checked_ids) != count:
                refuse("column-length", "images.ids", f"{len(checked_ids)} rows", f"{count} rows, as the names")
            refuse_duplicate_ids(checked_ids, "image")
        if names is not None:
            _check_names(names, unique=checked_ids is None)
        if sizes is None:
            checked_sizes = column(np.zeros((count, 2), np.uint32), np.uint32, "images.sizes", count, 2)
        else:
            checked_sizes = column(sizes, np.uint32, "images.sizes", count, 2)
        if extras is not None and len(extras) != count:
            refuse("column-length", "images.extras", f"{len(extras)} rows", f"{count} rows")
        self._set(names=names, ids=checked_ids, sizes=checked_sizes, extras=extras, _index=None)

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def keys(self) -> tuple[str, ...]:
        """What people call the images: their names, or their ids as text."""
        if self.names is not None:
            return self.names
        assert self.ids is not None
        return tuple(map(str, self.ids.tolist()))

    def key(self, index: int) -> str:
        """What people call one image."""
        return self.names[index] if self.names is not None else str(self.ids[index])  # type: ignore[index]

    def index(self, key: str) -> int:
        """Place of an image by its key; KeyError where there is none."""
        if self._index is None:
            self._set(_index={name: place for place, name in reversed(list(enumerate(self.keys)))})
        assert self._index is not None
        try:
            return self._index[key]
        except KeyError:
            raise KeyError(f"no image {key!r} among {len(self)}") from None

    def __getitem__(self, index: int) -> Image:
        index = range(len(self))[index]
        height, width = (int(v) for v in self.sizes[index])
        return Image(
            index,
            self.key(index),
            None if self.names is None else self.names[index],
            None if self.ids is None else int(self.ids[index]),
            height or None,
            width or None,
        )

    def __iter__(self) -> Iterator[Image]:
        return (self[i] for i in range(len(self)))

    @property
    def sizes_known(self) -> npt.NDArray[np.bool_]:
        """Which images have a known size, (N,)."""
        known: npt.NDArray[np.bool_] = np.all(self.sizes > 0, axis=1)
        return known

    def take(self, rows: Rows) -> Self:
        """The chosen images, in that order."""
        numbers = row_numbers(rows, len(self))
        return type(self)(
            None if self.names is None else [self.names[i] for i in numbers],
            None if self.ids is None else self.ids[numbers],
            self.sizes[numbers],
            None if self.extras is None else self.extras.take(numbers),
        )

    def with_sizes(self, sizes: npt.ArrayLike) -> Self:
        """The same images with these sizes (N, 2), height and width."""
        return type(self)(self.names, self.ids, sizes, self.extras)

    def __repr__(self) -> str:
        shown = ", ".join(self.key(i) for i in range(min(3, len(self)))) + (", …" if len(self) > 3 else "")
        return f"Images({len(self):,}: {shown})"


def _check_names(names: tuple[str, ...], unique: bool) -> None:
    if not all(isinstance(name, str) and name for name in names):
        row = next(i for i, name in enumerate(names) if not isinstance(name, str) or not name)
        refuse("image-name", f"images[{row}]", repr(names[row]), "a name that is not empty")
    if unique and len(set(names)) != len(names):
        seen: dict[str, int] = {}
        for row, name in enumerate(names):
            if seen.setdefault(name, row) != row:
                refuse(
                    "image-duplicate",
                    f"images[{row}]",
                    f"{name!r}, as images[{seen[name]}]",
                    "unique names, or ids",
                )
