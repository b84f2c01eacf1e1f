"""Options of dividing a dataset by images: the seed, what parts should have alike, what stays together."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from rapideval.cli.options import option_under

if TYPE_CHECKING:
    from rapideval.model import Dataset, Images

__all__ = ["Dividing", "dividing_options"]

F = TypeVar("F", bound=Callable[..., Any])

SECTION = "How images are dealt out"


def dividing_options(function: F) -> F:
    """Options of how images are dealt out."""

    def option(*names_and_text: str, **settings: Any) -> Callable[[F], F]:
        return option_under(SECTION, *names_and_text, **settings)

    options = [
        option("--seed", "The same seed gives the same images, in whatever order they are.", type=int, default=0),
        option(
            "--by",
            "Every part has its share of each label, the rarest first; or images are dealt out at random.",
            type=click.Choice(["label", "none"]),
            default="label",
        ),
        option(
            "--group",
            "Images stay together in whose names this expression finds the same: its first group, or all of it.",
            metavar="REGEX",
        ),
        option("--group-field", "Images stay together that have the same in this further field.", metavar="FIELD"),
        option(
            "--attributes",
            "Fields of images for --group-field: CSV or JSON with a column 'image'.",
            type=click.Path(exists=True, dir_okay=False),
            metavar="FILE",
        ),
    ]
    for one in reversed(options):
        function = one(function)
    return function


class Dividing(NamedTuple):
    """What the options of dividing say.

    Attributes
    ----------
    seed, stratify
        See `rapideval.Dataset.split`.
    pattern
        What tells groups by the images' names.
    field
        What tells them by a field.
    attributes
        Where that field is, if not in the dataset.
    """

    seed: int
    stratify: bool
    pattern: re.Pattern[str] | None
    field: str | None
    attributes: str | None

    @classmethod
    def of(cls, options: dict[str, Any]) -> Dividing:
        """Take the options of dividing out of those of a verb; UsageError where they do not go together."""
        pattern, field, attributes = (options.pop(name) for name in ("group", "group_field", "attributes"))
        if pattern and field:
            raise click.UsageError("--group and --group-field: one or the other")
        if attributes and not field:
            raise click.UsageError("--attributes: which of its columns? Give --group-field")
        try:
            compiled = re.compile(pattern) if pattern else None
        except re.error as error:
            raise click.UsageError(f"--group {pattern!r}: {error}") from None
        return cls(options.pop("seed"), options.pop("by") == "label", compiled, field, attributes)

    def groups(self, dataset: Dataset) -> list[str] | None:
        """A key for each image; None where each stands for itself.

        Raises
        ------
        UsageError
            For images that are of no group: they could be in a part with what they belong to, or not.
        """
        if self.pattern is not None:
            matches = map(self.pattern.search, dataset.images.keys)
            keys = [None if match is None else match[1 if match.re.groups else 0] for match in matches]
            option = f"--group {self.pattern.pattern!r}"
        elif self.field is not None:
            keys = self._by_field(dataset.images, self.field)
            option = f"--group-field {self.field!r}"
        else:
            return None
        without = [place for place, key in enumerate(keys) if key is None]
        if without:
            first = dataset.images.key(without[0])
            lacking = f"{len(without):,} of {len(keys):,} images"
            raise click.UsageError(f"{option}: {lacking} are of no group, {first!r} for instance")
        return [key for key in keys if key is not None]

    def _by_field(self, images: Images, field: str) -> list[str | None]:
        if self.attributes is not None:
            from rapideval.judge.slices import read_attributes

            columns = read_attributes(self.attributes, images)
            if field not in columns:
                there = ", ".join(columns) or "none"
                raise click.UsageError(f"--group-field {field!r}: there is no such column; there are {there}")
            return columns[field]
        if images.extras is None:
            return [None] * len(images)
        found = [images.extras[place].get(field) for place in range(len(images))]
        return [None if value is None else str(value) for value in found]
