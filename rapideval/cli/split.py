"""``rapideval split``: a dataset in parts, for training and test for instance."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from rapideval.cli.dividing import Dividing, dividing_options
from rapideval.cli.help import Verb
from rapideval.cli.options import INPUT, answer_options, json_option, reading_options
from rapideval.cli.sources import Opened, Reading, source_options
from rapideval.cli.writing import EXIT_CODES, Delivery, Writing, writing_options

if TYPE_CHECKING:
    from rapideval.model import Dataset

__all__ = ["command"]

PLACEHOLDER = "{split}"

_SHOWN_LABELS = 5


class Share(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """``NAME=SHARE``: a name that can be part of a path, and a share of the images."""

    name = "name=share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Fraction]:
        """Name and share: 0.8, 80% or 4/5."""
        name, _, text = value.partition("=")
        if not re.fullmatch(r"\w[\w.-]*", name):
            self.fail(f"{value!r}: expected NAME=SHARE, such as train=0.8; a name is of letters, digits, _, - and .")
        try:
            share = Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r}: expected a share such as 0.8, 80% or 4/5")
        return name, share


@click.command(
    "split",
    cls=Verb,
    examples=(
        (
            "Two files, each with its share of every label",
            "rapideval split truth.json '{split}.json' --share train=0.8 --share test=0.2",
        ),
        (
            "One YOLO folder with its data.yaml, and the image files in it",
            "rapideval split truth.json yolo/ --to yolo --share train=80% --share val=20% --images copy",
        ),
        (
            "Frames of a video, clip1_0001.jpg, stay together",
            "rapideval split a.json '{split}.json' --share train=2/3 --share test=1/3 --group '^(.*)_'",
        ),
    ),
    exit_codes=EXIT_CODES,
)
@click.argument("source", metavar="SRC", type=INPUT)
@click.argument("target", metavar="DST", type=INPUT)
@click.option(
    "--share",
    "shares",
    type=Share(),
    multiple=True,
    required=True,
    metavar="NAME=SHARE",
    help="A part and its share of the images: 0.8, 80% or 4/5; repeatable. They add up to 1.",
)
@dividing_options
@source_options
@writing_options
@reading_options
@json_option
@answer_options
@click.pass_context
def command(
    ctx: click.Context, /, source: str, target: str, shares: tuple[tuple[str, Fraction], ...], **options: Any
) -> None:
    """Divide a dataset by images, into training and test for instance.

    DST has {split} where the name of each part goes; of a format that holds splits itself (YOLO, VOC) it may also be
    one folder. Each image goes to one part, with its annotations; every part has its share of each label, as near as
    can be, and all labels by name. The same seed gives the same parts.
    """
    from rapideval.cli.documents import Amounts, SplitPart, Splitting

    fractions = _fractions(shares)
    dividing = Dividing.of(options)
    writing = Writing.of(target, options, like=source)
    together = _in_one_folder(writing, list(fractions))
    opened = Reading(writing, options).open(source)
    data = opened.dataset
    groups = dividing.groups(data)
    named = {name: float(share) for name, share in fractions.items()}
    parts = data.split(named, seed=dividing.seed, stratify=dividing.stratify, groups=groups)
    if together:
        datasets = [(target, _told(data, {key: name for name, part in parts.items() for key in _keys(part)}))]
    else:
        datasets = [(target.replace(PLACEHOLDER, name), _retold(part, name)) for name, part in parts.items()]
    delivery = Delivery(writing, datasets, opened.found)
    opened.show(writing)
    missing = {name: _missing_labels(data, part) for name, part in parts.items()}
    _print(writing, opened, parts, named, missing)
    delivery.show()
    delivery.write()
    written = delivery.parts * len(parts) if together else delivery.parts
    listed = [
        SplitPart.of_part(place, writing, delivery.written, name=name, share=named[name], missing_labels=missing[name])
        for name, place in zip(parts, written, strict=True)
    ]
    for entry, part in zip(listed, parts.values(), strict=True):
        entry.counts = Amounts.of(part)
    delivery.close(
        ctx,
        Splitting(
            source=opened.name,
            source_format=opened.loaded.source.name,
            found=Amounts.of(data),
            seed=dividing.seed,
            groups=None if groups is None else len(set(groups)),
            parts=listed,
            written=delivery.written,
        ),
    )


def _fractions(shares: tuple[tuple[str, Fraction], ...]) -> dict[str, Fraction]:
    fractions = dict(shares)
    if len(fractions) < len(shares):
        raise click.UsageError("--share: two parts of one name")
    if sum(fractions.values()) != 1 or min(fractions.values()) <= 0:
        given = " + ".join(f"{float(share):g}" for share in fractions.values())
        total = float(sum(fractions.values()))
        raise click.UsageError(f"--share: each is above 0, and together they are 1: {given} are {total:g}")
    return fractions


def _in_one_folder(writing: Writing, names: list[str]) -> bool:
    """Whether all parts go into one folder; refused where they can go neither there nor into places of their own."""
    if PLACEHOLDER in writing.target:
        return False
    held = writing.format.splits
    if held:
        for name in names:
            if name not in held:
                there = f"has the splits {', '.join(held)}, not {name}"
                raise click.UsageError(
                    f"a folder of {writing.format.name} {there}: write {{split}} into DST for others"
                )
        return True
    path = "'{split}.json'" if writing.format.kind == "file" else "'{split}/'"
    raise click.UsageError(
        f"DST {writing.target!r} has no {{split}} where the names of the parts go, such as {path}; "
        f"{writing.format.name} cannot hold several splits at one place"
    )


def _keys(data: Dataset) -> list[tuple[str, int]]:
    """What tells the images of a dataset apart, also where several share a name."""
    ids = data.images.ids
    return list(zip(data.images.keys, [0] * len(data.images) if ids is None else ids.tolist(), strict=True))


def _told(data: Dataset, splits: Mapping[tuple[str, int], str]) -> Dataset:
    """The same dataset, with the split of each image in its further fields."""
    from rapideval.model import Extras, Images

    images = data.images
    fields = [{} if images.extras is None else images.extras[place] for place in range(len(images))]
    rows = [{**row, "split": splits[key]} for row, key in zip(fields, _keys(data), strict=True)]
    return data.replace(images=Images(images.names, images.ids, images.sizes, Extras.from_dicts(rows)))


def _retold(part: Dataset, name: str) -> Dataset:
    """The part itself; where its images say of which split they are, they say this one."""
    extras = part.images.extras
    if extras is None or b'"split"' not in extras.data:
        return part
    return _told(part, dict.fromkeys(_keys(part), name))


def _missing_labels(whole: Dataset, part: Dataset) -> list[str]:
    import numpy as np

    used = np.bincount(whole.annotations.label, minlength=len(whole.labels)) > 0
    here = np.bincount(part.annotations.label, minlength=len(part.labels)) > 0
    return [whole.labels.names[place] for place in np.flatnonzero(used & ~here).tolist()]


def _print(
    writing: Writing,
    opened: Opened,
    parts: Mapping[str, Dataset],
    shares: Mapping[str, float],
    missing: Mapping[str, list[str]],
) -> None:
    from rapideval.report.text import Column, clean, percent

    if writing.as_json:
        return
    paper, total = writing.paper, len(opened.dataset.images)
    used = len({*opened.dataset.annotations.label.tolist()})
    columns = [Column("split", "<", keep=9), Column("asked"), Column("images", keep=8), Column("share", keep=5),
               Column("annotations", keep=7), Column("labels", keep=6)]  # fmt: skip
    rows = [
        [
            name,
            percent(shares[name]),
            f"{len(part.images):,}",
            percent(len(part.images) / total),
            f"{len(part):,}",
            f"{used - len(missing[name]):,} of {used:,}",
        ]
        for name, part in parts.items()
    ]
    writing.echo(paper.table(columns, rows))
    for name, labels in missing.items():
        if labels:
            shown = ", ".join(map(clean, labels[:_SHOWN_LABELS]))
            shown += f" and {len(labels) - _SHOWN_LABELS:,} more" if len(labels) > _SHOWN_LABELS else ""
            writing.echo("  " + paper.mark(f"no annotations in {name} of {shown}", "warning"))
    writing.echo()
