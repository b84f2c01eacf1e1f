"""``rapideval filter``: images and annotations chosen by what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import INPUT, Setting, answer_options, json_option, option_under, reading_options
from rapideval.cli.patterns import chosen_names
from rapideval.cli.sources import Reading, source_options
from rapideval.cli.writing import EXIT_CODES, Delivery, Writing, kept_of, writing_options

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from rapideval.model import Dataset

__all__ = ["command"]

F = TypeVar("F", bound=Callable[..., Any])

CHOICE = "What stays"

_CHOICES = ("label", "not_label", "image", "not_image", "fields", "crowd", "only_annotated")
_BOUNDS = ("min_score", "max_score", "min_area", "max_area")


def _choice(*names_and_text: str, **settings: Any) -> Callable[[F], F]:
    return option_under(CHOICE, *names_and_text, **settings)


@click.command(
    "filter",
    cls=Verb,
    examples=(
        ("Two labels, and the images that have them", "rapideval filter truth.json cars.json"
         " --label car --label 'truck*' --only-annotated"),
        ("Predictions that are sure, as pre-labels", "rapideval filter answers/ sure.geojson --min-score 0.8"),
        ("The images of one camera", "rapideval filter truth.json c3.json --image 'camera3_*'"),
        ("The validation split of a YOLO folder", "rapideval filter yolo/ val.json --to coco --field split=val"),
        ("Objects large enough, no crowds", "rapideval filter a.json b.json --min-area 64 --no-crowd"),
    ),
    exit_codes=EXIT_CODES,
)  # fmt: skip
@click.argument("source", metavar="SRC", type=INPUT)
@click.argument("target", metavar="DST", type=INPUT)
@_choice("--label", "Labels that stay, with their annotations: a name or a pattern (*, ?, [ab]); repeatable.",
         metavar="GLOB", multiple=True)  # fmt: skip
@_choice("--not-label", "Labels that go.", metavar="GLOB", multiple=True)
@_choice("--image", "Images that stay: a name, its last part, or a pattern of either; repeatable.",
         metavar="GLOB", multiple=True)  # fmt: skip
@_choice("--not-image", "Images that go.", metavar="GLOB", multiple=True)
@_choice("--field", "fields", "Images of which a further field fits, split=val for instance; repeatable: all must.",
         metavar="NAME=GLOB", multiple=True, type=Setting())  # fmt: skip
@_choice("--min-score", "Lowest score that stays.", type=float)
@_choice("--max-score", "Highest score that stays.", type=float)
@_choice("--min-area", "Smallest area in pixels that stays.", type=float)
@_choice("--max-area", "Largest area in pixels that stays.", type=float)
@_choice("--crowd/--no-crowd", "Only regions of many objects, or only single objects.", default=None)
@_choice("--only-annotated", "Only images that annotations stay in.", is_flag=True)
@source_options
@writing_options
@reading_options
@json_option
@answer_options
@click.pass_context
def command(ctx: click.Context, /, source: str, target: str, **options: Any) -> None:
    """Choose images and annotations by what they are.

    Annotations stay that meet all conditions. Images stay even where none of their annotations do, unless
    --only-annotated says otherwise: an image that was looked at and has nothing is worth as much. Labels stay, but for
    those that --label and --not-label leave out.
    """
    from rapideval.cli.documents import Amounts, Selection

    conditions = {name: options.pop(name) for name in (*_CHOICES, *_BOUNDS)}
    writing = Writing.of(target, options, like=source)
    opened = Reading(writing, options).open(source)
    kept = _chosen(opened.dataset, **conditions)
    delivery = Delivery(writing, [(target, kept)], opened.found)
    opened.show(writing)
    delivery.show(kept_of(kept, opened.dataset))
    delivery.write()
    delivery.close(ctx, Selection.of(opened, delivery, writing, found=Amounts.of(opened.dataset)))


def _chosen(
    data: Dataset,
    *,
    label: tuple[str, ...],
    not_label: tuple[str, ...],
    image: tuple[str, ...],
    not_image: tuple[str, ...],
    fields: tuple[tuple[str, Any], ...],
    crowd: bool | None,
    only_annotated: bool,
    **bounds: float | None,
) -> Dataset:
    import numpy as np

    def kept(names: tuple[str, ...], these: tuple[str, ...], not_these: tuple[str, ...], what: str) -> set[str]:
        by_tail = what == "image"
        named = chosen_names(names, these, f"--{what}", what=what, by_tail=by_tail) if these else set(names)
        return named - chosen_names(names, not_these, f"--not-{what}", what=what, by_tail=by_tail)

    if image or not_image:
        wanted = kept(data.images.keys, image, not_image, "image")
        data = data.take_images(np.array([key in wanted for key in data.images.keys], np.bool_))
    for name, pattern in fields:
        data = data.take_images(_having(data, name, str(pattern)))
    if label or not_label:
        wanted = kept(data.labels.names, label, not_label, "label")
        data = data.take_labels([name for name in data.labels.names if name in wanted])
    limits = {name: (bounds[f"min_{name}"], bounds[f"max_{name}"]) for name in ("score", "area")}
    for name, (low, high) in limits.items():
        if not (-np.inf if low is None else low) <= (np.inf if high is None else high):
            raise click.UsageError(f"--min-{name} {low} and --max-{name} {high}: nothing is between them")
    given = {name: limit for name, limit in limits.items() if limit != (None, None)}
    data = data.where(crowd=crowd, **given)  # type: ignore[arg-type]
    if only_annotated:
        data = data.take_images(np.isin(np.arange(len(data.images)), data.annotations.image))
    return data


def _having(data: Dataset, field: str, pattern: str) -> npt.NDArray[np.bool_]:
    """Which images have a value in a further field that a pattern fits."""
    import numpy as np

    extras = data.images.extras
    found = [None if extras is None else extras[place].get(field) for place in range(len(data.images))]
    values = [None if value is None else str(value) for value in found]
    there = tuple(dict.fromkeys(value for value in values if value is not None))
    chosen = chosen_names(there, [pattern], f"--field {field}:", what=f"value of {field!r}")
    return np.array([value in chosen for value in values], np.bool_)
