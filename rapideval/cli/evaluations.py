"""Finding two evaluations for the verbs that compare: saved files, names of a history, or predictions scored here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from rapideval.cli.help import Option

if TYPE_CHECKING:
    from rapideval.judge import Comparison, GateResult
    from rapideval.metrics import Evaluation
    from rapideval.metrics.protocol import Task
    from rapideval.model import Dataset

__all__ = ["Pair", "attributes_option", "load_pair", "page_options", "pair_options", "runs_option", "write_page"]

F = TypeVar("F", bound=Callable[..., Any])

FRESH = "Where they are predictions"


class Pair(NamedTuple):
    """Two evaluations, and the datasets behind them where they were scored here."""

    baseline: Evaluation
    candidate: Evaluation
    ground_truth: Dataset | None = None
    predictions: tuple[Dataset | None, Dataset | None] = (None, None)


def load_pair(
    baseline: str,
    candidate: str,
    *,
    runs: str | None = None,
    ground_truth: str | None = None,
    task: Task = "detection",
    threads: int = 0,
) -> Pair:
    """Two evaluations by what they are called: the file of a saved one, predictions, or a run of the history."""
    truth = None
    if ground_truth:
        from rapideval.loading import load

        truth = load(ground_truth, extras=False).dataset
    before, found_before = _evaluation(baseline, runs, truth, task, threads)
    after, found_after = _evaluation(candidate, runs, truth, task, threads)
    return Pair(before, after, truth, (found_before, found_after))


def _evaluation(
    name: str, runs: str | None, truth: Dataset | None, task: Task, threads: int
) -> tuple[Evaluation, Dataset | None]:
    from rapideval.metrics import Evaluation, evaluate

    path = Path(name)
    if path.is_file() and _is_parquet(path):
        return Evaluation.load(path), None
    if path.exists():
        if truth is None:
            raise click.UsageError(
                f"{name} is no saved evaluation: save one (rapideval evaluate --save FILE), or give --ground-truth, if "
                "these are predictions"
            )
        from rapideval.loading import load

        found = load(name, ground_truth=truth, extras=False).dataset
        return evaluate(truth, found, task, threads=threads), found
    from rapideval.judge.history import History, history_file

    with History(history_file(runs)) as history:
        if not history.path.exists():
            raise click.UsageError(f"{name}: no such file, and there is no history of runs ({history.path})")
        return history.load(name), None


def _is_parquet(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def runs_option(function: F) -> F:
    """``--runs FILE``: the history of runs."""
    return click.option(
        "--runs",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="The history of runs.  [default: $RAPIDEVAL_RUNS, or .rapideval/runs.sqlite]",
    )(function)


def pair_options(function: F) -> F:
    """Options of what is compared."""
    options = [
        runs_option,
        click.option("--ground-truth", metavar="FILE", cls=Option, section=FRESH, help="What they are predictions of."),
        click.option(
            "--task",
            type=click.Choice(["detection", "instance", "semantic"]),
            default="detection",
            cls=Option,
            section=FRESH,
            help="Compare boxes, masks of objects, or pixels.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


REPORT = "A page of all of it (extra report)"


def page_options(function: F) -> F:
    """Options of the HTML page and of charts as files."""
    options = [
        click.option("--html", metavar="FILE", cls=Option, section=REPORT, help="Write a page, complete in itself."),
        click.option(
            "--images",
            metavar="FOLDER|LIST",
            type=click.Path(exists=True),
            cls=Option,
            section=REPORT,
            help="Photographs to draw regressions over: a folder, or a file of URLs, which are linked to only.",
        ),
        click.option(
            "--charts", metavar="FOLDER", cls=Option, section=REPORT, help="Write the charts as SVG, for Markdown."
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def write_page(
    pair: Pair,
    comparison: Comparison,
    gate: GateResult | None,
    html: str | None,
    images: str | None,
    charts: str | None,
    score: float = 0.5,
) -> list[str]:
    """Write what was asked for: the page, the charts; paths of what was written.

    Detections of at least `score` count in pictures and confusion, as they do in the comparison's changes by image.
    """
    if html is None and charts is None:
        return []
    from rapideval.formats import whole_file
    from rapideval.report.charts import save_chart
    from rapideval.report.html import Evidence, Photographs, charts_of, report_page

    evidence = Evidence(comparison, pair.baseline, pair.candidate, gate, Photographs.of(images), score)
    written = []
    if html is not None:
        content = report_page(evidence, "Baseline and candidate" if gate is None else "Gate before production")
        with whole_file(html) as file:
            file.write(content.encode())
        written.append(html)
    if charts is not None:
        Path(charts).mkdir(parents=True, exist_ok=True)
        for chart in charts_of(evidence):
            path = Path(charts) / f"{chart.name}.svg"
            save_chart(chart.chart, path)
            written.append(str(path))
    return written


def attributes_option(function: F) -> F:
    """``--attributes FILE``: columns of image attributes."""
    return click.option(
        "--attributes",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Attributes of images for slices such as light:night: CSV or JSON with a column 'image'.",
    )(function)
