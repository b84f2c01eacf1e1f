"""``rapideval evaluate``: predictions against ground truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rapideval.cli.help import Option, Verb
from rapideval.cli.options import (
    INPUT,
    FormatName,
    answer_options,
    json_option,
    reading,
    reading_options,
    threads_option,
)
from rapideval.cli.protocol import PROTOCOL_OPTIONS, label_map, protocol_options, protocol_settings

if TYPE_CHECKING:
    from rapideval.errors import Problem
    from rapideval.metrics import Evaluation, LabelTable
    from rapideval.metrics.calibration import Reliability
    from rapideval.metrics.document import LabelPoint
    from rapideval.metrics.protocol import Task
    from rapideval.metrics.scoring import Engine

__all__ = ["command"]

JOINING = "Joining predictions to ground truth"
SHOWN_LABELS = 20


@click.command(
    "evaluate",
    cls=Verb,
    examples=(
        ("Boxes, by COCO's protocol", "rapideval evaluate truth.json predictions.json"),
        ("Recorded answers of an endpoint, masks", "rapideval evaluate truth.json answers/ --task instance"),
        (
            "Keep the evaluation, to compare other versions with it",
            "rapideval evaluate truth.json predictions.json --save v2.parquet",
        ),
        ("One number for a script", "rapideval evaluate truth.json predictions.json --json | jq .summary.AP50"),
        (
            "Labels of another name, and a guard that is let pass",
            "rapideval evaluate truth.json p.json --label-map Car=car --allow image-unknown",
        ),
    ),
)
@click.argument("ground_truth", metavar="GROUND_TRUTH", type=INPUT)
@click.argument("predictions", metavar="PREDICTIONS", type=INPUT)
@click.option(
    "--task",
    type=click.Choice(["detection", "instance", "semantic"]),
    default="detection",
    help="Compare boxes, masks of objects, or pixels.",
)
@click.option("--save", "target", metavar="FILE", help="Save the evaluation (Parquet), to compare it later.")
@click.option("--rows", type=click.IntRange(min=-1), default=SHOWN_LABELS, help="Labels to list; -1: all, 0: none.")
@click.option(
    "--score-threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    help="Operating point of precision, recall and F1; it bears on no AP or AR.",
)
@click.option("--operating-points", "points", is_flag=True, help="Show the threshold of best F1 of each label.")
@click.option(
    "--target-precision",
    type=click.FloatRange(0, 1, min_open=True),
    help="Show the lowest threshold of each label that reaches this precision.",
)
@click.option("--reliability", "calibration", is_flag=True, help="Show how score and precision go together, and ECE.")
@click.option(
    "--engine",
    type=click.Choice(["rapideval", "pycocotools"]),
    default="rapideval",
    help="Who counts; pycocotools: an audit by the reference, which tells any difference.",
)
@json_option
@threads_option
@click.option(
    "--ground-truth-format",
    type=FormatName(),
    cls=Option,
    section=JOINING,
    help="What GROUND_TRUTH is; found from its content.",
)
@click.option(
    "--from",
    "--payload",
    "predictions_format",
    type=FormatName(),
    cls=Option,
    section=JOINING,
    help="What PREDICTIONS are; found from their content.",
)
@click.option(
    "--join",
    type=click.Choice(["auto", "name", "tail", "id"]),
    default="auto",
    cls=Option,
    section=JOINING,
    help="What tells that two images are the same; tail: the last part of path or URL.",
)
@click.option(
    "--label-map",
    "renames",
    metavar="NAME=NAME|FILE",
    multiple=True,
    cls=Option,
    section=JOINING,
    help="Prediction label = ground-truth label, where they differ; repeatable, or a file.",
)
@click.option(
    "--allow",
    metavar="RULE",
    multiple=True,
    cls=Option,
    section=JOINING,
    help="Let a guard pass that would refuse; repeatable.",
)
@protocol_options
@reading_options
@answer_options
def command(
    ground_truth: str,
    predictions: str,
    task: Task,
    target: str | None,
    rows: int,
    score_threshold: float,
    points: bool,
    target_precision: float | None,
    calibration: bool,
    engine: Engine,
    as_json: bool,
    threads: int,
    ground_truth_format: str | None,
    predictions_format: str | None,
    join: Any,
    renames: tuple[str, ...],
    allow: tuple[str, ...],
    **options: Any,
) -> None:
    """Score predictions against ground truth.

    GROUND_TRUTH and PREDICTIONS are files of any format that is read; PREDICTIONS may be a recorded answer of an
    endpoint or a folder of answers, and one of the two may be - for the standard input.

    Images are joined by name or URL tail, labels by name, never by numbers that happen to agree. What would give a
    plausible wrong number is refused, with the place, a hint, and the rule's name for --allow.
    """
    from rapideval.loading import load
    from rapideval.metrics import evaluate

    if ground_truth == predictions == "-":
        raise click.UsageError("only one of GROUND_TRUTH and PREDICTIONS can be the standard input")
    fields = protocol_settings({name: options.pop(name) for name in PROTOCOL_OPTIONS})
    truth = load(ground_truth, ground_truth_format, extras=False).dataset
    found = load(predictions, predictions_format, ground_truth=truth, extras=False, **reading(options)).dataset
    evaluation = evaluate(
        truth, found, task, labels=label_map(renames), join=join, allow=allow, engine=engine, threads=threads, **fields
    )
    if target is not None:
        evaluation.save(target)
    read = (*truth.notes, *found.notes)
    asked = _Asked(points or target_precision is not None, target_precision, calibration)
    if as_json:
        _print_document(evaluation, read, asked)
    else:
        _print_text(evaluation, read, rows, score_threshold, asked)
        if target is not None:
            click.echo(f"\nsaved to {target}")
    if engine == "pycocotools":
        _audit(evaluation, threads)


class _Asked(NamedTuple):
    """What is to be told beside the scores."""

    points: bool
    target_precision: float | None
    calibration: bool

    def found(self, evaluation: Evaluation) -> tuple[list[LabelPoint] | None, Reliability | None]:
        """Operating points and reliability; UsageError where there are no detections to have them."""
        from rapideval.metrics import DetectionEvaluation

        if not self.points and not self.calibration:
            return None, None
        if not isinstance(evaluation, DetectionEvaluation):
            raise click.UsageError("operating points and reliability are of detections, not of pixels")
        from rapideval.judge.operating import label_points
        from rapideval.metrics.calibration import reliability

        points = label_points(evaluation, target_precision=self.target_precision) if self.points else None
        return points, reliability(evaluation.matches) if self.calibration else None


def _print_document(evaluation: Evaluation, read: tuple[Problem, ...], asked: _Asked) -> None:
    from rapideval.cli.output import print_json

    document = evaluation.document()
    document.operating_points, document.reliability = asked.found(evaluation)
    document.notes = [*read, *document.notes]
    print_json(document)


def _print_text(
    evaluation: Evaluation, read: tuple[Problem, ...], rows: int, score_threshold: float, asked: _Asked
) -> None:
    from rapideval.cli.output import page, print_notes
    from rapideval.report.evaluation import evaluation_text

    paper = page()
    click.echo(evaluation_text(evaluation, paper, _labels(evaluation, score_threshold) if rows else None, rows))
    print_notes([*read, *evaluation.notes], paper)
    points, calibration = asked.found(evaluation)
    if points is not None:
        from rapideval.report.points import points_text

        goal = "best F1" if asked.target_precision is None else f"precision {asked.target_precision:g} or more"
        click.echo("\n" + points_text(points, paper, f"{goal}, with 95 % intervals over images"))
    if calibration is not None:
        from rapideval.report.points import reliability_text

        click.echo("\n" + reliability_text(calibration, paper))


def _audit(evaluation: Evaluation, threads: int) -> None:
    """Say whether the reference counts the same; exit with 1 where it does not."""
    from rapideval.cli.output import announce
    from rapideval.metrics import DetectionEvaluation, accumulate

    assert isinstance(evaluation, DetectionEvaluation)
    theirs = evaluation.curves
    ours = accumulate(evaluation.matches, threads)
    different = [
        name
        for name in ("precision", "recall", "scores")
        if getattr(ours, name).tobytes() != getattr(theirs, name).tobytes()
    ]
    if different:
        announce(f"audit: {' and '.join(different)} of pycocotools differ from rapideval's")
        click.get_current_context().exit(1)
    announce("audit: precision, recall and scores of pycocotools are rapideval's, bit for bit")


def _labels(evaluation: Evaluation, score_threshold: float) -> LabelTable:
    from rapideval.metrics import DetectionEvaluation

    if isinstance(evaluation, DetectionEvaluation):
        return evaluation.per_label(score_threshold)
    return evaluation.label_table()
