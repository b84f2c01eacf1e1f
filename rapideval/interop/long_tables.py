"""pandas data frames in long form, a row an annotation; the other way is `Dataset.to_pandas`.

Boxes are x, y, width, height or xmin, ymin, xmax, ymax in pixels with continuous edges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rapideval.errors import Problem, UsageError
from rapideval.interop.arrays import corner_boxes
from rapideval.interop.gather import GivenImages, GivenLabels
from rapideval.model import Annotations, Dataset, Extras, Images, Labels
from rapideval.model.columns import column, refuse

__all__ = ["from_pandas", "table_columns"]

SIZED = ("x", "y", "width", "height")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
FIELDS = ("image", "label", *SIZED, *CORNERS, "score", "area", "crowd", "id")


def from_pandas(
    frame: Any,
    images: GivenImages | None = None,
    labels: GivenLabels | None = None,
    *,
    columns: Mapping[str, str] | None = None,
) -> Dataset:
    """Make a dataset of a data frame with a row an annotation, such as `Dataset.to_pandas` makes.

    Parameters
    ----------
    frame
        Its columns ``image``, ``label``, ``x``, ``y``, ``width``, ``height`` or ``xmin``, ``ymin``, ``xmax``,
        ``ymax``, and where they are there ``score``, ``area``, ``crowd``, ``id``. Others are kept as further fields.
        Categories without rows are images and labels without annotations.
    images
        All images, also those without annotations.
    labels
        All labels, in order; names, or a mapping of the column's numbers to names.
    columns
        What the frame calls a field, where it is not the name above: ``{"image": "file", "width": "w"}``.

    Raises
    ------
    InputError
        With column and row, for columns that are not there, values that are missing, corners the wrong way round.
    UsageError
        For a field that is not one, or a frame that has both kinds of boxes.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"file": ["a.jpg"], "label": ["cat"], "xmin": [1], "ymin": [2], "xmax": [4], "ymax": [6]})
    >>> data = from_pandas(frame, columns={"image": "file"})
    >>> data[0].image, data[0].box
    ('a.jpg', (1.0, 2.0, 3.0, 4.0))
    """
    named = dict(columns or {})
    unknown = sorted(set(named) - set(FIELDS))
    if unknown:
        raise UsageError(f"columns: found the field {unknown[0]!r}, expected one of {', '.join(FIELDS)}")
    kinds = [fields for fields in (SIZED, CORNERS) if all(named.get(field, field) in frame.columns for field in fields)]
    # Beside corners, width and height are often the image's: they are the box's only with x and y.
    if len(kinds) != 1:
        expected = f"{', '.join(SIZED)} or {', '.join(CORNERS)}"
        if kinds:
            raise UsageError(f"frame: found both kinds of boxes, expected {expected}: drop the columns of one")
        refuse("column-missing", "frame", f"the columns {', '.join(map(str, frame.columns))}", expected,
               "name the columns with columns={...}")  # fmt: skip
    fields = tuple(field for field in FIELDS if field not in (*SIZED, *CORNERS)) + kinds[0]
    read = table_columns(frame, images, labels, named, "frame", fields)
    box = np.stack([_numbers(frame, named.get(field, field), "frame") for field in kinds[0]], axis=1)
    if kinds[0] is CORNERS:
        box = corner_boxes(box, "frame")
    return Dataset(read.images, read.labels, Annotations(box=box, **read.columns), notes=read.notes)


class Read(NamedTuple):
    """What a table says beside its boxes or geometry."""

    images: Images
    labels: Labels
    columns: dict[str, Any]
    notes: list[Problem]


def table_columns(
    frame: Any,
    images: GivenImages | None,
    labels: GivenLabels | None,
    named: Mapping[str, str],
    where: str,
    fields: Sequence[str],
) -> Read:
    """Images, labels and columns of a table; what is none of the fields becomes further fields."""
    name_of = {field: named.get(field, field) for field in fields}
    for field, name in name_of.items():
        # a name that was given and is not the field's own must be there
        if field in named and named[field] != field and name not in frame.columns:
            refuse("column-missing", where, f"the columns {', '.join(map(str, frame.columns))}",
                   f"{name!r}, as the {field}")  # fmt: skip
    notes: list[Problem] = []
    known = images.images if isinstance(images, Dataset) else images
    if known is not None and not isinstance(known, Images):
        known = Images([known] if isinstance(known, str) else known)
    if name_of["image"] in frame.columns:
        known, place = _image_places(frame[name_of["image"]], known, f"{where}[{name_of['image']!r}]")
    elif known is not None and len(known) == 1:
        place = np.zeros(len(frame), np.int32)
    else:
        refuse("column-missing", where, f"the columns {', '.join(map(str, frame.columns))}", repr(name_of["image"]),
               "name the one image of all rows with images=")  # fmt: skip
    if name_of["label"] not in frame.columns:
        refuse("column-missing", where, f"the columns {', '.join(map(str, frame.columns))}", repr(name_of["label"]))
    values = frame[name_of["label"]]
    if labels is None and len(values) and not isinstance(values.iloc[0], str):
        notes.append(Problem("label-names", f"{where}[{name_of['label']!r}]", "numbers without names",
                             hint="give their names with labels=", severity="warning"))  # fmt: skip
    table, label_place = _label_places(frame[name_of["label"]], labels, f"{where}[{name_of['label']!r}]")
    read: dict[str, Any] = {"image": place, "label": label_place}
    for field, key in (("score", "score"), ("area", "area"), ("crowd", "crowd"), ("id", "ids")):
        if name_of.get(field) in frame.columns:
            read[key] = _numbers(frame, name_of[field], where)
    if "crowd" in read:
        read["crowd"] = column(read["crowd"], np.bool_, f"{where}[{name_of['crowd']!r}]")
    further = [name for name in frame.columns if name not in name_of.values()]
    if further:
        read["extras"] = _further(frame, further)
    return Read(known, table, read, notes)


def _numbers(frame: Any, name: str, where: str) -> Any:
    values = frame[name]
    missing = np.flatnonzero(values.isna().to_numpy())
    if len(missing):
        refuse("not-finite", f"{where}[{name!r}][{missing[0]}]", f"no value ({len(missing):,} such rows)", "a number")
    numbers = values.to_numpy()
    if numbers.dtype.kind not in "biuf":
        try:
            numbers = numbers.astype(np.bool_ if set(map(type, numbers)) == {bool} else np.float64)
        except (TypeError, ValueError) as error:
            refuse("column-type", f"{where}[{name!r}]", f"{values.dtype}: {error}", "numbers")
    return numbers


def _codes(values: Any, where: str) -> tuple[list[Any], Any]:
    """Distinct values, in the order of their categories or of their first rows, and which of them each row has."""
    import pandas as pd

    missing = np.flatnonzero(values.isna().to_numpy())
    if len(missing):
        refuse("value-missing", f"{where}[{missing[0]}]", f"no value ({len(missing):,} such rows)", "a name")
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values.cat.categories.tolist(), values.cat.codes.to_numpy(np.int32)
    codes, distinct = pd.factorize(values)
    return list(distinct), codes.astype(np.int32)


def _image_places(values: Any, known: Images | None, where: str) -> tuple[Images, Any]:
    distinct, codes = _codes(values, where)
    names = [name if isinstance(name, str) else str(name) for name in distinct]
    if known is None:
        if distinct and all(isinstance(name, int | np.integer) for name in distinct):
            return Images(ids=distinct), codes
        return Images(names), codes
    by_key = {key: place for place, key in enumerate(known.keys)}
    if known.ids is not None and not all(isinstance(name, str) for name in distinct):
        by_key = {str(number): place for place, number in enumerate(known.ids.tolist())}
    return known, _places(names, by_key, codes, where, f"one of {len(known)} images")


def _label_places(values: Any, labels: GivenLabels | None, where: str) -> tuple[Labels, Any]:
    distinct, codes = _codes(values, where)
    names = [name if isinstance(name, str) else str(name) for name in distinct]
    if labels is None:
        return Labels(names), codes
    if isinstance(labels, Mapping):
        by_key = {str(number): place for place, number in enumerate(labels)}
        table = Labels(list(labels.values()), list(labels))
    else:
        table = (
            labels.labels if isinstance(labels, Dataset) else labels if isinstance(labels, Labels) else Labels(labels)
        )
        by_key = {name: place for place, name in enumerate(table.names)}
    return table, _places(names, by_key, codes, where, f"one of {list(by_key)[:20]}")


def _places(names: list[str], by_key: Mapping[str, int], codes: Any, where: str, expected: str) -> Any:
    used = np.unique(codes).tolist()
    unknown = [code for code in used if names[code] not in by_key]
    if unknown:
        row = int(np.flatnonzero(codes == unknown[0])[0])
        refuse("name-unknown", f"{where}[{row}]", f"{names[unknown[0]]!r} ({len(unknown):,} such names)", expected)
    place = np.array([by_key.get(name, -1) for name in names], np.int32)
    return place[codes] if len(names) else codes


def _further(frame: Any, names: Sequence[Any]) -> Extras | None:
    """Other columns, a missing value as none."""
    records = frame[list(names)].astype(object).to_dict("records")
    rows = [
        {str(key): value.item() if isinstance(value, np.generic) else value for key, value in record.items()
         if not (value is None or (isinstance(value, float) and value != value))}
        for record in records
    ]  # fmt: skip
    return Extras.from_dicts(rows) if any(rows) else None
