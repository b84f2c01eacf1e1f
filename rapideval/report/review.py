"""Likely errors of the ground truth as tables."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from rapideval.report.text import Column, Page, clean, number

if TYPE_CHECKING:
    from rapideval.metrics.review import Review, Suspect

__all__ = ["review_csv", "review_text"]


def review_text(review: Review, page: Page, most: int) -> str:
    """The likeliest, and how many there are of each kind."""
    counts = ", ".join(f"{count:,} {kind}" for kind, count in review.counts.items() if count) or "none"
    head = page.heading("Likely errors of the ground truth", counts)
    if not review.suspects:
        return head
    columns = [
        Column("kind", "<", keep=5),
        Column("image", "<", True, keep=4),
        Column("labelled", "<", keep=3),
        Column("found", "<", keep=3),
        Column("score", keep=3),
        Column("IoU", keep=1),
        Column("box", "<", keep=2),
    ]
    if review.versions > 1:
        columns.append(Column("versions", keep=2))
    table = page.table(columns, [_row(one, review.versions) for one in review.suspects[:most]])
    left = review.total - min(most, len(review.suspects))
    more = f"\n  … and {left:,} more: --out FILE writes them" if left > 0 else ""
    return f"{head}\n{table}{more}"


def _row(one: Suspect, versions: int) -> tuple[str, ...]:
    box = ", ".join(f"{value:.0f}" for value in one.box)
    row = (
        one.kind,
        clean(one.image),
        clean(one.truth_label or "–"),
        clean(one.predicted_label or "–"),
        number(one.score, 2) if one.score is not None else "–",
        number(one.iou, 2) if one.iou is not None else "–",
        box,
    )
    return (*row, str(one.versions)) if versions > 1 else row


def review_csv(review: Review) -> str:
    """One line each, with a head."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(
        ["kind", "image", "truth_label", "predicted_label", "score", "iou", "x", "y", "width", "height", "truth_row",
         "versions", "suspicion"]
    )  # fmt: skip
    for one in review.suspects:
        values = (one.kind, one.image, one.truth_label, one.predicted_label, one.score, one.iou)
        lines.writerow([*values, *one.box, one.truth_row, one.versions, one.suspicion])
    return out.getvalue()
