"""Gates and comparisons as text for a terminal and as Markdown for a pull request."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from rapideval.report.text import Cell, Column, Page, Style, clean, number

if TYPE_CHECKING:
    from rapideval.judge import Comparison, Difference, GateResult, Outcome

__all__ = ["chart_images", "comparison_markdown", "comparison_text", "gate_markdown", "gate_text"]

_STYLES: dict[str, Style] = {
    "pass": "good",
    "fail": "error",
    "inconclusive": "warning",
    "insufficient": "warning",
    "better": "good",
    "worse": "error",
    "ignored": "dim",
}
_MARKS = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️", "insufficient": "⚠️", "better": "▲", "worse": "▼"}
SHOWN_CHANGES = 5
SHOWN_ROWS = 30


def signed(value: float, digits: int = 3) -> str:
    """A difference with its sign; a dash where undefined."""
    return "–" if math.isnan(value) else f"{value:+.{digits}f}"


def subject(one: Outcome | Difference) -> str:
    """What a row speaks of: metric, label, slice."""
    parts = [one.metric]
    if one.label is not None:
        parts.append(f"of {one.label}")
    if one.slice is not None:
        parts.append(f"in {one.slice}")
    return clean(" ".join(parts))


def _interval(low: float, high: float) -> str:
    return "–" if math.isnan(low) else f"{signed(low)} to {signed(high)}"


def _judged(one: Outcome) -> tuple[str, str]:
    """The interval that was judged, and what it was held against: of the difference, or of the candidate's value."""
    if one.kind == "margin":
        return _interval(one.low, one.high), signed(one.bound)
    return "–" if math.isnan(one.low) else f"{number(one.low)} to {number(one.high)}", number(one.bound)


def _counted(outcomes: Sequence[Outcome]) -> str:
    kinds = ("pass", "fail", "inconclusive", "insufficient")
    counts = {kind: sum(outcome.verdict == kind for outcome in outcomes) for kind in kinds}
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


# --- gate ----------------------------------------------------------------------------------------


def gate_text(result: GateResult, page: Page) -> str:
    """A gate's result for a terminal: verdict first, then rules, then what to do about them."""
    lines = [
        page.mark(f"Gate: {result.verdict.upper()}", _STYLES[result.verdict]) + f"  ({_counted(result.outcomes)})",
        "",
    ]
    columns = [
        Column("verdict", "<", keep=9),
        Column("rule", "<", shrink=True, keep=8),
        Column("label", "<", shrink=True, keep=7),
        Column("baseline", keep=5),
        Column("candidate", keep=6),
        Column("judged interval", keep=4),
        Column("bound", keep=3),
    ]
    rows: list[list[Cell]] = []
    for one in sorted(result.outcomes, key=_severity):
        verdict = one.verdict if one.waived is None else f"{one.verdict}, waived"
        style = _STYLES[one.verdict] if one.waived is None else "dim"
        rows.append(
            [
                (verdict, style),
                clean(one.rule) + (" (floor)" if one.kind == "floor" else ""),
                clean(one.label or ""),
                number(one.baseline),
                number(one.candidate),
                *_judged(one),
            ]
        )
    hidden = rows[SHOWN_ROWS:]
    lines.append(page.table(columns, rows[:SHOWN_ROWS]))
    if hidden:
        lines.append(page.mark(f"  and {len(hidden)} more rows; --json has them all", "dim"))
    lines += _advice(result.outcomes, page)
    lines += _changes_text(result, page)
    return page.plain("\n".join(lines))


def _severity(outcome: Outcome) -> tuple[int, float]:
    order = {"fail": 0, "inconclusive": 1, "insufficient": 2, "pass": 3}
    return order[outcome.verdict] + (4 if outcome.waived else 0), outcome.difference


def _advice(outcomes: Sequence[Outcome], page: Page) -> list[str]:
    lines = []
    for one in outcomes:
        if one.verdict == "inconclusive" and one.images_to_settle is not None:
            head = f"{subject(one)}: about {one.images_to_settle:,} images would settle it"
            drop = f"; this holdout can show a drop of {number(one.detectable_drop)} beyond the margin"
            lines.append(f"  {head}{drop}")
        elif one.verdict == "insufficient":
            lines.append(f"  {subject(one)}: {clean(one.reason)}")
        if one.waived is not None:
            lines.append(f"  {subject(one)}: waived, {clean(one.waived)}")
    shown = lines[:10]
    if len(lines) > len(shown):
        shown.append(f"  and {len(lines) - len(shown)} more")
    return ["", page.mark("Notes", "bold"), *shown] if shown else []


def _changes_text(result: GateResult | Comparison, page: Page) -> list[str]:
    worse = [change for change in result.changes if change.balance > 0][:SHOWN_CHANGES]
    if not worse:
        return []
    lines = ["", page.mark("Images where the candidate loses most", "bold")]
    for change in worse:
        parts = []
        if change.lost:
            labels = ", ".join(clean(name) for name in dict.fromkeys(change.lost_labels))
            parts.append(f"{change.lost} lost ({labels})")
        if change.gained:
            parts.append(f"{change.gained} gained")
        if change.new_false_positives:
            parts.append(f"{change.new_false_positives:+d} false positives")
        if not parts:
            parts.append(f"mean IoU {-change.balance:+.3f}")
        lines.append(f"  {clean(change.image)}: {', '.join(parts)}")
    return lines


