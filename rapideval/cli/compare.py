"""``rapideval compare``: two versions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rapideval.cli.evaluations import attributes_option, load_pair, page_options, pair_options, write_page
from rapideval.cli.help import Verb
from rapideval.cli.options import json_option, threads_option
from rapideval.cli.output import page, print_json

if TYPE_CHECKING:
    from rapideval.metrics.protocol import Task

__all__ = ["command"]


@click.command(
    "compare",
    cls=Verb,
    examples=(
        (
            "Evaluate two versions and compare them",
            """
            rapideval evaluate holdout.json v1.json --save v1.parquet
            rapideval evaluate holdout.json v2.json --save v2.parquet
            rapideval compare v1.parquet v2.parquet
            """,
        ),
        (
            "On small objects and at night too",
            "rapideval compare v1.parquet v2.parquet --slice size:small --slice light:night --attributes images.csv",
        ),
        ("As a table for a pull request", "rapideval compare v1.parquet v2.parquet --markdown > comment.md"),
    ),
)
@click.argument("baseline")
@click.argument("candidate")
@pair_options
@click.option("--metric", "metrics", multiple=True, help="Only these metrics over all labels (default: all).")
@click.option("--label-metric", "label_metrics", multiple=True, help="Metrics of each label (default: AP, or IoU).")
@click.option("--slice", "slices", multiple=True, help="Measure these parts of the holdout too, such as size:small.")
@attributes_option
@click.option("--draws", type=click.IntRange(200, 1_000_000), default=1000, help="Draws of the images.")
@click.option("--seed", type=click.IntRange(min=0), default=0, help="Of the draws: the same seed, the same result.")
@click.option("--level", type=click.FloatRange(0.5, 1.0, max_open=True), default=0.95, help="Level of the intervals.")
@click.option("--family", type=click.Choice(["holm", "bh", "none"]), default="holm", help="Correction over labels.")
@click.option("--score", type=click.FloatRange(0, 1), default=0.5, help="From which detections count in image changes.")
@page_options
@threads_option
@click.option("--markdown", is_flag=True, help="Print Markdown.")
@json_option
def command(
    baseline: str,
    candidate: str,
    runs: str | None,
    ground_truth: str | None,
    task: Task,
    metrics: tuple[str, ...],
    label_metrics: tuple[str, ...],
    slices: tuple[str, ...],
    attributes: str | None,
    draws: int,
    seed: int,
    level: float,
    family: str,
    score: float,
    html: str | None,
    images: str | None,
    charts: str | None,
    threads: int,
    markdown: bool,
    as_json: bool,
) -> None:
    """Compare two versions on one holdout.

    BASELINE and CANDIDATE are evaluations of one holdout: files as `rapideval evaluate --save` writes them, names of
    runs (`rapideval runs`), or, with --ground-truth, predictions or answers. Differences come with intervals from a
    paired bootstrap of the images and with p-values from a paired permutation test.
    """
    from rapideval.judge import compare, read_attributes
    from rapideval.report.verdicts import chart_images, comparison_markdown, comparison_text

    pair = load_pair(baseline, candidate, runs=runs, ground_truth=ground_truth, task=task, threads=threads)
    before, after = pair.baseline, pair.candidate
    result = compare(
        before,
        after,
        metrics=metrics or None,
        label_metrics=label_metrics or None,
        slices=slices,
        attributes=read_attributes(attributes, before.images) if attributes else None,
        level=level,
        draws=draws,
        seed=seed,
        family=family,  # type: ignore[arg-type]
        score=score,
        threads=threads,
    )
    written = write_page(pair, result, None, html, images, charts, score)
    if as_json:
        print_json(result)
    elif markdown:
        click.echo(comparison_markdown(result, chart_images(written)), nl=False)
    else:
        click.echo(comparison_text(result, page()))
        if result.points:
            from rapideval.report.points import point_changes_text

            click.echo("\n" + point_changes_text(result.points, page()))
        if written:
            click.echo("\nwrote " + ", ".join(written))
