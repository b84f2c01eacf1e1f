"""``rapideval merge``: several datasets as one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import INPUT, answer_options, json_option, reading_options
from rapideval.cli.output import print_notes
from rapideval.cli.sources import Opened, Reading, source_options
from rapideval.cli.writing import EXIT_CODES, Delivery, Writing, writing_options

if TYPE_CHECKING:
    from rapideval.formats.picture_files import Found
    from rapideval.model import Dataset
    from rapideval.model.merging import SameImages

__all__ = ["command"]


@click.command(
    "merge",
    cls=Verb,
    examples=(
        ("Two datasets of different pictures", "rapideval merge site1.json site2.json all.json"),
        (
            "Labels of the same pictures by two teams",
            "rapideval merge cars.json signs.json all.json --same-images join",
        ),
        (
            "YOLO folders, with their image files, whose names begin anew in each",
            "rapideval merge day1/ day2/ days/ --to yolo --same-images rename --images link",
        ),
    ),
    exit_codes=EXIT_CODES,
)
@click.argument("sources", metavar="SRC...", type=INPUT, nargs=-1, required=True)
@click.argument("target", metavar="DST", type=INPUT)
@click.option(
    "--same-images",
    type=click.Choice(["refuse", "join", "rename"]),
    help="What images of one name in two sources are: that is to be said; the same pictures; different pictures."
    "  [default: refuse; with --ground-truth: join]",
)
@source_options
@writing_options
@reading_options
@json_option
@answer_options
@click.pass_context
def command(ctx: click.Context, /, sources: tuple[str, ...], target: str, same_images: Any, **options: Any) -> None:
    """Join several datasets.

    Each SRC is a file of any format that is read, a recorded answer or a folder; DST a file, a folder, or - for the
    standard output. Labels of one name are one label. Numbers (ids) stay, unless two sources give one to different
    things: then those of the later source are new.

    Images of one name in two sources are refused, as it cannot be told whether they are the same picture: cameras and
    tools number their files from 1. --same-images says what they are. With --ground-truth the images of all sources
    are those of the ground truth, and the same.
    """
    from rapideval.cli.documents import Merging
    from rapideval.model.merging import merge

    writing = Writing.of(target, options, like=sources[0])
    reader = Reading(writing, options)
    opened = [reader.open(source) for source in sources]
    if not writing.as_json:
        for one in opened:
            one.show(writing)
    chosen: SameImages = same_images or ("refuse" if reader.ground_truth is None else "join")
    merged = merge([(one.name, one.dataset) for one in opened], same_images=chosen)
    found = _files(opened, merged.keys) if writing.how else None
    delivery = Delivery(writing, [(target, merged.dataset)], found)
    notes = merged.dataset.notes[sum(len(one.dataset.notes) for one in opened) :]
    if notes and not writing.as_json:
        writing.echo(writing.paper.heading("together"))
        print_notes(notes, writing.paper, err=writing.to_stdout)
        writing.echo()
    delivery.show(_facts(merged.dataset, opened))
    delivery.write()
    delivery.close(ctx, Merging.of(opened, delivery, writing))


def _files(opened: Sequence[Opened], keys: Sequence[Sequence[str]]) -> Found:
    """Image files of all sources, by the names that the images have in the whole."""
    from rapideval.formats.picture_files import Found

    whole = Found()
    for one, names in zip(opened, keys, strict=True):
        assert one.found is not None
        for old, new in zip(one.dataset.images.keys, names, strict=True):
            if old in one.found.paths:
                whole.paths.setdefault(new, one.found.paths[old])
            else:
                whole.missing[new] = one.found.missing[old]
    return Found(whole.paths, {key: why for key, why in whole.missing.items() if key not in whole.paths})


def _facts(whole: Dataset, opened: Sequence[Opened]) -> list[tuple[str, str]]:
    """How much there is in all, and in each source."""
    parts = [one.dataset for one in opened]
    counts = {
        "images": [len(data.images) for data in (whole, *parts)],
        "labels": [len(data.labels) for data in (whole, *parts)],
        "annotations": [len(data) for data in (whole, *parts)],
    }
    sums = {name: " + ".join(f"{count:,}" for count in each) for name, (_, *each) in counts.items()}
    return [(name, f"{counts[name][0]:,} from {each}") for name, each in sums.items()]
