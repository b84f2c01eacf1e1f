"""Writing whole datasets: the options that verbs share, what is lost told before, image files beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rapideval.cli.help import Option
from rapideval.cli.options import FormatName, Setting, given
from rapideval.cli.output import announce, error_page, page, print_json, progress

if TYPE_CHECKING:
    from rapideval.cli.documents import ImageFiles
    from rapideval.formats import Format, Losses
    from rapideval.formats.picture_files import Found, Pictures
    from rapideval.model import Dataset
    from rapideval.report.text import Page

__all__ = ["EXIT_CODES", "Delivery", "Part", "Writing", "kept_of", "writing_options"]

F = TypeVar("F", bound=Callable[..., Any])

IMAGES = "Image files"

EXIT_CODES = (
    (0, "written"),
    (1, "something would be lost (--fail-on-loss): nothing was written"),
    (2, "wrong usage, or an input that cannot be read or trusted"),
)


def writing_options(function: F) -> F:
    """Options of what is written."""
    options = [
        click.option(
            "--to", "target_format", type=FormatName(written=True), help="What DST is to be; found from its suffix."
        ),
        click.option(
            "--outline-iou",
            type=click.FloatRange(0, 1, min_open=True),
            help="Simplify outlines as far as their mask keeps this IoU; exact where not given.",
        ),
        click.option("--fail-on-loss", is_flag=True, help="Write nothing where something would be lost."),
        click.option("--report", metavar="FILE", help="Write what is lost and what was noted as JSON."),
        click.option(
            "--write", "writing", multiple=True, type=Setting(), help="An option of the format to write; repeatable."
        ),
        click.option(
            "--images",
            "image_files",
            type=click.Choice(["copy", "link", "none"]),
            default="none",
            cls=Option,
            section=IMAGES,
            help="Put them into the folder that is written: copies, or hard links (symbolic where those cannot be).",
        ),
        click.option(
            "--image-folder",
            "image_folders",
            type=click.Path(exists=True, file_okay=False),
            multiple=True,
            metavar="DIR",
            cls=Option,
            section=IMAGES,
            help="Where they are; beside SRC where not given. Sizes that SRC does not say are read from their heads."
            " Repeatable.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@dataclass(frozen=True)
class Writing:
    """What the options of writing say.

    Attributes
    ----------
    target
        Where to.
    format
        What is written.
    settings
        Options of that format.
    how
        Whether image files are copied or linked; None for neither.
    image_folders
        Where they are, as far as was said.
    """

    target: str
    format: Format
    settings: dict[str, Any]
    fail_on_loss: bool
    report: str | None
    as_json: bool
    how: Any
    image_folders: tuple[str, ...]

    @classmethod
    def of(cls, target: str, options: dict[str, Any], like: str | None = None) -> Writing:
        """Take the options of writing out of those of a verb; UsageError where they do not go together.

        Where neither they nor the suffix of the target say the format, it is that of the source `like`.
        """
        from rapideval.formats import get
        from rapideval.formats.registry import check_holds_pictures

        as_json, name, how = options.pop("as_json"), options.pop("target_format"), options.pop("image_files")
        if target == "-" and as_json:
            raise click.UsageError("--json prints to the standard output, where DST is: give --report FILE instead")
        chosen = get(name) if name else _format_of(target, like, options.get("source_format"))
        if how != "none":
            check_holds_pictures(chosen)
        return cls(
            target=target,
            format=chosen,
            settings=dict(options.pop("writing")) | given({"outline_iou": options.pop("outline_iou")}),
            fail_on_loss=options.pop("fail_on_loss"),
            report=options.pop("report"),
            as_json=as_json,
            how=None if how == "none" else how,
            image_folders=options.pop("image_folders"),
        )

    @property
    def to_stdout(self) -> bool:
        """Whether the dataset goes to the standard output, so that everything else goes to stderr."""
        return self.target == "-"

    @property
    def paper(self) -> Page:
        """The page of what is said."""
        return error_page() if self.to_stdout else page()

    def echo(self, text: str = "") -> None:
        """Say something for people; nothing where a document is asked for."""
        if not self.as_json:
            click.echo(text, err=self.to_stdout)


@dataclass(frozen=True)
class Part:
    """One dataset that is written, and where to."""

    target: str
    dataset: Dataset
    losses: Losses
    pictures: Pictures | None

    def image_files(self) -> ImageFiles | None:
        """What became of its image files; None where there are none to be put anywhere."""
        from rapideval.cli.documents import ImageFiles

        if self.pictures is None:
            return None
        laid, missing = self.pictures.laid, list(self.pictures.found.missing)
        counts = (laid.copied, laid.linked, laid.symbolic) if laid else (0, 0, 0)
        return ImageFiles(self.pictures.how, *counts, missing)


class Delivery:
    """What is written: its losses are known from the start, so that they are told before.

    Parameters
    ----------
    writing
        How.
    datasets
        Where to, and what.
    found
        Image files of all of them.
    """

    def __init__(self, writing: Writing, datasets: Sequence[tuple[str, Dataset]], found: Found | None) -> None:
        self._writing = writing
        self.parts = [self._part(target, dataset, found) for target, dataset in datasets]
        self.written = not (writing.fail_on_loss and any(part.losses for part in self.parts))

    def _part(self, target: str, dataset: Dataset, found: Found | None) -> Part:
        from rapideval.formats import losses

        lost = losses(dataset, self._writing.format.name, **self._writing.settings)
        if found is None or not self._writing.how:
            return Part(target, dataset, lost, None)
        from rapideval.formats.picture_files import Pictures

        pictures = Pictures(found.only(dataset.images), self._writing.how, watch=progress)
        return Part(target, dataset, pictures.losses(lost, dataset.images), pictures)

    def show(self, facts: Sequence[tuple[str, str]] = ()) -> None:
        """Print what will be written, with some facts about it, and what is lost."""
        from rapideval.report.text import clean

        writing, paper = self._writing, self._writing.paper
        for place, part in enumerate(self.parts):
            if place:
                writing.echo()
            writing.echo(paper.heading(part.target, writing.format.title))
            if facts:
                writing.echo(paper.pairs(facts))
            if not part.losses:
                writing.echo("  " + paper.mark("nothing is lost", "good"))
                continue
            writing.echo("  " + paper.mark("lost, as this format cannot hold it:", "warning"))
            writing.echo(paper.pairs([(loss.kind, clean(loss.text)) for loss in part.losses], indent=4))

    def write(self) -> None:
        """Write all of it, unless something would be lost that must not be."""
        from rapideval.formats import write
        from rapideval.formats.files import check_new_folder

        if self.written:
            if self._writing.format.kind == "folder":
                for part in self.parts:
                    check_new_folder(part.target)  # of all of them before any is written
            for part in self.parts:
                write(
                    part.dataset,
                    part.target,
                    self._writing.format.name,
                    pictures=part.pictures,
                    **self._writing.settings,
                )

    def close(self, ctx: click.Context, document: Any) -> None:
        """Say that it is written, or was not; write and print the document where it is asked for."""
        writing = self._writing
        if writing.report:
            _write_report(document, writing.report)
        names = ", ".join(part.target for part in self.parts)
        if writing.as_json:
            print_json(document)
        elif not self.written:
            were = "was" if len(self.parts) == 1 else "were"
            mark = error_page().mark("error:", "error")
            announce(f"{mark} {names} {were} not written: something would be lost")
        else:
            writing.echo(f"\nwrote {names}{self._files_told()}")
        if not self.written:
            ctx.exit(1)

    def _files_told(self) -> str:
        laid = [part.pictures.laid for part in self.parts if part.pictures is not None and part.pictures.laid]
        if not laid:
            return ""
        kinds = [
            (sum(one.copied for one in laid), "copied"),
            (sum(one.linked for one in laid), "linked"),
            (sum(one.symbolic for one in laid), "linked symbolically"),
        ]
        told = [f"{count:,} {kind}" for count, kind in kinds if count]
        return f" with image files: {', '.join(told) or 'none'}"


def _format_of(target: str, like: str | None, named: str | None) -> Format:
    """The format that the suffix of a target says, else that of a source, if such a target can be of it."""
    from rapideval.errors import UsageError
    from rapideval.formats import FORMATS, Source, by_suffix, get

    try:
        return by_suffix(target)
    except UsageError:
        if like in (None, "-"):
            raise
        from rapideval.loading import recognise

        assert like is not None
        name = recognise(like, named).name
        known = get(name) if name in FORMATS else None
        suffix = Source(target).suffix
        if known is None or known.writer is None or suffix not in (("",) if known.kind == "folder" else known.suffixes):
            raise
        return known


def kept_of(kept: Dataset, found: Dataset) -> list[tuple[str, str]]:
    """How much of a dataset is kept."""
    counts = (
        ("images", len(kept.images), len(found.images)),
        ("labels", len(kept.labels), len(found.labels)),
        ("annotations", len(kept), len(found)),
    )
    return [(name, f"{count:,} of {total:,}") for name, count, total in counts]


def _write_report(document: Any, path: str) -> None:
    import msgspec

    from rapideval.formats import whole_file

    with whole_file(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
