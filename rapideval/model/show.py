"""What a notebook shows of a dataset."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rapideval.model.dataset import Dataset

__all__ = ["dataset_html"]

SHOWN_LABELS = 12


def dataset_html(dataset: Dataset) -> str:
    """A small table: how much of what, by label."""
    rows = dataset.annotations
    per_label = np.bincount(rows.label, minlength=len(dataset.labels))
    order = np.argsort(-per_label, kind="stable")[:SHOWN_LABELS]
    images_with = np.zeros(len(dataset.labels), np.int64)
    if len(rows):
        pairs = np.unique(rows.label.astype(np.int64) * max(len(dataset.images), 1) + rows.image)
        images_with = np.bincount(pairs // max(len(dataset.images), 1), minlength=len(dataset.labels))
    kind = "predictions" if dataset.scored else "annotations"
    head = ["label", kind, "images", "median area"]
    if dataset.scored:
        head.append("median score")
    lines = []
    for label in order:
        chosen = rows.label == label
        area = f"{np.median(rows.area[chosen]):,.0f}" if per_label[label] else "–"
        cells = [
            escape(dataset.labels.names[label]),
            f"{per_label[label]:,}",
            f"{images_with[label]:,}",
            area,
        ]
        if rows.score is not None:
            cells.append(f"{np.median(rows.score[chosen]):.3f}" if per_label[label] else "–")
        lines.append("<tr><td>" + "</td><td>".join(cells) + "</td></tr>")
    hidden = len(dataset.labels) - len(order)
    if hidden > 0:
        lines.append(f"<tr><td colspan='{len(head)}'>… {hidden} more labels</td></tr>")
    caption = escape(repr(dataset))
    return (
        f"<table><caption>{caption}</caption><thead><tr><th>"
        + "</th><th>".join(head)
        + "</th></tr></thead><tbody>"
        + "".join(lines)
        + "</tbody></table>"
    )
