"""Operating points and calibration as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rapideval.report.text import Cell, Column, Page, clean, number

if TYPE_CHECKING:
    from rapideval.judge.operating import PointChange
    from rapideval.metrics.calibration import Reliability
    from rapideval.metrics.document import LabelPoint, Range

__all__ = ["point_changes_text", "points_text", "reliability_text"]

SHOWN = 20
_BAR = 20


def points_text(points: Sequence[LabelPoint], page: Page, goal: str) -> str:
    """Thresholds of labels, with what they give."""
    columns = [
        Column("label", "<", True, keep=9),
        *(Column(name, keep=5) for name in ("score", "precision", "recall", "F1")),
    ]
    rows = [(clean(p.label), *map(_ranged, (p.score, p.precision, p.recall, p.f1))) for p in points]
    return page.heading("Operating points", goal) + "\n" + page.table(columns, rows)


def _ranged(part: Range) -> str:
    if part.value != part.value:
        return "–"
    return f"{number(part.value, 2)} [{number(part.low, 2)}, {number(part.high, 2)}]"


def point_changes_text(changes: Sequence[PointChange], page: Page, most: int = SHOWN) -> str:
    """What the candidate gives where production keeps the baseline's thresholds, the worst first."""
    known = [one for one in changes if one.f1_difference.value == one.f1_difference.value]
    ordered = sorted(known, key=lambda one: one.f1_difference.value)
    columns = [
        Column("label", "<", True, keep=9),
        Column("kept score", keep=6),
        Column("precision", keep=4),
        Column("recall", keep=4),
        Column("F1", keep=5),
        Column("F1 change", keep=7),
        Column("own score", keep=3),
        Column("own F1", keep=3),
    ]
    rows: list[tuple[Cell, ...]] = []
    for one in ordered[:most]:
        change = one.f1_difference
        text = f"{change.value:+.3f} [{change.low:+.3f}, {change.high:+.3f}]".replace("-", "−")
        style = "error" if change.high < 0 else "good" if change.low > 0 else ""
        rows.append(
            (
                clean(one.label),
                number(one.score, 2),
                f"{number(one.baseline_precision)} → {number(one.precision)}",
                f"{number(one.baseline_recall)} → {number(one.recall)}",
                f"{number(one.baseline_f1)} → {number(one.f1)}",
                (text, style),
                number(one.own_score, 2),
                number(one.own_f1),
            )  # type: ignore[arg-type]
        )
    more = len(ordered) - len(rows)
    text = page.heading("At the baseline's thresholds", "of best F1") + "\n" + page.table(columns, rows)
    return text + (f"\n  … and {more} more labels; --json has them all" if more > 0 else "")


def reliability_text(table: Reliability, page: Page) -> str:
    """Score against precision, bin by bin."""
    columns = [
        Column("score", "<", keep=9),
        Column("detections", keep=5),
        Column("mean score", keep=4),
        Column("precision", keep=8),
        Column("", "<"),
    ]
    rows: list[tuple[Cell, ...]] = []
    for one in table.bins:
        span = f"{one.low:.2f} to {one.high:.2f}"
        if one.precision is None:
            rows.append((span, "0", "–", "–", ""))
            continue
        bar = ("█" if page.unicode else "#") * round(_BAR * one.precision)
        ends = f" [{number(one.precision_low, 2)}, {number(one.precision_high, 2)}]"
        rows.append((span, f"{one.count:,}", number(one.score, 2), number(one.precision, 2) + ends, (bar, "accent")))
    about = f"right from IoU {table.iou:g} on; ECE {number(table.ece)}, largest gap {number(table.mce)}"
    return page.heading("Reliability", about) + "\n" + page.table(columns, rows)
