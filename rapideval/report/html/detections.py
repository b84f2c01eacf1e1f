"""The sections on detections: pictures, curves, thresholds, calibration, confusion, causes of errors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from rapideval.metrics import ConfusionMatrix
from rapideval.report.html import figures
from rapideval.report.html.evidence import Evidence
from rapideval.report.html.parts import LONG, Cell, Head, drawn_interval, figure, section, shown, span_of, table, text
from rapideval.report.html.pictures import MOST, pictures, regressions
from rapideval.report.html.pixels import pixel_pictures
from rapideval.report.text import clean, number

if TYPE_CHECKING:
    from rapideval.judge import Comparison
    from rapideval.metrics import DetectionEvaluation

__all__ = [
    "calibration_section",
    "causes_section",
    "confusion_section",
    "costs",
    "curves_section",
    "pictures_section",
    "thresholds_section",
]

_LAYERS = {
    "lost": "lost: only the baseline found it",
    "new": "new false positive",
    "found": "found",
    "wrong": "other false positive",
    "missed": "other missed object",
    "ground": "ground truth",
}
_PIXEL_LAYERS = {"lost": "lost: right in the baseline", "wrong": "other wrong pixels", "ground": "ground truth"}
_CURVES = 12
_MATRIX = 12


def pictures_section(evidence: Evidence) -> str:
    """The worst regressions over their photographs; empty without the objects themselves."""
    worse = regressions(evidence.comparison.changes)
    if not worse or not evidence.fresh:
        return ""
    if evidence.versions is not None:
        drawn = pictures(evidence.versions, worse[:MOST], evidence.photographs, evidence.score)
        layers, what = _LAYERS, f"at score {evidence.score:g} and more. Labels and scores"
    elif evidence.pixels is not None:
        drawn = pixel_pictures(evidence.pixels, worse[:MOST], evidence.photographs)
        layers, what = _PIXEL_LAYERS, "by mean IoU. What was taken for what"
    else:
        return ""
    keys = "".join(
        f'<label class="key"><input type="checkbox" data-layer="{kind}"{"" if kind == "ground" else " checked"}> '
        f'<svg viewBox="0 0 26 14" aria-hidden="true"><path class="shape {kind}" d="M2 2H24V12H2Z"/></svg> '
        f"{told}</label>"
        for kind, told in layers.items()
    )
    left = len(worse) - MOST
    more = f" {left} more {'is' if left == 1 else 'are'} listed under Images." if left > 0 else ""
    about = (
        f"Images where the candidate loses most, {what} {'show' if layers is _LAYERS else 'shows'} where the pointer "
        f"rests.{more}"
    )
    return section(
        "pictures", "Worst regressions", about, f'<div class="tools">{keys}</div>',
        f'<div class="pictures hide-ground" id="pictures-list">{drawn}</div>',
    )  # fmt: skip


def curves_section(evidence: Evidence) -> str:
    """Precision-recall curves of both versions; empty of pixels."""
    versions = evidence.versions
    if versions is None:
        return ""
    rows = [one for one in evidence.comparison.differences if one.label is not None and one.slice is None]
    ranked = sorted((one for one in rows if math.isfinite(one.difference)), key=lambda one: -abs(one.difference))
    labels = list(dict.fromkeys(one.label for one in ranked))[:_CURVES]
    choices: list[str | None] = [None, *labels]
    options, drawn = [], []
    for place, label in enumerate(choices):
        chart = figures.curve_chart(versions, label)
        told = "all labels together" if label is None else clean(label)
        options.append(f'<option value="{place}">{escape(told)}</option>')
        hidden = f' data-of="curves" data-name="{place}"'
        drawn.append(figure(figures.inline_svg(chart.chart, chart.title), chart.title, hidden))
    about = (
        "Precision and recall at every score threshold; dashed: the baseline. The labels that changed most can be "
        "chosen."
    )
    chooser = (
        '<div class="tools"><label for="curves-select">Curves of</label> '
        f'<select id="curves-select" data-figures="curves">{"".join(options)}</select></div>'
    )
    return section("curves", "Precision and recall", about, chooser, *drawn)


def thresholds_section(comparison: Comparison) -> str:
    """What the baseline's thresholds give; empty of pixels."""
    if not comparison.points:
        return ""
    heads = [
        Head("Label", True), Head("Kept score"), Head("Precision"), Head("Recall"), Head("F1"), Head("F1 change"),
        Head("Interval", True), Head("Own score"), Head("Own F1"),
    ]  # fmt: skip
    span = span_of([(one.f1_difference.low, one.f1_difference.high, 0.0) for one in comparison.points])
    ordered = sorted(comparison.points, key=lambda one: (math.isnan(one.f1_difference.value), one.f1_difference.value))
    rows = []
    for one in ordered:
        change = one.f1_difference
        pairs = (
            (one.baseline_precision, one.precision),
            (one.baseline_recall, one.recall),
            (one.baseline_f1, one.f1),
        )
        rows.append(
            [
                text(one.label),
                shown(one.score, 2),
                *(Cell(f"{number(before)} → {number(after)}", after) for before, after in pairs),
                shown(change.value, signed=True),
                drawn_interval(change.low, change.value, change.high, None, span, "difference of F1"),
                shown(one.own_score, 2),
                shown(one.own_f1),
            ]
        )
    about = (
        "What the candidate gives where production keeps the baseline's thresholds of best F1, and what it would give "
        "at its own."
    )
    return section(
        "thresholds", "At the baseline's thresholds", about,
        table("thresholds-table", "Baseline → candidate at the kept threshold", heads, rows, len(rows) > LONG),
    )  # fmt: skip


