"""Options that several verbs share: one name, one meaning, one help text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rapideval.cli.help import Option

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = [
    "INPUT",
    "FormatName",
    "Setting",
    "answer_options",
    "given",
    "json_option",
    "option_under",
    "reading",
    "reading_options",
    "threads_option",
]

F = TypeVar("F", bound=Callable[..., Any])

INPUT = click.Path(path_type=str, allow_dash=True)
"""A file, a folder, or ``-``; whether it is there is told when it is read."""

ANSWERS = "Reading the answers of endpoints"


def _note_json(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
    # Errors are told where the group catches them, which knows this by the context alone.
    ctx.meta["rapideval.json"] = value
    return value


def json_option(function: F) -> F:
    """``--json``: one JSON document on stdout instead of tables."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=_note_json,
        help="Print one JSON document; rapideval schema describes it.",
    )(function)


def threads_option(function: F) -> F:
    """``--threads``: how many; the result is the same for any."""
    return click.option(
        "--threads",
        type=click.IntRange(min=0),
        default=0,
        show_default="all processors",
        help="Threads to work with; results are the same for any number.",
    )(function)


class FormatName(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4 on
    """The name of a format or of a service whose answers are read; checked when it is used.

    Parameters
    ----------
    written
        Only formats that can be written.
    """

    name = "format"

    def __init__(self, written: bool = False) -> None:
        self.written = written

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names that begin so."""
        from click.shell_completion import CompletionItem

        from rapideval.formats import FORMATS, get

        names = [name for name in FORMATS if not self.written or get(name).writer is not None]
        if not self.written:
            from rapideval.payloads import SERVICES

            names += ["answers", *SERVICES]
        return [CompletionItem(name) for name in names if name.startswith(incomplete)]


class Setting(click.ParamType):  # type: ignore[type-arg]
    """``NAME=VALUE``: a value in JSON, or text."""

    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        """Name and value; numbers, true, false and null are what they are in JSON."""
        import json

        name, sign, text = value.partition("=")
        if not sign or not name:
            self.fail(f"{value!r}: expected NAME=VALUE", param, ctx)
        try:
            return name.replace("-", "_"), json.loads(text)
        except ValueError:
            return name.replace("-", "_"), text


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given: what is None, False or empty was not."""
    return {name: value for name, value in options.items() if value not in (None, False, ())}


def _options(function: F, options: Sequence[Callable[[F], F]]) -> F:
    for option in reversed(options):
        function = option(function)
    return function


def option_under(section: str, *names_and_text: str, **settings: Any) -> Callable[[F], F]:
    """An option that help lists under a section: its names, and its help text as the last."""
    *names, text = names_and_text
    return click.option(*names, cls=Option, section=section, help=text, **settings)


def reading_options(function: F) -> F:
    """Options of reading that files and answers share."""
    return _options(
        function,
        [
            click.option("--lenient", is_flag=True, help="Mend what is unmistakable, and say so."),
            click.option(
                "--read", "settings", multiple=True, type=Setting(), help="An option of the format to read; repeatable."
            ),
        ],
    )


def answer_options(function: F) -> F:
    """Options of `rapideval.parse`: what an answer leaves open, under the names that its messages use."""

    def option(*names_and_text: str, **settings: Any) -> Callable[[F], F]:
        return option_under(ANSWERS, *names_and_text, **settings)

    return _options(
        function,
        [
            option("--request", "What was asked: the body of the call, which names the images.", metavar="FILE"),
            option(
                "--image-names",
                "images",
                "Images in the order of the request: a file of names (lines or JSON), a folder of pictures, a dataset.",
                metavar="NAMES",
            ),
            option(
                "--labels",
                "Names of labels that are numbers: cat,dog or a file of names (lines or JSON) or a dataset.",
                metavar="NAMES",
            ),
            option("--sizes", "Heights and widths: 480x640, or a dataset that knows them.", metavar="HxW|FILE"),
            option(
                "--boxes",
                "Where it is not the service's: xyxy, xywh, cxcywh, yxyx or xxyy.",
                metavar="ORDER",
            ),
            option("--relative", "Coordinates are fractions of the image.", is_flag=True),
            option("--percent", "Scores are percentages.", is_flag=True),
            option("--clip", "Cut boxes to their image.", is_flag=True),
            option("--class-masks", "Every key with a bitmask is the mask of that label.", is_flag=True),
            option("--prefer", "Which counts where an image has both.", type=click.Choice(["instance", "semantic"])),
            option("--semantic-label", "Label of a semantic mask, which has none of its own.", metavar="NAME"),
            option("--tensors", "What each tensor holds; repeatable.", multiple=True, type=Setting()),
        ],
    )


def reading(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options for `rapideval.load` from those of the command line: files of names, labels and sizes are read."""
    from rapideval.cli.lists import image_names, image_sizes, label_names

    chosen = given(options)
    for name, read in (("images", image_names), ("labels", label_names), ("sizes", image_sizes)):
        if name in chosen:
            chosen[name] = read(chosen[name])
    if "tensors" in chosen:
        chosen["tensors"] = dict(chosen["tensors"])
    if "settings" in chosen:
        chosen |= dict(chosen.pop("settings"))
    return chosen
