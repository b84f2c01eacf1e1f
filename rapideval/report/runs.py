"""A history of runs as tables and charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rapideval.errors import InputError, Problem
from rapideval.report.text import Cell, Column, Page, clean, number

if TYPE_CHECKING:
    import altair as alt

    from rapideval.judge.history import Run

__all__ = ["check_plotted", "plot_chart", "plot_text", "run_text", "runs_text"]

_FIRST = ("AP", "AP50", "AR100", "mIoU", "mDice", "pixel accuracy")
_BAR = 32


def runs_text(runs: Sequence[Run], page: Page, source: str) -> str:
    """A table of runs with their first numbers."""
    metrics = [name for name in _FIRST if any(name in run.summary for run in runs)]
    columns = [
        Column("run", "<", keep=9),
        Column("added", "<", keep=1),
        Column("task", "<", keep=2),
        Column("images", keep=1),
        *(Column(name, keep=8) for name in metrics),
        Column("note", "<", True),
    ]
    rows = [
        (
            clean(run.name),
            run.added.replace("T", " ")[:16],
            run.task,
            f"{run.images:,}",
            *(number(run.summary.get(name)) if name in run.summary else "" for name in metrics),
            clean(run.note),
        )
        for run in runs
    ]
    return page.heading("Runs", source) + "\n" + page.table(columns, rows)


def run_text(run: Run, page: Page) -> str:
    """All that is kept of a run."""
    about = [
        ("task", run.task),
        ("images", f"{run.images:,}"),
        ("evaluation", run.path),
        ("note", clean(run.note) or "–"),
    ]
    numbers = [(name, number(value)) for name, value in run.summary.items()]
    parts = [page.heading(clean(run.name), f"added {run.added}"), page.pairs(about), "", page.pairs(numbers), ""]
    return "\n".join([*parts, page.pairs(list(run.fingerprints.items()))])


def check_plotted(runs: Sequence[Run], metric: str, source: str) -> list[Run]:
    """The runs that have a metric; InputError with the nearest names where none has."""
    found = [run for run in runs if metric in run.summary]
    if not found:
        from rapideval.judge.policy import nearest

        known = list(dict.fromkeys(name for run in runs for name in run.summary))
        what = f"no run with {metric!r}" if runs else "no runs"
        raise InputError(Problem("metric-unknown", source, what, "a metric of the runs", nearest(metric, known)))
    return found


def plot_text(runs: Sequence[Run], metric: str, page: Page) -> str:
    """A metric over the runs, as bars on a scale from 0."""
    most = max((run.summary[metric] or 0.0 for run in runs), default=0.0) or 1.0
    rows: list[tuple[Cell, ...]] = []
    before: float | None = None
    for run in runs:
        value = run.summary[metric]
        bar = "" if value is None else ("█" if page.unicode else "#") * max(round(_BAR * value / most), 0)
        change = "" if value is None or before is None else f"{value - before:+.3f}".replace("-", "−")
        rows.append((clean(run.name), number(value), change, (bar, "accent")))
        before = value if value is not None else before
    columns = [Column("run", "<", keep=3), Column(metric, keep=4), Column("change", keep=2), Column("", "<")]
    return page.heading(metric, "over the runs, oldest first") + "\n" + page.table(columns, rows)


def plot_chart(runs: Sequence[Run], metric: str) -> alt.TopLevelMixin:
    """A metric over the runs as a line."""
    import altair as alt

    from rapideval.report.charts import CANDIDATE, styled

    order = [run.name for run in runs]
    values = [{"run": run.name, "value": run.summary[metric]} for run in runs]
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X("run:N", sort=order, title=None, axis=alt.Axis(labelAngle=-30)),
        y=alt.Y("value:Q", title=metric, scale=alt.Scale(zero=False)),
    )
    line = base.mark_line(color=CANDIDATE, strokeWidth=2) + base.mark_point(color=CANDIDATE, filled=True, size=60)
    text = base.mark_text(dy=-12, fontSize=11).encode(text=alt.Text("value:Q", format=".3f"))
    return styled((line + text).properties(width=max(240, 56 * len(runs)), height=220))
