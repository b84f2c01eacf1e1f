"""Annotations as columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from rapideval.model.columns import Extras, Frozen, Rows, check_finite, column, refuse, row_numbers
from rapideval.model.masks import Masks
from rapideval.model.polygons import Polygons

__all__ = ["Annotations", "Source"]


class Source(Frozen):
    """Where each annotation was read, for error messages.

    Parameters
    ----------
    origins
        Templates such as ``"predictions.json: $[{row}]"`` or ``"labels.txt: line {row}"``.
    row : int64 array of shape (N,)
        Row in the document.
    origin : int32 array of shape (N,), optional
        Which of the origins; the first where not given.
    """

    __slots__ = ("origin", "origins", "row")
    origins: tuple[str, ...]
    row: npt.NDArray[np.int64]
    origin: npt.NDArray[np.int32] | None

    def __init__(self, origins: Iterable[str], row: npt.ArrayLike, origin: npt.ArrayLike | None = None) -> None:
        names = tuple(origins)
        rows = column(row, np.int64, "source.row")
        which = None if origin is None else column(origin, np.int32, "source.origin", len(rows))
        if which is not None and len(which) and (which.min() < 0 or which.max() >= len(names)):
            refuse("column-range", "source.origin", f"{which.min()} to {which.max()}", f"0 to {len(names) - 1}")
        if which is None and len(rows) and not names:
            refuse("column-range", "source.origins", "none", "at least one origin")
        self._set(origins=names, row=rows, origin=which)

    def __len__(self) -> int:
        return len(self.row)

    def where(self, index: int) -> str:
        """Place of one annotation in its document."""
        origin = self.origins[0 if self.origin is None else int(self.origin[index])]
        return origin.replace("{row}", str(int(self.row[index])))

    def take(self, rows: Rows) -> Self:
        """Sources of the chosen rows."""
        numbers = row_numbers(rows, len(self))
        return type(self)(self.origins, self.row[numbers], None if self.origin is None else self.origin[numbers])

    @classmethod
    def concat(cls, parts: Sequence[Source]) -> Self:
        """Sources of several columns, one after another."""
        origins: dict[str, int] = {}
        which = []
        for part in parts:
            places = np.array([origins.setdefault(name, len(origins)) for name in part.origins], np.int32)
            which.append(np.zeros(len(part), np.int32) + places[0] if part.origin is None else places[part.origin])
        return cls(origins, np.concatenate([part.row for part in parts]), np.concatenate(which))

    def __repr__(self) -> str:
        return f"Source({len(self):,} rows of {', '.join(self.origins[:3])})"


class Annotations(Frozen):
    """Objects of ground truth, or predictions: one row each, one column a property.

    Parameters
    ----------
    image, label : int32 array of shape (N,)
        Places in the dataset's images and labels.
    box : float64 array of shape (N, 4), optional
        x, y, width, height in pixels; origin at the top-left corner of the top-left pixel, edges continuous (COCO).
        Kept as read. Where not given, the tight box of the mask, else of the polygon.
    score : float64 array of shape (N,), optional
        Confidence; None for ground truth.
    area : float64 array of shape (N,), optional
        In pixels. Where not given, the mask's, else the box's.
    crowd : bool array of shape (N,), optional
        Regions of many objects, COCO ``iscrowd``; none by default.
    masks, polygons
        One row each or None; a row may be without.
    ids : int64 array of shape (N,), optional
        The source's own numbers.
    source
        Where each row was read.
    extras
        Fields of the source without a column here.
    derived
        Names of the columns that the source did not give (``"box"``, ``"area"``, ``"crowd"``, ``"ids"``); those that
        are derived here are added.

    Raises
    ------
    InputError
        For columns of different length, values out of range or not finite.

    Examples
    --------
    >>> cats = Annotations(image=[0, 0], label=[1, 1], box=[[1, 2, 3, 4], [5, 5, 2, 2]], score=[0.9, 0.4])
    >>> len(cats), cats.area.tolist(), sorted(cats.derived)
    (2, [12.0, 4.0], ['area', 'crowd'])
    """

    __slots__ = (
        "area",
        "box",
        "crowd",
        "derived",
        "extras",
        "ids",
        "image",
        "label",
        "masks",
        "polygons",
        "score",
        "source",
    )
    image: npt.NDArray[np.int32]
    label: npt.NDArray[np.int32]
    box: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64] | None
    area: npt.NDArray[np.float64]
    crowd: npt.NDArray[np.bool_]
    masks: Masks | None
    polygons: Polygons | None
    ids: npt.NDArray[np.int64] | None
    source: Source | None
    extras: Extras | None
    derived: frozenset[str]

    def __init__(
        self,
        image: npt.ArrayLike,
        label: npt.ArrayLike,
        box: npt.ArrayLike | None = None,
        score: npt.ArrayLike | None = None,
        area: npt.ArrayLike | None = None,
        crowd: npt.ArrayLike | None = None,
        masks: Masks | None = None,
        polygons: Polygons | None = None,
        ids: npt.ArrayLike | None = None,
        source: Source | None = None,
        extras: Extras | None = None,
        derived: Iterable[str] = (),
    ) -> None:
        images = column(image, np.int32, "image")
        count = len(images)
        labels = column(label, np.int32, "label", count)
        for name, places in (("image", images), ("label", labels)):
            if count and places.min() < 0:
                refuse("column-range", f"{name}[{int(places.argmin())}]", str(places.min()), "a place from 0")
        for name, part in (("masks", masks), ("polygons", polygons), ("source", source), ("extras", extras)):
            if part is not None and len(part) != count:
                refuse("column-length", name, f"{len(part)} rows", f"{count} rows, as the other columns")
        made = set(derived)
        made |= {name for name, given in (("box", box), ("area", area), ("crowd", crowd)) if given is None}
        if box is None:
            box = _boxes(masks, polygons, count)
        boxes = column(box, np.float64, "box", count, 4)
        check_finite(boxes, "box")
        scores = None
        if score is not None:
            scores = column(score, np.float64, "score", count)
            check_finite(scores, "score")
        areas = column(_areas(boxes, masks) if area is None else area, np.float64, "area", count)
        check_finite(areas, "area")
        self._set(
            image=images,
            label=labels,
            box=boxes,
            score=scores,
            area=areas,
            crowd=column(np.zeros(count, np.bool_) if crowd is None else crowd, np.bool_, "crowd", count),
            masks=masks,
            polygons=polygons,
            ids=None if ids is None else column(ids, np.int64, "ids", count),
            source=source,
            extras=extras,
            derived=frozenset(made),
        )

    @classmethod
    def empty(cls, scored: bool = False) -> Self:
        """No annotations; with a score column for predictions."""
        return cls([], [], np.empty((0, 4)), [] if scored else None)

    def __len__(self) -> int:
        return len(self.image)

    def columns(self) -> dict[str, Any]:
        """All columns by name, as the constructor takes them."""
        return {name: getattr(self, name) for name in self.__slots__}

    def replace(self, **changes: Any) -> Self:
        """The same annotations with some columns replaced.

        A replaced column no longer counts as derived; one that is derived from it is derived again.
        """
        unknown = changes.keys() - set(self.__slots__)
        if unknown:
            raise TypeError(f"no column {sorted(unknown)[0]!r}: there are {', '.join(self.__slots__)}")
        columns = self.columns() | changes
        columns["derived"] = frozenset(changes.get("derived", self.derived - changes.keys()))
        stale = self.derived - changes.keys()
        if "box" in stale and changes.keys() & {"masks", "polygons"}:
            columns["box"] = None
        if "area" in stale and (columns["box"] is None or changes.keys() & {"box", "masks"}):
            columns["area"] = None
        return type(self)(**columns)

    def take(self, rows: Rows) -> Self:
        """The chosen rows, in that order."""
        numbers = row_numbers(rows, len(self))
        columns: dict[str, Any] = {"derived": self.derived}
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                columns[name] = value[numbers]
            elif name != "derived":
                columns[name] = None if value is None else value.take(numbers)
        return type(self)(**columns)

    @classmethod
    def concat(cls, parts: Sequence[Annotations]) -> Self:
        """Several tables, one after another.

        A column that only some parts have is filled: masks, polygons and extras with rows that have none; scores are
        refused unless all parts that have rows have them; ids are dropped unless all have them and all are unique.
        """
        parts = [part for part in parts if len(part)] or list(parts[:1])
        if not parts:
            return cls.empty()
        if len({part.score is None for part in parts}) > 1:
            refuse(
                "score-missing",
                "score",
                "parts with and without scores",
                "all predictions, or all ground truth",
            )
        ragged = {"masks": Masks, "polygons": Polygons, "extras": Extras}
        columns: dict[str, Any] = {"derived": frozenset().union(*(part.derived for part in parts))}
        for name in cls.__slots__:
            values = [getattr(part, name) for part in parts]
            if name == "derived":
                continue
            if name in ragged and any(value is not None for value in values):
                kind: Any = ragged[name]
                columns[name] = kind.concat(
                    [
                        kind.empty(len(part)) if value is None else value
                        for part, value in zip(parts, values, strict=True)
                    ]
                )
            elif all(value is not None for value in values):
                columns[name] = Source.concat(values) if name == "source" else np.concatenate(values)
        if "ids" in columns and len(np.unique(columns["ids"])) != len(columns["ids"]):
            del columns["ids"]
        return cls(**columns)

    def where(self, index: int) -> str:
        """Place of one annotation in its document, or its row number."""
        return f"annotations[{index}]" if self.source is None else self.source.where(index)

    def __repr__(self) -> str:
        kinds = [name for name in ("score", "masks", "polygons", "ids", "extras") if getattr(self, name) is not None]
        crowd = int(self.crowd.sum())
        text = f"Annotations({len(self):,} rows with box" + "".join(f", {name}" for name in kinds)
        return text + (f"; {crowd:,} crowd)" if crowd else ")")


def _boxes(masks: Masks | None, polygons: Polygons | None, count: int) -> npt.NDArray[np.float64]:
    if masks is None and polygons is None:
        if count:
            refuse("box-missing", "box", "neither boxes nor masks nor polygons", "at least one of them")
        return np.empty((0, 4))
    boxes = polygons.boxes if polygons is not None else np.zeros((count, 4))
    have = polygons.present if polygons is not None else np.zeros(count, np.bool_)
    if masks is not None:
        present = masks.present
        boxes[present] = masks.boxes[present]
        have = have | present
    if not have.all():
        row = int(np.flatnonzero(~have)[0])
        refuse("box-missing", f"box[{row}]", "neither box nor mask nor polygon", "at least one of them")
    return boxes


def _areas(boxes: npt.NDArray[np.float64], masks: Masks | None) -> npt.NDArray[np.float64]:
    with np.errstate(over="ignore"):  # what overflows is refused as not finite
        areas = boxes[:, 2] * boxes[:, 3]
    if masks is not None:
        present = masks.present
        areas[present] = masks.area[present]
    return areas
