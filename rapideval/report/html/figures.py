"""Charts of a comparison. Each is one Altair specification: inline in the page, and as files for a pull request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from rapideval.report.charts import BASELINE, CANDIDATE, INK, LINE, SOFT, chart_svg, styled
from rapideval.report.text import clean

if TYPE_CHECKING:
    import altair as alt

    from rapideval.judge import Comparison
    from rapideval.metrics import DetectionEvaluation
    from rapideval.metrics.calibration import Reliability

__all__ = ["Chart", "causes_chart", "curve_chart", "differences_chart", "inline_svg", "reliability_chart"]

SHOWN_LABELS = 30
_POINTS = 120
_VERSIONS = ("baseline", "candidate")

# Inks of the charts, and what the page calls them; the page sets them for light and dark.
_VARIABLES = {INK: "--ink", SOFT: "--soft", LINE: "--line", BASELINE: "--baseline", CANDIDATE: "--candidate"}


class Chart(NamedTuple):
    """A chart, and its name in file names."""

    name: str
    title: str
    chart: alt.TopLevelMixin


def inline_svg(chart: alt.TopLevelMixin, label: str) -> str:
    """The chart as SVG whose inks are the page's, with a text in its place for those who do not see it."""
    from html import escape

    svg = chart_svg(chart)
    for ink, name in _VARIABLES.items():
        svg = svg.replace(f'"{ink}"', f'"var({name})"')
    svg = re.sub(r'\s(?:style|aria-[a-z]+|role)="[^"]*"', "", svg)  # the policy allows no inline style
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(clean(label))}" ', 1).replace(
        'class="marks"', 'class="chart"', 1
    )


def _colour(alt: Any) -> Any:
    scale = alt.Scale(domain=list(_VERSIONS), range=[BASELINE, CANDIDATE])
    return alt.Color("version:N", scale=scale, legend=alt.Legend(title=None, orient="top"))


def _dash(alt: Any) -> Any:
    return alt.StrokeDash("version:N", scale=alt.Scale(domain=list(_VERSIONS), range=[[5, 3], [1, 0]]), legend=None)


def differences_chart(comparison: Comparison, metric: str) -> Chart | None:
    """Differences of a metric by label with their intervals: the largest drops and rises."""
    import altair as alt

    rows = [
        one for one in comparison.differences if one.label is not None and one.metric == metric and one.slice is None
    ]
    rows = sorted((one for one in rows if one.difference == one.difference), key=lambda one: one.difference)
    if not rows:
        return None
    if len(rows) > SHOWN_LABELS:
        rows = rows[: SHOWN_LABELS // 2] + rows[-SHOWN_LABELS // 2 :]
    values = [
        {"label": clean(one.label or ""), "difference": one.difference, "low": one.low, "high": one.high}
        for one in rows
    ]
    base = alt.Chart(alt.InlineData(values=values)).encode(
        y=alt.Y("label:N", sort=[str(v["label"]) for v in values], title=None, axis=alt.Axis(labelLimit=160))
    )
    bars = base.mark_rule(color=CANDIDATE, strokeWidth=2.5).encode(
        x=alt.X("low:Q", title=f"{metric}: candidate − baseline"), x2="high:Q"
    )
    points = base.mark_point(color=CANDIDATE, filled=True, size=55, opacity=1).encode(x="difference:Q")
    zero = alt.Chart(alt.InlineData(values=[{"zero": 0}])).mark_rule(color=SOFT).encode(x="zero:Q")
    chart = styled((zero + bars + points).properties(width=440, height=max(60, 19 * len(values))))
    return Chart(f"differences-{metric}", f"{metric} by label, candidate − baseline", chart)


def curve_chart(versions: Sequence[DetectionEvaluation], label: str | None) -> Chart:
    """Precision over recall of both versions at the protocol's reference IoU."""
    import altair as alt

    values = []
    for name, evaluation in zip(_VERSIONS, versions, strict=True):
        known = label is None or label in evaluation.labels
        curve = evaluation.precision_recall(label).thinned(_POINTS) if known else None
        if curve is not None:
            values += [
                {"version": name, "recall": float(r), "precision": float(p)}
                for r, p in zip(curve.recall, curve.precision, strict=True)
                if np.isfinite(r) and np.isfinite(p)
            ]
    unit = alt.Scale(domain=[0, 1])
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(strokeWidth=2, interpolate="step-before")
        .encode(
            x=alt.X("recall:Q", scale=unit, axis=alt.Axis(labelFlush=False)),
            y=alt.Y("precision:Q", scale=unit),
            color=_colour(alt),
            strokeDash=_dash(alt),
            order="recall:Q",
        )
    )
    name = "all labels" if label is None else clean(label)
    iou = versions[0].protocol.reference_iou
    made = styled(chart.properties(width=400, height=260))
    return Chart("precision-recall", f"Precision and recall of {name}, IoU {iou:g}", made)


def reliability_chart(tables: dict[str, Reliability]) -> Chart:
    """Precision over mean score, bin by bin; on the line they agree."""
    import altair as alt

    values = [
        {"version": name, "score": one.score, "precision": one.precision, "low": one.precision_low,
         "high": one.precision_high}
        for name, table in tables.items()
        for one in table.bins
        if one.count
    ]  # fmt: skip
    unit = alt.Scale(domain=[0, 1])
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X("score:Q", scale=unit, title="mean score", axis=alt.Axis(labelFlush=False))
    )
    spread = base.mark_rule(strokeWidth=1.5).encode(
        y=alt.Y("low:Q", scale=unit, title="precision"), y2="high:Q", color=_colour(alt)
    )
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        y="precision:Q",
        color=_colour(alt),
        shape=alt.Shape("version:N", scale=alt.Scale(domain=list(_VERSIONS), range=["circle", "square"]), legend=None),
    )
    ends = alt.InlineData(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    line = alt.Chart(ends).mark_line(color=SOFT, strokeDash=[3, 3], strokeWidth=1).encode(x="x:Q", y="y:Q")
    return Chart(
        "reliability", "Score and precision; dashed: where they agree",
        styled((line + spread + points).properties(width=320, height=260)),
    )  # fmt: skip


def causes_chart(costs: dict[str, dict[str, float]]) -> Chart:
    """What AP each cause of errors costs, of both versions."""
    import altair as alt

    names = ("label", "localisation", "both", "duplicate", "background", "missed")
    values = [
        {"version": version, "cause": cause, "cost": cost[cause]} for version, cost in costs.items() for cause in names
    ]
    chart = (
        alt.Chart(alt.InlineData(values=values))
        .mark_bar()
        .encode(
            x=alt.X("cost:Q", title="AP that it costs", axis=alt.Axis(tickCount=6)),
            y=alt.Y("cause:N", sort=list(names), title=None),
            yOffset=alt.YOffset("version:N", sort=list(_VERSIONS)),
            color=_colour(alt),
        )
    )
    return Chart("causes", "Causes of errors, and what AP each costs", styled(chart.properties(width=400, height=230)))
