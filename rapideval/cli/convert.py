"""``rapideval convert``: from any format or answer to any format, losing nothing in silence."""

from __future__ import annotations

from typing import Any

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import INPUT, answer_options, json_option, reading_options
from rapideval.cli.sources import Reading, source_options
from rapideval.cli.writing import EXIT_CODES, Delivery, Writing, writing_options

__all__ = ["command"]


@click.command(
    "convert",
    cls=Verb,
    examples=(
        ("Recorded answers as COCO results", "rapideval convert answers/ results.json --to coco-results"),
        ("COCO masks as JSON lines of run lengths", "rapideval convert truth.json masks.jsonl"),
        (
            "COCO results, whose numbers the ground truth explains, as a COCO dataset",
            "rapideval convert results.json predictions.json --to coco --ground-truth truth.json",
        ),
        (
            "A YOLO folder, with the image files, whose sizes are read from their heads",
            "rapideval convert answers/ dataset/ --to yolo --image-folder photographs/ --images link",
        ),
        ("In a script: refuse to lose anything", "rapideval convert a.json b.jsonl --fail-on-loss --report loss.json"),
    ),
    exit_codes=EXIT_CODES,
)
@click.argument("source", metavar="SRC", type=INPUT)
@click.argument("target", metavar="DST", type=INPUT)
@source_options
@writing_options
@reading_options
@json_option
@answer_options
@click.pass_context
def command(ctx: click.Context, /, source: str, target: str, **options: Any) -> None:
    """Convert a file or answers to another format.

    SRC is a file of any format that is read, a recorded answer, a folder of answers, or - for the standard input; DST a
    file, or - for the standard output. What the target cannot hold is counted by kind and printed before anything is
    written. Files are written whole or not at all. Formats: rapideval formats.
    """
    from rapideval.cli.documents import Conversion

    writing = Writing.of(target, options)
    opened = Reading(writing, options).open(source)
    delivery = Delivery(writing, [(target, opened.dataset)], opened.found)
    opened.show(writing)
    delivery.show()
    delivery.write()
    delivery.close(ctx, Conversion.of(opened, delivery, writing))
