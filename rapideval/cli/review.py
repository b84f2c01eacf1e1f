"""``rapideval review``: likely errors of the ground truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import INPUT, json_option, threads_option
from rapideval.cli.output import page, print_json

if TYPE_CHECKING:
    from rapideval.metrics.review import Review
    from rapideval.model import Dataset

__all__ = ["command"]

SHOWN = 20


@click.command(
    "review",
    cls=Verb,
    examples=(
        ("What one version's predictions speak against", "rapideval review holdout.json predictions.json"),
        (
            "What two versions agree on, for a labelling tool",
            "rapideval review holdout.json v1/ v2/ --task instance --out suspects.json --to coco",
        ),
        ("As a table", "rapideval review holdout.json predictions.json --out suspects.csv"),
    ),
)
@click.argument("ground_truth", metavar="GROUND_TRUTH", type=INPUT)
@click.argument("predictions", metavar="PREDICTIONS...", nargs=-1, required=True, type=INPUT)
@click.option(
    "--task", type=click.Choice(["detection", "instance"]), default="detection", help="Compare boxes, or masks."
)
@click.option("--min-score", type=click.FloatRange(0, 1), default=0.5, help="Detections below are no witnesses.")
@click.option("--limit", type=click.IntRange(min=1), help="Keep so many, the likeliest.  [default: all]")
@click.option("--out", metavar="FILE", help="Write all of them: .csv, or a format that --to names.")
@click.option("--to", "target_format", metavar="FORMAT", help="Format of FILE; found from its suffix.")
@threads_option
@json_option
def command(
    ground_truth: str,
    predictions: tuple[str, ...],
    task: str,
    min_score: float,
    limit: int | None,
    out: str | None,
    target_format: str | None,
    threads: int,
    as_json: bool,
) -> None:
    """List likely errors of the ground truth, for review.

    Confident detections where nothing is labelled, of another label than the object they lie on, or with little
    overlap; and objects on which no version sees anything. What several versions agree on comes first. This is an order
    in which to look, not a proof.
    """
    from rapideval.loading import load
    from rapideval.metrics.review import review
    from rapideval.report.review import review_text

    truth = load(ground_truth, extras=False).dataset
    found = [load(path, ground_truth=truth, extras=False).dataset for path in predictions]
    result = review(truth, found, task=task, min_score=min_score, limit=limit, threads=threads)  # type: ignore[arg-type]
    if out is not None:
        _write(result, truth, out, target_format)
    if as_json:
        print_json(result)
        return
    click.echo(review_text(result, page(), SHOWN))
    if out is not None:
        click.echo(f"\nwrote {out}")


def _write(result: Review, truth: Dataset, out: str, target_format: str | None) -> None:
    if target_format is None and Path(out).suffix.lower() == ".csv":
        from rapideval.formats import whole_file
        from rapideval.report.review import review_csv

        with whole_file(out) as file:
            file.write(review_csv(result).encode())
        return
    from rapideval.formats import write
    from rapideval.metrics.review import as_dataset

    write(as_dataset(result, truth), out, target_format)
