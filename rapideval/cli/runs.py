"""``rapideval runs``: the history of model versions."""

from __future__ import annotations

import click

from rapideval.cli.evaluations import runs_option
from rapideval.cli.help import Formatted, Verb
from rapideval.cli.options import json_option
from rapideval.cli.output import page, print_json

__all__ = ["command"]


class _Runs(Formatted, click.Group):
    """A group of verbs; without one the runs are listed."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the verbs."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, one.get_short_help_str(90)) for name, one in self.commands.items()])


@click.group(
    "runs",
    cls=_Runs,
    invoke_without_command=True,
    subcommand_metavar="[COMMAND ...]",
    examples=(
        ("Keep the evaluation of a version", "rapideval runs add v2 v2.parquet --note 'more night images'"),
        ("What there is", "rapideval runs"),
        ("A metric over the versions", "rapideval runs plot AP50"),
        ("Versions by name, wherever two evaluations are asked for", "rapideval gate v1 v2"),
    ),
)
@runs_option
@json_option
@click.pass_context
def command(ctx: click.Context, runs: str | None, as_json: bool) -> None:
    """Keep a history of model versions, and draw a metric over it.

    A run is a saved evaluation under the name of its version. The history is one SQLite file; the evaluations stay
    where they are.
    """
    from rapideval.judge.history import history_file

    ctx.obj = history_file(runs)
    if ctx.invoked_subcommand is None:
        _list(ctx, as_json)


def _list(ctx: click.Context, as_json: bool) -> None:
    from rapideval.judge.history import History, RunList
    from rapideval.report.runs import runs_text

    with History(ctx.obj) as history:
        found = history.runs()
    if as_json:
        print_json(RunList(str(ctx.obj), found))
    elif not found:
        click.echo(f"no runs in {ctx.obj}: rapideval runs add NAME EVALUATION")
    else:
        click.echo(runs_text(found, page(), str(ctx.obj)))


@command.command("add", cls=Verb)
@click.argument("name")
@click.argument("evaluation", type=click.Path(exists=True, dir_okay=False))
@click.option("--note", default="", help="A line to remember it by.")
@click.option("--replace", is_flag=True, help="Take the place of a run of this name.")
@click.pass_context
def _add(ctx: click.Context, name: str, evaluation: str, note: str, replace: bool) -> None:
    """Add a saved evaluation under the name of its version."""
    from rapideval.judge.history import History

    with History(ctx.obj) as history:
        run = history.add(name, evaluation, note, replace)
    first = next(iter(run.summary))
    value = run.summary[first]
    shown = "undefined" if value is None else f"{value:.3f}"
    click.echo(f"added {name}: {first} {shown} on {run.images:,} images, to {ctx.obj}")


@command.command("show", cls=Verb)
@click.argument("name")
@json_option
@click.pass_context
def _show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show all that is kept of a run."""
    from rapideval.judge.history import History
    from rapideval.report.runs import run_text

    with History(ctx.obj) as history:
        run = history.get(name)
    if as_json:
        print_json(run)
    else:
        click.echo(run_text(run, page()))


@command.command("remove", cls=Verb)
@click.argument("name")
@click.pass_context
def _remove(ctx: click.Context, name: str) -> None:
    """Take a run out of the history; its evaluation stays where it is."""
    from rapideval.judge.history import History

    with History(ctx.obj) as history:
        run = history.remove(name)
    click.echo(f"removed {name}; its evaluation {run.path} was left alone")


@command.command("plot", cls=Verb)
@click.argument("metric")
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Draw it as .svg or .png (extra report).")
@click.pass_context
def _plot(ctx: click.Context, metric: str, out: str | None) -> None:
    """Draw a metric over the versions, in the order in which they were added."""
    from rapideval.judge.history import History
    from rapideval.report.runs import check_plotted, plot_text

    with History(ctx.obj) as history:
        found = check_plotted(history.runs(), metric, str(ctx.obj))
    click.echo(plot_text(found, metric, page()))
    if out is not None:
        from rapideval.report.charts import save_chart
        from rapideval.report.runs import plot_chart

        save_chart(plot_chart(found, metric), out)
        click.echo(f"\nwrote {out}")
