"""``rapideval version``: the version, and what it runs on."""

from __future__ import annotations

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import json_option
from rapideval.cli.output import page, print_json

__all__ = ["command"]


@click.command(
    "version",
    cls=Verb,
    examples=(("What to paste into a report of a fault", "rapideval version"),),
)
@json_option
def command(as_json: bool) -> None:
    """Print the version and what it runs on."""
    from rapideval.cli.documents import Version

    document = Version.of_this_machine()
    if as_json:
        print_json(document)
        return
    click.echo(
        page().pairs(
            [
                ("rapideval", document.rapideval),
                ("python", document.python),
                ("numpy", document.numpy),
                ("platform", document.platform),
                ("processors", str(document.processors)),
            ],
            indent=0,
        )
    )
