"""``rapideval formats``: what is read and written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import FormatName, json_option
from rapideval.cli.output import page, print_json

if TYPE_CHECKING:
    from rapideval.cli.documents import FormatInfo, Formats
    from rapideval.report.text import Page

__all__ = ["command"]


@click.command(
    "formats",
    cls=Verb,
    examples=(
        ("What can be read and written?", "rapideval formats"),
        ("What does COCO hold, and which options has it?", "rapideval formats coco"),
    ),
)
@click.argument("name", required=False, type=FormatName(written=True))
@click.option("--markdown", is_flag=True, help="Print the page of all formats (docs/formats.md).")
@json_option
def command(name: str | None, markdown: bool, as_json: bool) -> None:
    """List the formats that are read and written.

    Also the services whose answers are read. With a name, say all of that format: what it holds, how coordinates are
    meant, its options.
    """
    from rapideval.cli.documents import FormatInfo, Formats

    if markdown:
        from rapideval.formats.page import formats_page

        click.echo(formats_page(), nl=False)
        return
    if name is not None:
        info = FormatInfo.of(name)
        if as_json:
            print_json(info)
        else:
            _print_one(info, page())
        return
    known = Formats.known()
    if as_json:
        print_json(known)
    else:
        _print_all(known, page())


def _print_all(known: Formats, paper: Page) -> None:
    from rapideval.report.text import Column

    columns = [Column("format", "<", keep=9), Column("", "<", keep=5), Column("what it is", "<", shrink=True)]
    rows = [[info.name, _ways(info.reads, info.writes), info.title] for info in known.formats]
    click.echo(paper.heading("Formats"))
    click.echo(paper.table(columns, rows))
    click.echo()
    click.echo(paper.heading("Answers of endpoints", "read from files, folders and the standard input"))
    services = [[service.name, service.title] for service in known.services]
    click.echo(paper.table([Column("service", "<", keep=9), Column("what it is", "<", shrink=True)], services))


def _ways(reads: bool, writes: bool) -> str:
    return " ".join(word for word, there in (("read", reads), ("write", writes)) if there)


def _print_one(info: FormatInfo, paper: Page) -> None:
    held = [name.replace("_", " ") for name, holds in info.holds.items() if holds]
    lost = [name.replace("_", " ") for name, holds in info.holds.items() if not holds]
    click.echo(paper.heading(info.name, info.title))
    facts = [
        ("", f"{_ways(info.reads, info.writes)}, a {info.kind}: {', '.join(info.suffixes)}"),
        ("holds", ", ".join(held)),
        ("does not hold", ", ".join(lost)),
        ("coordinates", info.convention),
        ("read options", ", ".join(info.read_options)),
        ("write options", ", ".join(info.write_options)),
        ("splits", ", ".join(info.splits)),
        ("specification", info.specification),
    ]
    click.echo(paper.pairs([(name, text) for name, text in facts if text]))
