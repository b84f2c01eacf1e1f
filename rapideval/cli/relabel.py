"""``rapideval relabel``: labels renamed, joined and dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import INPUT, answer_options, json_option, reading_options
from rapideval.cli.patterns import chosen_names, is_pattern
from rapideval.cli.sources import Reading, source_options
from rapideval.cli.writing import EXIT_CODES, Delivery, Writing, kept_of, writing_options

if TYPE_CHECKING:
    from rapideval.cli.documents import DroppedLabel, RenamedLabel
    from rapideval.model import Dataset
    from rapideval.report.text import Page

__all__ = ["command"]

_SHOWN = 8


@click.command(
    "relabel",
    cls=Verb,
    examples=(
        ("Two labels as one", "rapideval relabel truth.json out.json --map car=vehicle --map truck=vehicle"),
        (
            "All that begin so, without a few",
            "rapideval relabel a.json b.json --map 'car_*=car' --drop 'tmp*'",
        ),
        (
            "Only what is mapped, by a file of lines OLD=NEW",
            "rapideval relabel a.json b.json --map names.txt --drop '*'",
        ),
    ),
    exit_codes=EXIT_CODES,
)
@click.argument("source", metavar="SRC", type=INPUT)
@click.argument("target", metavar="DST", type=INPUT)
@click.option(
    "--map",
    "maps",
    multiple=True,
    metavar="OLD=NEW|FILE",
    help="New name of a label, or of all that a pattern (*, ?, [ab]) fits; or a file of such lines, or of a JSON object"
    " from old to new names. Repeatable.",
)
@click.option(
    "--drop",
    "drops",
    multiple=True,
    metavar="GLOB",
    help="Labels to leave out, with their annotations; a pattern drops none that --map names. Repeatable.",
)
@source_options
@writing_options
@reading_options
@json_option
@answer_options
@click.pass_context
def command(
    ctx: click.Context, /, source: str, target: str, maps: tuple[str, ...], drops: tuple[str, ...], **options: Any
) -> None:
    """Rename, join and drop labels.

    Labels that are given one name become one, which keeps the number and place of the first. Every image stays. A
    label that is named and does not occur is an error.
    """
    from rapideval.cli.documents import Amounts, Relabelling

    if not maps and not drops:
        raise click.UsageError("nothing to do: give --map OLD=NEW or --drop GLOB")
    writing = Writing.of(target, options, like=source)
    opened = Reading(writing, options).open(source)
    data = opened.dataset
    names = _new_names(data.labels.names, maps)
    gone = _dropped(data.labels.names, drops, names)
    kept = data.take_labels([name for name in data.labels.names if name not in gone]).relabel(names)
    labels, dropped = _labels(data, kept, names, gone)
    delivery = Delivery(writing, [(target, kept)], opened.found)
    opened.show(writing)
    if not writing.as_json:
        _print(writing, labels, dropped, writing.paper)
    delivery.show(kept_of(kept, data))
    delivery.write()
    found = Amounts.of(data)
    delivery.close(ctx, Relabelling.of(opened, delivery, writing, found=found, labels=labels, dropped=dropped))


def _new_names(there: tuple[str, ...], maps: tuple[str, ...]) -> dict[str, str]:
    """New name of each label that has one."""
    from rapideval.cli.lists import name_pairs

    names: dict[str, str] = {}
    plain: set[str] = set()
    for value in maps:
        for old, new in name_pairs(value, "--map").items():
            exact = old in there or not is_pattern(old)
            for name in chosen_names(there, [old], "--map", what="label"):
                if name in plain and not exact:
                    continue  # what is named counts before what a pattern fits
                if names.get(name, new) != new and (name in plain) == exact:
                    raise click.UsageError(f"--map: {name!r} is mapped to {names[name]!r} and to {new!r}")
                names[name] = new
                plain |= {name} if exact else set()
    return names


def _dropped(there: tuple[str, ...], drops: tuple[str, ...], names: Mapping[str, str]) -> set[str]:
    gone: set[str] = set()
    for pattern in drops:
        chosen = chosen_names(there, [pattern], "--drop", what="label")
        if pattern in names and pattern in chosen:
            raise click.UsageError(f"--drop {pattern!r}: --map names it {names[pattern]!r}")
        gone |= chosen - names.keys()
    return gone


def _labels(
    data: Dataset, kept: Dataset, names: Mapping[str, str], gone: set[str]
) -> tuple[list[RenamedLabel], list[DroppedLabel]]:
    import numpy as np

    from rapideval.cli.documents import DroppedLabel, RenamedLabel

    old = np.bincount(data.annotations.label, minlength=len(data.labels)).tolist()
    new = np.bincount(kept.annotations.label, minlength=len(kept.labels)).tolist()
    before: dict[str, list[str]] = {}
    for name in data.labels.names:
        if name not in gone:
            before.setdefault(names.get(name, name), []).append(name)
    labels = [RenamedLabel(name, before[name], count) for name, count in zip(kept.labels.names, new, strict=True)]
    dropped = [DroppedLabel(name, n) for name, n in zip(data.labels.names, old, strict=True) if name in gone]
    return labels, dropped


def _print(writing: Writing, labels: list[RenamedLabel], dropped: list[DroppedLabel], paper: Page) -> None:
    from rapideval.formats.capabilities import plural
    from rapideval.report.text import Column, clean

    changed = [label for label in labels if label.names_before != [label.name]]
    if changed:
        columns = [Column("label", "<", shrink=True, keep=9), Column("was", "<", shrink=True), Column("annotations")]
        rows = [[clean(one.name), clean(", ".join(one.names_before)), f"{one.annotations:,}"] for one in changed]
        writing.echo(paper.table(columns, rows))
    if len(changed) < len(labels):
        writing.echo(f"  {plural(len(labels) - len(changed), 'label')} as before")
    if dropped:
        most = sorted(dropped, key=lambda one: -one.annotations)
        shown = ", ".join(f"{clean(one.name)} ({one.annotations:,})" for one in most[:_SHOWN])
        shown += f", and {len(most) - _SHOWN:,} more" if len(most) > _SHOWN else ""
        gone = plural(sum(one.annotations for one in dropped), "annotation")
        writing.echo(f"  {plural(len(dropped), 'label')} dropped, with {gone}: {shown}")
    writing.echo()
