"""The command ``rapideval`` itself: which verbs there are, and what becomes of an error.

No verb's module is imported before the verb is used: what ``rapideval --help`` shows of it stands in `VERBS`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from rapideval.cli.help import Formatted, Verb

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["EXIT_CODES", "VERBS", "rapideval"]


class Listed(NamedTuple):
    """What the group shows of a verb without importing it."""

    section: str
    help: str


SCORE = "From answers to a score"
DATASETS = "Whole datasets"
DECIDE = "From two scores to a decision"
ENDPOINT = "Hosted endpoints"
HELP = "Help"

# The module is rapideval.cli.<name>, its command is called `command`. Order is the order of the help.
VERBS: dict[str, Listed] = {
    "demo": Listed(SCORE, "Go the whole way on photographs that come with rapideval"),
    "evaluate": Listed(SCORE, "Score predictions against ground truth"),
    "inspect": Listed(SCORE, "Say what a file or folder is, and what it holds"),
    "validate": Listed(SCORE, "Check files and answers, and say all that is wrong"),
    "convert": Listed(DATASETS, "Convert a file or answers to another format"),
    "merge": Listed(DATASETS, "Join several datasets"),
    "split": Listed(DATASETS, "Divide a dataset by images, into training and test for instance"),
    "filter": Listed(DATASETS, "Choose images and annotations by what they are"),
    "sample": Listed(DATASETS, "Draw images at random"),
    "relabel": Listed(DATASETS, "Rename, join and drop labels"),
    "compare": Listed(DECIDE, "Compare two versions on one holdout"),
    "gate": Listed(DECIDE, "Decide whether a candidate may replace the baseline"),
    "runs": Listed(DECIDE, "Keep a history of model versions, and draw a metric over it"),
    "review": Listed(DECIDE, "List likely errors of the ground truth, for review"),
    "predict": Listed(ENDPOINT, "Send images to a hosted endpoint and keep every answer"),
    "serve": Listed(ENDPOINT, "Serve model versions here, as hosted endpoints do"),
    "formats": Listed(HELP, "List the formats that are read and written"),
    "schema": Listed(HELP, "Print the JSON Schema of a document"),
    "version": Listed(HELP, "Print the version and what it runs on"),
    "completion": Listed(HELP, "Print a script that lets your shell complete commands"),
}

EXIT_CODES = (
    (0, "done; of a gate: pass"),
    (1, "a check found problems; of a gate: fail"),
    (2, "wrong usage, or an input that cannot be read or trusted"),
    (3, "of a gate: inconclusive"),
    (70, "a fault of rapideval itself"),
    (130, "interrupted"),
)


class VerbGroup(Formatted, click.Group):
    """A group that imports a verb when it is used, and turns every error into a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the verbs, in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb; None where there is none of that name."""
        if cmd_name not in VERBS:
            return None
        command: Verb = import_module(f"rapideval.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb, or say which one may have been meant."""
        name = args[0]
        if name not in VERBS and not name.startswith("-") and not ctx.resilient_parsing:
            from difflib import get_close_matches

            near = get_close_matches(name, VERBS, n=2, cutoff=0.5)
            meant = f" Did you mean {' or '.join(near)}?" if near else " See rapideval --help."
            raise click.UsageError(f"there is no command {name!r}.{meant}", ctx)
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete verbs from the table, so that a press of Tab imports none of them."""
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(name, help=verb.help) for name, verb in VERBS.items() if name.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs by section."""
        for section in dict.fromkeys(verb.section for verb in VERBS.values()):
            rows = [(formatter_name(formatter, name), v.help) for name, v in VERBS.items() if v.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb; whatever goes wrong becomes a message on stderr and an exit code (`EXIT_CODES`)."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except (Exception, KeyboardInterrupt) as error:
            from rapideval.cli.failures import report

            code = report(error, debug=ctx.params["debug"], as_json=bool(ctx.meta.get("rapideval.json")))
            raise click.exceptions.Exit(code) from None

    def main(self, args: Sequence[str] | None = None, **options: Any) -> Any:  # type: ignore[override]
        """Run the command line and exit with its code."""
        standalone = options.pop("standalone_mode", True)
        try:
            code = super().main(args, standalone_mode=False, **options)
        except (click.ClickException, click.Abort) as error:
            if not standalone:
                raise
            from rapideval.cli.failures import report_usage

            code = report_usage(error)
        if not standalone:
            return code
        # Verbs give no value; a number is the code of an exit.
        sys.exit(code if isinstance(code, int) else 0)


def formatter_name(formatter: click.HelpFormatter, name: str) -> str:
    """The name of a verb, padded so that all sections share one column."""
    return name.ljust(max(map(len, VERBS)))


def _color(ctx: click.Context) -> None:
    """Obey NO_COLOR (https://no-color.org) and FORCE_COLOR; else click decides by stream."""
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    elif os.environ.get("FORCE_COLOR"):
        ctx.color = True


def _print_version(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        import rapideval

        click.echo(f"rapideval {rapideval.__version__}")
        ctx.exit()


@click.command(
    "rapideval",
    cls=VerbGroup,
    exit_codes=EXIT_CODES,
    subcommand_metavar="COMMAND ...",
)
@click.option("--debug", is_flag=True, envvar="RAPIDEVAL_DEBUG", help="Show the traceback of an error.")
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Print the version and exit.",
)
@click.pass_context
def rapideval(ctx: click.Context, debug: bool) -> None:
    """From the answer of a hosted vision endpoint to a release decision.

    Every command takes --help, prints tables for people and, with --json, one JSON document for machines.
    """
    _color(ctx)
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")
