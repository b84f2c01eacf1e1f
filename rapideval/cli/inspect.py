"""``rapideval inspect``: what a file or folder is, and what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import INPUT, FormatName, answer_options, json_option, reading, reading_options
from rapideval.cli.output import page, print_json, print_notes

if TYPE_CHECKING:
    from rapideval.report.inspection import Inspection, Spread
    from rapideval.report.text import Page

__all__ = ["command"]

SHOWN_LABELS = 20


@click.command(
    "inspect",
    cls=Verb,
    examples=(
        ("What is this file, and what is in it?", "rapideval inspect predictions.json"),
        ("A folder of recorded answers", "rapideval inspect answers/"),
        ("The score distribution, for a script", "rapideval inspect predictions.json --json | jq .scores.histogram"),
    ),
)
@click.argument("source", metavar="FILE", type=INPUT)
@click.option("--from", "--payload", "source_format", type=FormatName(), help="What it is; found from the content.")
@click.option("--rows", type=click.IntRange(min=-1), default=SHOWN_LABELS, help="Labels to list; -1: all.")
@reading_options
@json_option
@answer_options
def command(source: str, source_format: str | None, rows: int, as_json: bool, **options: Any) -> None:
    """Say what a file or folder is, and what it holds.

    FILE is a file of any format that is read, a recorded answer of an endpoint, a folder of answers, or - for the
    standard input. Shown are counts, labels, sizes, the distribution of scores, what was mended or derived in reading,
    and what is suspicious. To check a file in a script, use rapideval validate.
    """
    from rapideval.loading import load
    from rapideval.report.inspection import inspect_loaded

    seen = inspect_loaded(load(source, source_format, **reading(options)), source)
    if as_json:
        print_json(seen)
        return
    _print(seen, page(), rows)


def _print(seen: Inspection, paper: Page, rows: int) -> None:
    click.echo(paper.heading(seen.source, seen.title))
    facts = [("why", seen.reason), *_facts(seen)]
    click.echo(paper.pairs(facts))
    if seen.scores is not None:
        click.echo()
        click.echo(_scores(seen, paper))
    if seen.labels and rows:
        click.echo()
        click.echo(_labels(seen, paper, rows))
    print_notes(seen.problems, paper)


def _facts(seen: Inspection) -> list[tuple[str, str]]:
    counts = seen.counts
    kind = "predictions" if seen.predictions else "annotations"
    parts = [
        f"{count:,} {name}"
        for name, count in (
            ("boxes", counts.boxes),
            ("masks", counts.masks),
            ("outlines", counts.outlines),
            ("crowds", counts.crowds),
        )
        if count
    ]
    facts = [
        ("images", _with(f"{counts.images:,}", (counts.images_without_annotations, f"without {kind}"))),
        ("labels", _with(f"{counts.labels:,}", (counts.labels_without_annotations, f"without {kind}"))),
        (kind, f"{counts.annotations:,}" + (f": {', '.join(parts)}" if parts else "")),
    ]
    if seen.heights is not None and seen.widths is not None:
        unknown = (counts.images_of_unknown_size, "unknown")
        facts.insert(1, ("sizes", _with(f"width {_range(seen.widths)}, height {_range(seen.heights)}", unknown)))
    elif counts.images:
        facts.insert(1, ("sizes", "unknown"))
    if seen.tasks is not None and seen.tasks != type(seen.tasks)(finished=1):
        named = ((getattr(seen.tasks, name), name) for name in seen.tasks.__struct_fields__)
        facts.insert(0, ("tasks", ", ".join(f"{count:,} {name}" for count, name in named if count)))
    if counts.annotations:
        assert seen.annotations_per_image is not None
        spread = seen.annotations_per_image
        facts.append(("per image", f"{_range(spread)}, median {spread.median:g}"))
        facts.append(("by area", ", ".join(f"{count:,} {name}" for name, count in seen.areas.items())))
    return facts


def _with(text: str, *parts: tuple[int, str]) -> str:
    rest = ", ".join(f"{count:,} {what}" for count, what in parts if count)
    return f"{text} ({rest})" if rest else text


def _range(spread: Spread) -> str:
    return f"{spread.least:,.0f}" if spread.least == spread.most else f"{spread.least:,.0f}–{spread.most:,.0f}"


def _scores(seen: Inspection, paper: Page) -> str:
    from rapideval.report.text import spark

    scores = seen.scores
    assert scores is not None
    lines = [paper.heading("Scores")]
    bars = spark(scores.histogram)
    if paper.unicode:
        lines.append(f"  0 {paper.mark(bars, 'accent')} 1")
    values = [
        ("range", f"{scores.least:.3f}–{scores.most:.3f}, median {scores.median:.3f}"),
        ("from 0.5", f"{scores.at_least_half:,} of {seen.counts.annotations:,}"),
    ]
    if scores.distinct < seen.counts.annotations:
        values.append(("distinct", f"{scores.distinct:,}: predictions of one score have no order among them"))
    lines.append(paper.pairs(values))
    return "\n".join(lines)


def _labels(seen: Inspection, paper: Page, rows: int) -> str:
    from rapideval.report.text import Column, number

    kind = "predictions" if seen.predictions else "annotations"
    listed = sorted(seen.labels, key=lambda row: -row.annotations)
    shown = listed if rows < 0 else listed[:rows]
    columns = [Column("label", "<", shrink=True, keep=9), Column(kind, keep=8), Column("images", keep=3)]
    columns += [Column("median area", keep=2)]
    if seen.predictions:
        columns.append(Column("median score", keep=4))
    table = []
    for row in shown:
        cells = [row.label, f"{row.annotations:,}", f"{row.images:,}", number(row.median_area, 0)]
        table.append([*cells, number(row.median_score)] if seen.predictions else cells)
    text = paper.table(columns, table)
    if len(shown) < len(listed):
        more = f"{len(listed) - len(shown):,} more labels: --rows -1 shows all"
        text += "\n  " + paper.mark(paper.plain(f"… {more}"), "dim")
    return text
