"""Images of a COCO document, and which of them annotations and results speak of."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from rapideval import _core
from rapideval.formats.coco_columns import (
    Columns,
    Ids,
    Places,
    extras_of,
    ids_of,
    made,
    missing_rows,
    places,
    shown,
    texts_of,
)
from rapideval.formats.notes import Report
from rapideval.model import Images, match_images

__all__ = ["images_of_dataset", "images_of_results"]


def images_of_dataset(columns: Columns | None, used: Ids, report: Report) -> tuple[Images, Places]:
    """Images of a dataset, and the place of each annotation's image."""
    if columns is None:
        report.note("coco-member", "no images: they are taken from the annotations", "$", severity="warning")
        return images_of_results(used, None, report)
    ids = ids_of(columns, "id", "$.images", report)
    count = columns["rows"]
    text_ids = isinstance(ids, list)
    if text_ids:
        report.note(
            "id-text",
            f"ids that are not numbers ({ids[0]!r}): they join the document and are not kept",
            "$.images[0].id",
            severity="warning",
            count=count,
        )
    names = None if columns["file_name"] is None else texts_of(columns["file_name"])
    unnamed = missing_rows(columns, "file_name")
    if names is not None and len(unnamed):
        report.note(
            "image-name",
            "images without a file_name: named by their ids",
            f"$.images[{unnamed[0]}]",
            count=len(unnamed),
        )
        for row in unnamed.tolist():
            names[row] = str(ids[row])
    elif names is None and text_ids:
        names = list(ids)
    sizes = _sizes(columns, report)
    report.close()
    images = made(
        report,
        "$.images",
        lambda: Images(names, None if isinstance(ids, list) else ids, sizes, extras_of(columns)),
    )
    place = places(used, ids)
    report.refuse_rows(
        "image-unknown",
        np.flatnonzero(place < 0),
        lambda row: f"$.annotations[{row}].image_id",
        lambda row: shown(used, row),
        f"the id of one of the {count:,} images",
    )
    return images, place


def _sizes(columns: Columns, report: Report) -> npt.NDArray[np.int64]:
    blank = np.zeros(columns["rows"], np.int64)
    sizes = np.stack([blank if columns[key] is None else columns[key] for key in ("height", "width")], axis=1)
    report.refuse_rows(
        "image-size",
        np.flatnonzero(((sizes < 0) | (sizes >= 1 << 32)).any(axis=1)),
        lambda row: f"$.images[{row}]",
        lambda row: f"height {sizes[row, 0]}, width {sizes[row, 1]}",
        "pixels from 1",
    )
    half = np.flatnonzero((sizes == 0).any(axis=1) & (sizes != 0).any(axis=1))
    if len(half):
        report.note(
            "image-size",
            "only one of height and width: the size counts as not known",
            f"$.images[{half[0]}]",
            severity="warning",
            count=len(half),
        )
        sizes[half] = 0
    return sizes


def images_of_results(used: Ids, context: Images | None, report: Report) -> tuple[Images, Places]:
    """Images that results speak of: those of the ground truth and, behind them, those it does not have.

    Without ground truth, the images that have results, in rising order.
    """
    if context is None:
        if isinstance(used, list):
            names = list(dict.fromkeys(used))
            return Images(names), places(used, names)
        ids, inverse = np.unique(used, return_inverse=True)
        return Images(ids=ids), inverse.astype(np.int32)
    if isinstance(used, list):
        return _images_by_name(used, context, report)
    if context.ids is None:
        report.refuse(
            "image-id",
            "$[0].image_id",
            "a number",
            "the name of an image, as the ground truth has no ids",
            "give image_id as the file name, or ground truth with ids",
        )
        report.close()
    assert context.ids is not None
    place = _core.index_ids(used, context.ids)
    unknown = np.flatnonzero(place < 0)
    if not len(unknown):
        return context, place
    new, inverse = np.unique(used[unknown], return_inverse=True)
    place[unknown] = len(context) + inverse
    _note_unknown_images(unknown, str(used[unknown[0]]), list(map(str, new.tolist())), context, report)
    # The names of the ground truth cannot be those of images it does not have.
    all_names: list[str] | None = None
    if context.names is not None:
        taken = set(context.names)
        all_names = [*context.names, *(_free_name(str(i), taken) for i in new.tolist())]
    sizes = np.concatenate([context.sizes, np.zeros((len(new), 2), np.uint32)])
    return Images(all_names, np.concatenate([context.ids, new]), sizes), place


def _free_name(name: str, taken: set[str]) -> str:
    while name in taken:
        name = f"image {name}"
    return name


def _images_by_name(used: list[str], context: Images, report: Report) -> tuple[Images, Places]:
    names = list(dict.fromkeys(used))
    found, by = match_images(context, Images(names))
    unknown = [name for name, place in zip(names, found.tolist(), strict=True) if place < 0]
    report.note("image-by-name", f"image_id is text: joined to the ground truth by {by}", "$[0].image_id")
    place_of = dict(zip(names, found.tolist(), strict=True))
    images = context
    if unknown:
        row = next(i for i, name in enumerate(used) if place_of[name] < 0)
        count = sum(place_of[name] < 0 for name in used)
        _note_unknown_images(np.full(count, row), repr(used[row]), list(map(repr, unknown)), context, report)
        place_of |= {name: len(context) + i for i, name in enumerate(unknown)}
        sizes = np.concatenate([context.sizes, np.zeros((len(unknown), 2), np.uint32)])
        images = Images([*context.keys, *unknown], None, sizes)
    return images, np.array([place_of[name] for name in used], np.int32)


def _note_unknown_images(rows: npt.NDArray[Any], first: str, names: list[str], context: Images, report: Report) -> None:
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    report.note(
        "image-unknown",
        f"{first}; {len(names):,} ids that the ground truth does not have: {shown}",
        f"$[{rows[0]}].image_id",
        expected=f"the id of one of its {len(context):,} images",
        severity="warning",
        count=len(rows),
    )
