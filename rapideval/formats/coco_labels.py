"""Labels of a COCO document, and which of them annotations and results speak of."""

from __future__ import annotations

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
from rapideval.model import Labels

__all__ = ["labels_of_dataset", "labels_of_results"]


def labels_of_dataset(columns: Columns | None, used: Ids, report: Report, hint: str = "") -> tuple[Labels, Places]:
    """Labels of a dataset, and the place of each annotation's label."""
    if columns is None:
        return labels_of_results(used, None, None, "$.annotations", report)
    ids = ids_of(columns, "id", "$.categories", report)
    names = [str(i) for i in (ids if isinstance(ids, list) else ids.tolist())]
    unnamed = missing_rows(columns, "name")
    if len(unnamed):
        report.note(
            "label-by-number",
            "categories without a name: named by their ids",
            f"$.categories[{unnamed[0]}]",
            severity="warning",
            count=len(unnamed),
        )
    if columns["name"] is not None:
        names = [text or number for text, number in zip(texts_of(columns["name"]), names, strict=True)]
    place = places(used, ids)
    report.refuse_rows(
        "label-unknown",
        np.flatnonzero(place < 0),
        lambda row: f"$.annotations[{row}].category_id",
        lambda row: shown(used, row),
        f"the id of one of the {len(names):,} categories",
        hint,
    )
    report.close()
    kept = _without_unused_twins(names, place, report)
    supers = None if columns["supercategory"] is None else texts_of(columns["supercategory"])
    extras = extras_of(columns)
    labels = made(
        report,
        "$.categories",
        lambda: Labels(
            [names[i] for i in kept],
            None if isinstance(ids, list) else ids[kept],
            None if supers is None else [supers[i] or None for i in kept],
            None if extras is None else extras.take(kept),
        ),
    )
    if len(kept) == len(names):
        return labels, place
    moved = np.zeros(len(names), np.int32)
    moved[kept] = np.arange(len(kept), dtype=np.int32)
    return labels, moved[place]


def _without_unused_twins(names: list[str], place: Places, report: Report) -> npt.NDArray[np.int64]:
    """Labels to keep: of several with one name, the one that is used, as tools write a group beside its only label."""
    everything = np.arange(len(names))
    if len(set(names)) == len(names):
        return everything
    used = np.bincount(place, minlength=len(names)) > 0
    kept = []
    for row, name in enumerate(names):
        twins = [other for other, same in enumerate(names) if same == name]
        in_use = [other for other in twins if used[other]]
        if len(in_use) > 1:
            return everything  # the model refuses it and says why
        if row == (in_use or twins)[0]:
            kept.append(row)
    report.note(
        "label-duplicate",
        "categories without annotations that bear the name of another: left out",
        "$.categories",
        severity="warning",
        count=len(names) - len(kept),
    )
    return np.array(kept, np.int64)


def labels_of_results(
    used: Ids, context: Labels | None, base: int | None, path: str, report: Report
) -> tuple[Labels, Places]:
    """Labels that results speak of: those of the ground truth and, behind them, those it does not have.

    Without ground truth, the numbers themselves, in rising order.
    """
    if isinstance(used, list):
        names = list(dict.fromkeys(used))
        labels = (context or Labels()).extended(names)
        return labels, np.array([labels.index(name) for name in used], np.int32)
    if context is None:
        ids, inverse = np.unique(used, return_inverse=True)
        if len(ids):
            report.note(
                "label-by-number",
                "labels that only have a number: named by it",
                f"{path}[0].category_id",
                hint="give the labels, or the ground truth, to read them by name",
                severity="warning",
                count=len(ids),
            )
        return Labels([str(i) for i in ids.tolist()], ids), inverse.astype(np.int32)
    ids = _label_numbers(used, context, base, report)
    place = _core.index_ids(used, ids)
    unknown = np.flatnonzero(place < 0)
    if not len(unknown):
        return context, place
    new, inverse = np.unique(used[unknown], return_inverse=True)
    place[unknown] = len(context) + inverse
    shown = ", ".join(map(str, new[:5].tolist())) + (", …" if len(new) > 5 else "")
    report.note(
        "label-unknown",
        f"{used[unknown[0]]}; {len(new):,} ids that the ground truth does not have: {shown}",
        f"{path}[{unknown[0]}].category_id",
        expected=f"the id of one of its {len(context):,} labels",
        severity="warning",
        count=len(unknown),
    )
    names = [_unknown_label(number, context) for number in new.tolist()]
    return context.extended(names), place


def _unknown_label(number: int, context: Labels) -> str:
    name = str(number)
    while name in context:
        name = f"label {name}"
    return name


def _label_numbers(
    used: npt.NDArray[np.int64], labels: Labels, base: int | None, report: Report
) -> npt.NDArray[np.int64]:
    """Which category_id each label has, where labels without ids were given."""
    if labels.ids is not None and base is None:
        return labels.ids
    if base is None and len(used):
        low, high = int(used.min()), int(used.max())
        base = 0 if low == 0 and high < len(labels) else 1 if high == len(labels) else None
        if base is None:
            report.refuse(
                "label-base",
                "$",
                f"category_id from {low} to {high}, and {len(labels)} labels without ids",
                "to know which number is the first label",
                "pass label_base=0 or label_base=1",
            )
            report.close()
    return np.arange(len(labels), dtype=np.int64) + (base or 0)