def chart_images(written: Iterable[str], folder: str | os.PathLike[str] = ".") -> list[str]:
    """Addresses of the charts among the files written, as seen from a folder.

    Examples
    --------
    >>> chart_images(["out/report.html", "out/charts/causes.svg"], "out")
    ['charts/causes.svg']
    """
    charts = [path for path in written if path.endswith(".svg")]
    return [Path(os.path.relpath(path, folder)).as_posix() for path in charts]


def _images(charts: Iterable[str]) -> list[str]:
    """Charts as Markdown; what is spaces or brackets in an address is quoted."""
    shown = [f"![{_md(Path(path).stem.replace('-', ' '))}]({quote(path)})" for path in charts]
    return ["", *shown] if shown else []


def gate_markdown(result: GateResult, charts: Sequence[str] = ()) -> str:
    """A gate's result as Markdown, for a comment on a pull request, with charts by their addresses."""
    lines = [
        f"## {_MARKS[result.verdict]} Gate: {result.verdict}",
        "",
        f"{_counted(result.outcomes)} on {result.provenance.images:,} images.",
        "",
        "| | rule | label | baseline | candidate | judged interval | bound |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for one in sorted(result.outcomes, key=_severity):
        mark = _MARKS[one.verdict] + (" waived" if one.waived else "")
        cells = [mark, _md(one.rule), _md(one.label or ""), number(one.baseline), number(one.candidate)]
        lines.append("| " + " | ".join([*cells, *_judged(one)]) + " |")
    reasons = [one for one in result.outcomes if one.verdict != "pass"]
    if reasons:
        lines += ["", "<details><summary>Why</summary>", ""]
        lines += [f"- {_md(subject(one))}: {one.verdict}, {_md(one.reason)}" for one in reasons]
        lines += ["", "</details>"]
    lines += _images(charts)
    return "\n".join([*lines, "", _footer(result)]) + "\n"


def _footer(result: GateResult | Comparison) -> str:
    source = result.provenance
    prints = ", ".join(
        f"{name} `{hashes.get('predictions', 'unknown')[:15]}`"
        for name, hashes in (("baseline", source.baseline), ("candidate", source.candidate))
    )
    truth = source.baseline.get("ground_truth", "unknown")[:15]
    return (
        f"<sub>{source.tool}; ground truth `{truth}`, {prints}; {source.draws:,} draws, seed {source.seed}, "
        f"level {source.level:g}</sub>"
    )


def _md(text: str) -> str:
    """Text that cannot be markup: what came from an input stays what it is."""
    escaped = clean(text)
    for character in "\\`*_{}[]<>#|!~":
        escaped = escaped.replace(character, "\\" + character)
    return escaped


# --- comparison ----------------------------------------------------------------------------------


def comparison_text(result: Comparison, page: Page) -> str:
    """A comparison for a terminal."""
    groups = _groups(result.differences)
    lines: list[str] = []
    for title, rows in groups:
        if lines:
            lines.append("")
        lines.append(page.heading(title))
        columns = [
            Column("", "<", shrink=True, keep=9),
            Column("baseline", keep=5),
            Column("candidate", keep=6),
            Column("difference", keep=8),
            Column(f"{result.provenance.level:.0%} interval", keep=4),
            Column("p", keep=2),
            Column("", "<", keep=7),
        ]
        lines.append(page.table(columns, [_difference_cells(one) for one in rows[:SHOWN_ROWS]]))
        if len(rows) > SHOWN_ROWS:
            lines.append(page.mark(f"  and {len(rows) - SHOWN_ROWS} more rows; --json has them all", "dim"))
    lines += _changes_text(result, page)
    return page.plain("\n".join(lines))


def _difference_cells(one: Difference) -> list[Cell]:
    style: Style = _STYLES.get(one.verdict, "")
    if one.verdict == "insufficient":
        style = "dim"
    return [
        clean(one.label) if one.label is not None else one.metric,
        number(one.baseline),
        number(one.candidate),
        (signed(one.difference), style),
        _interval(one.low, one.high),
        "–" if math.isnan(one.p_value) else f"{one.p_value:.3f}",
        (one.verdict, style),
    ]


def _groups(differences: Iterable[Difference]) -> list[tuple[str, list[Difference]]]:
    """Rows over all labels, then those of each metric by label (the largest loss first), then slices."""
    groups: dict[str, list[Difference]] = {}
    for one in differences:
        if one.slice is not None:
            title = f"In {clean(one.slice)}"
        elif one.label is not None:
            title = f"{one.metric} by label"
        else:
            title = "All labels"
        groups.setdefault(title, []).append(one)
    for title, rows in groups.items():
        if title.endswith("by label"):
            rows.sort(key=lambda one: (math.isnan(one.difference), one.difference))
    return list(groups.items())


def comparison_markdown(result: Comparison, charts: Sequence[str] = ()) -> str:
    """A comparison as Markdown, with charts by their addresses."""
    lines = []
    for title, rows in _groups(result.differences):
        lines += [f"### {_md(title)}", ""]
        lines += ["| | baseline | candidate | difference | interval | p | |", "|---|---:|---:|---:|---:|---:|---|"]
        for one in rows:
            name = _md(one.label) if one.label is not None else _md(one.metric)
            p = "–" if math.isnan(one.p_value) else f"{one.p_value:.3f}"
            cells = [name, number(one.baseline), number(one.candidate), signed(one.difference)]
            verdict = f"{_MARKS.get(one.verdict, '')} {one.verdict}".strip()
            lines.append("| " + " | ".join([*cells, _interval(one.low, one.high), p, verdict]) + " |")
        lines.append("")
    lines += [*_images(charts), ""] if charts else []
    return "\n".join([*lines, _footer(result)]) + "\n"
