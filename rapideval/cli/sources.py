"""Whole datasets as verbs read them: the source, what it is read by, and where its image files are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rapideval.cli.options import FormatName, reading
from rapideval.cli.output import print_notes, progress

if TYPE_CHECKING:
    from rapideval.cli.writing import Writing
    from rapideval.formats.picture_files import Found
    from rapideval.loading import Loaded
    from rapideval.model import Dataset

__all__ = ["Opened", "Reading", "amounts", "source_options"]

F = TypeVar("F", bound=Callable[..., Any])


def source_options(function: F) -> F:
    """Options of what is read."""
    options = [
        click.option(
            "--from", "--payload", "source_format", type=FormatName(), help="What SRC is; found from its content."
        ),
        click.option("--ground-truth", metavar="FILE", help="What the numbers of SRC refer to: images and labels."),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@dataclass(frozen=True)
class Opened:
    """A source that was read.

    Attributes
    ----------
    name
        As it was given.
    loaded
        The dataset, with sizes from the image files where it has none of its own.
    found
        Its image files, where they are asked for.
    """

    name: str
    loaded: Loaded
    found: Found | None

    @property
    def dataset(self) -> Dataset:
        """What was read."""
        return self.loaded.dataset

    def show(self, writing: Writing) -> None:
        """Print what the source is, how much it holds, and its notes; nothing where a document is asked for."""
        if writing.as_json:
            return
        writing.echo(writing.paper.heading(self.name, self.loaded.source.title))
        writing.echo(f"  {amounts(self.dataset)}")
        print_notes(self.dataset.notes, writing.paper, err=writing.to_stdout)
        writing.echo()


class Reading:
    """How sources are read: what the options say, once for all of them."""

    def __init__(self, writing: Writing, options: Mapping[str, Any]) -> None:
        from rapideval.loading import load

        chosen = reading(options)
        self._writing = writing
        self._format = chosen.pop("source_format", None)
        truth = chosen.pop("ground_truth", None)
        self.ground_truth = load(truth).dataset if truth else None
        self._options = chosen

    def open(self, source: str) -> Opened:
        """Read a source; find its image files where they are to be put beside what is written."""
        from rapideval.loading import load

        folders: list[str | Path] = list(self._writing.image_folders)
        guessed = bool(self._writing.how and not folders)
        if guessed:
            folders = _beside(source)
        loaded = load(
            source, self._format, ground_truth=self.ground_truth, image_folder=folders, watch=progress, **self._options
        )
        if not self._writing.how:
            return Opened(source, loaded, None)
        from rapideval.formats.picture_files import find_pictures

        search = not guessed or Path(source).is_dir()
        return Opened(source, loaded, find_pictures(loaded.dataset.images, folders, search=search))


def _beside(source: str) -> list[str | Path]:
    """Where the image files of a source are likely to be: in it, beside it, or in images/ there."""
    if source == "-":
        raise click.UsageError("--images: where are the image files of the standard input? Give --image-folder")
    path = Path(source)
    folder = path if path.is_dir() else path.parent
    return [folder, folder / "images"]


def amounts(dataset: Dataset) -> str:
    """How much a dataset holds."""
    found = ((len(dataset.images), "image"), (len(dataset.labels), "label"), (len(dataset), "annotation"))
    return ", ".join(f"{count:,} {name}s" for count, name in found)
