"""The sections that decide: the verdict, the rules, and all differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from rapideval.report.html import figures
from rapideval.report.html.evidence import Evidence
from rapideval.report.html.parts import (
    LONG,
    Cell,
    Head,
    drawn_interval,
    figure,
    icon,
    section,
    shown,
    span_of,
    table,
    text,
    word,
)

if TYPE_CHECKING:
    from rapideval.judge import Comparison, Difference, GateResult, Outcome

__all__ = ["label_metrics", "labels_section", "metrics_section", "rules_section", "slices_section", "verdict_section"]


def verdict_section(evidence: Evidence) -> str:
    """The verdict in a word, and what it means; without a gate, how many numbers changed."""
    gate = evidence.gate
    if gate is None:
        rows = [one for one in evidence.comparison.differences if one.slice is None]
        worse, better = (sum(one.verdict == verdict for one in rows) for verdict in ("worse", "better"))
        return section(
            "verdict", "Comparison", "",
            f"<p><strong>{better}</strong> of {len(rows)} numbers are better and <strong>{worse}</strong> worse beyond "
            "chance; for the rest no difference is shown. No policy was held against this candidate.</p>",
        )  # fmt: skip
    kinds = ("fail", "inconclusive", "insufficient", "pass")
    counted = [(name, sum(one.verdict == name for one in gate.outcomes)) for name in kinds]
    waived = sum(one.waived is not None for one in gate.outcomes)
    told = ", ".join(f"{count} {name}" for name, count in counted if count) + (f"; {waived} waived" if waived else "")
    meaning = {
        "pass": "The candidate keeps all that the policy asks for.",
        "fail": "The candidate is worse than the policy allows, by more than chance explains.",
        "inconclusive": "This holdout cannot tell whether the candidate keeps all that the policy asks for.",
    }[gate.verdict]
    drawn = icon(gate.verdict).replace("<svg ", '<svg class="mark" ', 1)
    return (
        f'<section id="verdict" class="verdict {gate.verdict}" aria-label="Verdict">{drawn}<div>'
        f"<p><strong>{gate.verdict.upper()}</strong></p><p>{meaning}</p>"
        f'<p class="soft">{told} of {len(gate.outcomes)} outcomes; judged on {escape(gate.date)}</p></div></section>'
    )


def rules_section(gate: GateResult) -> str:
    """Every outcome of the policy with its interval drawn, failures first."""
    spans = {
        kind: span_of([(one.low, one.high, one.bound) for one in gate.outcomes if one.kind == kind])
        for kind in ("margin", "floor")
    }
    parts = [name for name in ("Label", "Slice") if any(getattr(one, name.lower()) for one in gate.outcomes)]
    heads = [
        Head("Verdict", True), Head("Rule", True), *(Head(name, True) for name in parts), Head("Baseline"),
        Head("Candidate"), Head("Judged interval", True), Head("Bound"), Head("Why", True),
    ]  # fmt: skip
    order = {"fail": 0, "inconclusive": 1, "insufficient": 2, "pass": 3}
    outcomes = sorted(gate.outcomes, key=lambda one: (one.waived is not None, order[one.verdict], one.difference))
    rows = [_rule_row(one, spans[one.kind], parts) for one in outcomes]
    about = (
        "A rule passes where the whole interval lies beyond its bound (dashed), fails where it lies short of it, and "
        "is inconclusive where it holds the bound. Margins are held against candidate − baseline, floors against the "
        "candidate's own value."
    )
    return section(
        "rules", "Rules", about, table("rules-table", "Outcomes, failures first", heads, rows, len(rows) > LONG)
    )


def _rule_row(one: Outcome, span: tuple[float, float], parts: Sequence[str]) -> list[Cell]:
    value = one.difference if one.kind == "margin" else one.candidate
    reason = one.reason if one.waived is None else f"{one.reason}; waived: {one.waived}"
    note = "waived" if one.waived is not None else ""
    if not note and one.counts_as not in (one.verdict, "inconclusive"):
        note = f"counts as {one.counts_as}"
    return [
        word(one.verdict, note),
        text(one.rule + (" (floor)" if one.kind == "floor" else "")),
        *(text(getattr(one, name.lower()) or "") for name in parts),
        shown(one.baseline),
        shown(one.candidate),
        drawn_interval(one.low, value, one.high, one.bound, span, "difference" if one.kind == "margin" else "value"),
        shown(one.bound, signed=one.kind == "margin"),
        text(reason, free=True),
    ]


# --- differences ---------------------------------------------------------------------------------


def metrics_section(comparison: Comparison) -> str:
    """All numbers over all labels."""
    rows = [one for one in comparison.differences if one.label is None and one.slice is None]
    rests = comparison.provenance
    about = f"Intervals at {rests.level:.0%} from {rests.draws:,} paired draws of the images."
    return section("metrics", "Metrics over all labels", about, _differences_table("metrics-table", rows, "Metric"))


def label_metrics(comparison: Comparison) -> list[str]:
    """The metrics that were measured for each label."""
    return list(dict.fromkeys(one.metric for one in comparison.differences if one.label is not None))


def labels_section(comparison: Comparison) -> str:
    """Differences by label, the largest drops first; empty where none were measured."""
    rows = [one for one in comparison.differences if one.label is not None and one.slice is None]
    if not rows:
        return ""
    rows.sort(key=lambda one: (math.isnan(one.difference), one.difference))
    charts = [
        figure(figures.inline_svg(chart.chart, chart.title + "; the table below has the numbers"), chart.title)
        for metric in label_metrics(comparison)
        if (chart := figures.differences_chart(comparison, metric)) is not None
    ]
    about = (
        "The largest drops first. P-values are corrected over the labels; a label with too few objects is insufficient."
    )
    drawn = f'<div class="figures">{"".join(charts)}</div>'
    return section("labels", "Labels", about, drawn, _differences_table("labels-table", rows, "Label"))


def slices_section(comparison: Comparison) -> str:
    """Differences on parts of the holdout; empty where none were measured."""
    rows = [one for one in comparison.differences if one.slice is not None]
    if not rows:
        return ""
    about = "The same numbers on parts of the holdout. No permutation test is made here: the interval decides."
    return section("slices", "Slices", about, _differences_table("slices-table", rows, "Slice"))


def _differences_table(name: str, rows: Sequence[Difference], first: str) -> str:
    heads = [Head(first, True)]
    if first != "Metric":
        heads.append(Head("Metric", True))
    heads += [
        Head("Baseline"), Head("Candidate"), Head("Difference"), Head("Interval", True), Head("p"), Head("Objects"),
        Head("Verdict", True),
    ]  # fmt: skip
    span = span_of([(one.low, one.high, 0.0) for one in rows])
    cells = []
    for one in rows:
        subject = {"Metric": one.metric, "Label": one.label, "Slice": one.slice}[first]
        row = [text(subject or "")]
        if first != "Metric":
            row.append(text(one.metric))
        row += [
            shown(one.baseline),
            shown(one.candidate),
            shown(one.difference, signed=True),
            drawn_interval(one.low, one.difference, one.high, None, span, "difference"),
            shown(one.p_value),
            Cell(f"{one.objects:,}", one.objects),
            word(one.verdict),
        ]
        cells.append(row)
    return table(name, f"Differences, candidate − baseline ({len(rows)})", heads, cells, len(rows) > LONG)
