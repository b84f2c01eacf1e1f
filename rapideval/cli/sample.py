"""``rapideval sample``: some images, drawn at random."""

from __future__ import annotations

import re
from typing import Any

import click

from rapideval.cli.dividing import Dividing, dividing_options
from rapideval.cli.help import Verb
from rapideval.cli.options import INPUT, answer_options, json_option, reading_options
from rapideval.cli.sources import Reading, source_options
from rapideval.cli.writing import EXIT_CODES, Delivery, Writing, kept_of, writing_options

__all__ = ["command"]


@click.command(
    "sample",
    cls=Verb,
    examples=(
        ("A hundred images to look at", "rapideval sample truth.json few.json --count 100"),
        ("A tenth, whole videos only", "rapideval sample truth.json few.json --count 10% --group '^(.*)_'"),
        (
            "With their files",
            "rapideval sample truth.json few/ --to yolo --count 50 --images copy",
        ),
    ),
    exit_codes=EXIT_CODES,
)
@click.argument("source", metavar="SRC", type=INPUT)
@click.argument("target", metavar="DST", type=INPUT)
@click.option("--count", metavar="N|P%", required=True, help="How many images, or which percentage of them.")
@dividing_options
@source_options
@writing_options
@reading_options
@json_option
@answer_options
@click.pass_context
def command(ctx: click.Context, /, source: str, target: str, count: str, **options: Any) -> None:
    """Draw images at random.

    They come with all of their annotations. Labels have their share in them, the rarest first, unless --by none; the
    same seed draws the same images. With groups about as many images are drawn, as groups are not divided.
    """
    from rapideval.cli.documents import Amounts, Selection

    amount = _amount(count)
    dividing = Dividing.of(options)
    writing = Writing.of(target, options, like=source)
    opened = Reading(writing, options).open(source)
    data = opened.dataset
    number = amount if isinstance(amount, int) else max(round(amount * len(data.images)), 1)
    groups = dividing.groups(data)
    drawn = data.sample(number, seed=dividing.seed, stratify=dividing.stratify, groups=groups)
    delivery = Delivery(writing, [(target, drawn)], opened.found)
    opened.show(writing)
    delivery.show(kept_of(drawn, data))
    delivery.write()
    delivery.close(ctx, Selection.of(opened, delivery, writing, found=Amounts.of(data)))


def _amount(text: str) -> int | float:
    """A number of images, or a share of them."""
    match = re.fullmatch(r"([0-9]+)|([0-9]+(?:\.[0-9]+)?)%", text.strip())
    if match is None or (match[2] and not 0 < float(match[2]) <= 100):
        raise click.UsageError(
            f"--count {text!r}: expected a number of images, such as 100, or a percentage, such as 10%"
        )
    return int(match[1]) if match[1] else float(match[2]) / 100
