"""An evaluation as text for a terminal or a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rapideval.report.text import Cell, Column, Page, number

if TYPE_CHECKING:
    from rapideval.metrics import Evaluation, LabelTable

__all__ = ["evaluation_text"]

_TITLES = {"detection": "Detection: boxes", "instance": "Instance segmentation: masks", "semantic": "Semantic: pixels"}

# column of the label table -> its head, and how long it is kept on a narrow page; the others are for --json
_SHOWN: dict[str, tuple[str, int]] = {
    "label": ("label", 9),
    "objects": ("objects", 6),
    "detections": ("detections", 4),
    "AP": ("AP", 8),
    "AP50": ("AP50", 7),
    "AP75": ("AP75", 2),
    "AR": ("AR", 3),
    "IoU": ("IoU", 8),
    "Dice": ("Dice", 7),
    "accuracy": ("accuracy", 6),
    "precision": ("precision", 5),
    "recall": ("recall", 5),
    "F1": ("F1", 5),
    "best_F1": ("best F1", 3),
    "best_score": ("at score", 3),
    "truth": ("pixels", 4),
    "predicted": ("predicted", 4),
}


def evaluation_text(evaluation: Evaluation, page: Page, labels: LabelTable | None, rows: int = 20) -> str:
    """The numbers that matter, and a table of labels.

    Parameters
    ----------
    evaluation
        What is shown.
    page
        What it is laid out for.
    labels
        The table of labels, or None to leave it out.
    rows
        Labels to show, those with the most objects first; below 0 all.
    """
    parts = [page.heading(_TITLES[evaluation.task], _amounts(evaluation)), "", _summary(evaluation, page)]
    if labels is not None and len(labels) and rows:
        parts += ["", page.heading("Labels", labels.title), _labels(labels, page, rows)]
    return "\n".join(parts)


def _amounts(evaluation: Evaluation) -> str:
    counts = evaluation.counts
    named = ("images", "labels", "objects", "detections", "pixels")
    return " · ".join(_plural(counts[name], name) for name in named if name in counts)


def _plural(count: int, name: str) -> str:
    return f"{count:,} {name[:-1] if count == 1 else name}"


def _summary(evaluation: Evaluation, page: Page) -> str:
    summary = evaluation.summary
    blocks = [[name for name in summary if name.startswith(kind)] for kind in ("AP", "AR")]
    if not any(blocks):
        blocks = [list(summary)]
    tables = []
    for block in blocks:
        columns = [Column(name.replace("_", " "), keep=len(block) - place) for place, name in enumerate(block)]
        first, *rest = [number(summary[name]) for name in block]
        cells: list[Cell] = [(first, "bold"), *rest]
        tables.append(page.table(columns, [cells]))
    return "\n\n".join(tables)


def _labels(labels: LabelTable, page: Page, rows: int) -> str:
    names = [name for name in labels.columns if name in _SHOWN]
    names.sort(key=list(_SHOWN).index)
    weight = labels["objects"] if "objects" in labels.columns else labels["truth"]
    order = sorted(range(len(labels)), key=lambda row: (-float(weight[row]), row))
    shown = order if rows < 0 else order[:rows]
    columns = [
        Column(_SHOWN[name][0], "<" if name == "label" else ">", name == "label", _SHOWN[name][1]) for name in names
    ]
    values = {name: labels[name].tolist() for name in names}
    table = page.table(columns, [[_cell(name, values[name][row]) for name in names] for row in shown])
    if len(shown) < len(order):
        more = page.plain(f"… {len(order) - len(shown):,} more labels: --rows -1 shows all")
        table += "\n  " + page.mark(more, "dim")
    return table


def _cell(name: str, value: Any) -> Cell:
    if name == "label":
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return (number(value), "bold") if name in ("AP", "IoU") else number(value)
