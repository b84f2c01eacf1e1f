"""``rapideval convert``: from any format or answer to any format, losing nothing in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import (
    INPUT,
    FormatName,
    Setting,
    answer_options,
    given,
    json_option,
    reading,
    reading_options,
)
from rapideval.cli.output import announce, error_page, page, print_json, print_notes

if TYPE_CHECKING:
    from rapideval.cli.documents import Conversion
    from rapideval.report.text import Page

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
        ("In a script: refuse to lose anything", "rapideval convert a.json b.jsonl --fail-on-loss --report loss.json"),
    ),
    exit_codes=(
        (0, "converted"),
        (1, "something would be lost (--fail-on-loss): nothing was written"),
        (2, "wrong usage, or an input that cannot be read or trusted"),
    ),
)
@click.argument("source", metavar="SRC", type=INPUT)
@click.argument("target", metavar="DST", type=INPUT)
@click.option("--from", "--payload", "source_format", type=FormatName(), help="What SRC is; found from its content.")
@click.option("--to", "target_format", type=FormatName(written=True), help="What DST is to be; found from its suffix.")
@click.option("--ground-truth", metavar="FILE", help="What the numbers of SRC refer to: images and labels.")
@click.option(
    "--outline-iou",
    type=click.FloatRange(0, 1, min_open=True),
    help="Simplify outlines as far as their mask keeps this IoU; exact where not given.",
)
@click.option("--fail-on-loss", is_flag=True, help="Write nothing where something would be lost.")
@click.option("--report", metavar="FILE", help="Write what is lost and what was noted as JSON.")
@click.option("--write", "writing", multiple=True, type=Setting(), help="An option of the format to write; repeatable.")
@reading_options
@json_option
@answer_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    source: str,
    target: str,
    source_format: str | None,
    target_format: str | None,
    ground_truth: str | None,
    outline_iou: float | None,
    fail_on_loss: bool,
    report: str | None,
    writing: tuple[tuple[str, Any], ...],
    as_json: bool,
    **options: Any,
) -> None:
    """Convert a file or answers to another format.

    SRC is a file of any format that is read, a recorded answer, a folder of answers, or - for the standard input; DST a
    file, or - for the standard output. What the target cannot hold is counted by kind and printed before anything is
    written. Files are written whole or not at all. Formats: rapideval formats.
    """
    from rapideval.cli.documents import Conversion
    from rapideval.formats import by_suffix, get, losses, write
    from rapideval.loading import load

    if target == "-" and as_json:
        raise click.UsageError("--json prints to the standard output, where DST is: give --report FILE instead")
    writer = get(target_format) if target_format else by_suffix(target)
    settings = dict(writing) | given({"outline_iou": outline_iou})
    truth = load(ground_truth).dataset if ground_truth else None
    loaded = load(source, source_format, ground_truth=truth, **reading(options))
    lost = losses(loaded.dataset, writer.name, **settings)
    refused = bool(lost) and fail_on_loss
    document = Conversion.of(loaded, source, target, writer.name, list(lost), written=not refused)
    paper = error_page() if target == "-" else page()
    if not as_json:
        _print(document, loaded.source.title, writer.title, paper)
    if not refused:
        write(loaded.dataset, target, writer.name, **settings)
    if report:
        _write_report(document, report)
    if as_json:
        print_json(document)
    elif refused:
        announce(error_page().mark("error:", "error") + f" {target} was not written: something would be lost")
    else:
        click.echo(f"\nwrote {target}", err=target == "-")
    if refused:
        ctx.exit(1)


def _print(document: Conversion, source_title: str, target_title: str, paper: Page) -> None:
    to_stderr = document.target == "-"
    counts = document.counts
    found = f"{counts.images:,} images, {counts.labels:,} labels, {counts.annotations:,} annotations"
    click.echo(paper.heading(document.source, source_title), err=to_stderr)
    click.echo(f"  {found}", err=to_stderr)
    print_notes(document.notes, paper, err=to_stderr)
    click.echo(err=to_stderr)
    click.echo(paper.heading(document.target, target_title), err=to_stderr)
    if not document.losses:
        click.echo("  " + paper.mark("nothing is lost", "good"), err=to_stderr)
        return
    click.echo("  " + paper.mark("lost, as this format cannot hold it:", "warning"), err=to_stderr)
    click.echo(paper.pairs([(loss.kind, loss.text) for loss in document.losses], indent=4), err=to_stderr)


def _write_report(document: Conversion, path: str) -> None:
    import msgspec

    from rapideval.formats import whole_file

    with whole_file(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
