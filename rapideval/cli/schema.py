"""``rapideval schema``: the JSON Schema of every document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from rapideval.cli.help import Verb
from rapideval.cli.output import page

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["command"]


class SchemaName(click.ParamType):  # type: ignore[type-arg]
    """The name of a document; checked when it is used."""

    name = "name"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Names that begin so."""
        from click.shell_completion import CompletionItem

        from rapideval.cli.schemas import DOCUMENTS

        return [CompletionItem(name, help=of.title) for name, of in DOCUMENTS.items() if name.startswith(incomplete)]


@click.command(
    "schema",
    cls=Verb,
    examples=(
        ("Which documents are there?", "rapideval schema"),
        ("What evaluate --json prints", "rapideval schema evaluation"),
        ("All of them as files", "rapideval schema --write schemas/"),
    ),
)
@click.argument("name", required=False, type=SchemaName())
@click.option("--write", "folder", metavar="FOLDER", help="Write all schemas into a folder.")
def command(name: str | None, folder: str | None) -> None:
    """Print the JSON Schema of a document.

    Without a name, the documents are listed.

    Schemas are made from the types that read and write the documents, so they cannot disagree with them.
    """
    from rapideval.cli.schemas import DOCUMENTS, schema_text, write_schemas
    from rapideval.report.text import Column

    if folder is not None:
        if name is not None:
            raise click.UsageError("--write writes all schemas: give no name")
        for path in write_schemas(folder):
            click.echo(path)
    elif name is not None:
        click.echo(schema_text(name), nl=False)
    else:
        columns = [Column("name", "<", keep=1), Column("what it is", "<", shrink=True)]
        click.echo(page().table(columns, [(known, document.title) for known, document in DOCUMENTS.items()]))