def calibration_section(comparison: Comparison) -> str:
    """Reliability diagrams of both versions; empty of pixels."""
    tables = comparison.reliability
    if not tables:
        return ""
    chart = figures.reliability_chart(tables)
    heads = [Head("Score", True), *(Head(f"{what}, {name}") for name in tables for what in ("count", "precision"))]
    bins = [table.bins for table in tables.values()]
    rows = []
    for parts in zip(*bins, strict=True):
        row = [text(f"{parts[0].low:.1f} to {parts[0].high:.1f}")]
        for part in parts:
            row += [Cell(f"{part.count:,}", part.count), shown(part.precision)]
        rows.append(row)
    told = ", ".join(f"{name} {number(table.ece)}" for name, table in tables.items())
    about = f"Whether detections of score 0.8 are right in eight of ten cases. Expected calibration error: {told}."
    drawn = figure(figures.inline_svg(chart.chart, chart.title + "; the table beside it has the numbers"), chart.title)
    numbers = f"<div>{table('reliability-table', 'Detections and precision by score', heads, rows)}</div>"
    return section("calibration", "Calibration", about, f'<div class="figures">{drawn}{numbers}</div>')


def confusion_section(evidence: Evidence) -> str:
    """Confusion matrices of both versions; empty where other labels were not compared."""
    matrices, what = _confusions(evidence)
    if not matrices:
        return ""
    chosen = _most_confused(matrices)
    drawn = "".join(
        f"<figure><figcaption>{name}</figcaption>{_matrix(matrix, chosen, name)}</figure>"
        for name, matrix in zip(("Baseline", "Candidate"), matrices, strict=True)
    )
    left = len(matrices[0].labels) - (len(chosen) - 1)
    more = f" The {len(chosen) - 1} labels with most confusion; {left} more are not shown." if left > 0 else ""
    about = f"Rows: what is there; columns: what was found, {what}; framed: right.{more}"
    return section("confusion", "Confusion", about, f'<div class="figures">{drawn}</div>')


def _confusions(evidence: Evidence) -> tuple[list[ConfusionMatrix], str]:
    """Both versions' matrices, and what they count; none where that is not known."""
    versions = evidence.versions
    if versions is None:
        pixels = evidence.pixels or ()
        return [ConfusionMatrix(one.labels.names, one.matches.confusion, "pixels") for one in pixels], "in pixels"
    known = all(one.is_fresh or one.matches.other_iou is not None for one in versions)
    if evidence.baseline.protocol.class_agnostic or not known:
        return [], ""
    return [one.confusion(evidence.score) for one in versions], f"at score {evidence.score:g} and more"


def _most_confused(matrices: Sequence[ConfusionMatrix]) -> list[str]:
    """Names of the rows to show: labels with most errors, in the matrix's order, and background."""
    names = list(matrices[0].labels)
    if len(names) > _MATRIX:
        errors = dict.fromkeys(names, 0)
        for matrix in matrices:
            known = {name: place for place, name in enumerate(matrix.labels)}
            for name in names:
                if name in known:
                    row, column = matrix.counts[known[name]], matrix.counts[:, known[name]]
                    errors[name] += int(row.sum() + column.sum() - 2 * row[known[name]])
        kept = set(sorted(names, key=lambda name: -errors[name])[:_MATRIX])
        names = [name for name in names if name in kept]
    return [*names, matrices[0].names[-1]]


def _matrix(matrix: ConfusionMatrix, chosen: Sequence[str], name: str) -> str:
    known = {label: place for place, label in enumerate(matrix.names)}
    places = [(label, known[label]) for label in chosen if label in known]
    head = "".join(f'<th scope="col">{escape(clean(label))}</th>' for label, _ in places)
    body = []
    for label, row in places:
        total = matrix.counts[row].sum() or 1
        cells = []
        for _, column in places:
            count = int(matrix.counts[row, column])
            heat = min(4, math.ceil(4 * count / total)) if count else 0
            kind = " ".join(
                k for k, on in ((f"heat-{heat}", heat), ("right", row == column and label in matrix.labels)) if on
            )
            cells.append(f'<td class="{kind}">{count:,}</td>' if kind else f"<td>{count or ''}</td>")
        body.append(f'<tr><th scope="row" class="text">{escape(clean(label))}</th>{"".join(cells)}</tr>')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Confusion of the {name.lower()}">'
        '<table class="matrix">'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def costs(versions: tuple[DetectionEvaluation, DetectionEvaluation]) -> dict[str, dict[str, float]]:
    """AP that each cause of errors costs, of both versions."""
    return {name: one.causes().cost() for name, one in zip(("baseline", "candidate"), versions, strict=True)}


def causes_section(evidence: Evidence) -> str:
    """Causes of errors of both versions; empty without the objects themselves."""
    versions = evidence.versions
    if versions is None or not evidence.fresh:
        return ""
    found = costs(versions)
    chart = figures.causes_chart(found)
    heads = [Head("Cause", True), Head("Baseline"), Head("Candidate"), Head("Difference")]
    rows = [
        [
            text(cause),
            shown(before),
            shown(found["candidate"][cause]),
            shown(found["candidate"][cause] - before, signed=True),
        ]
        for cause, before in found["baseline"].items()
    ]
    about = (
        "By how much AP would rise if errors of one cause alone were mended (TIDE, Bolya et al. 2020); not additive."
    )
    drawn = figure(figures.inline_svg(chart.chart, chart.title + "; the table beside it has the numbers"), chart.title)
    numbers = f"<div>{table('causes-table', 'AP that each cause costs', heads, rows)}</div>"
    return section("causes", "Causes of errors", about, f'<div class="figures">{drawn}{numbers}</div>')
