"""``rapideval gate``: a policy held against a candidate, with the verdict as exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from rapideval.cli.evaluations import attributes_option, load_pair, page_options, pair_options, write_page
from rapideval.cli.help import Verb
from rapideval.cli.options import json_option, threads_option
from rapideval.cli.output import page, print_json

if TYPE_CHECKING:
    from rapideval.metrics.protocol import Task

__all__ = ["command"]

POLICY = "gate.toml"


@click.command(
    "gate",
    cls=Verb,
    examples=(
        ("Write a policy with every key explained", "rapideval gate init"),
        ("Hold it against a candidate", "rapideval gate v1.parquet v2.parquet --policy gate.toml"),
        ("Two runs of the history, by name", "rapideval gate v1 v2"),
        (
            "Straight from answers",
            "rapideval gate v1-answers/ v2-answers/ --ground-truth holdout.json --task instance",
        ),
        (
            "With a page of all of it, regressions drawn over the photographs",
            "rapideval gate v1/ v2/ --ground-truth holdout.json --html report.html --images photographs/",
        ),
        (
            "In continuous integration",
            "rapideval gate v1.parquet v2.parquet --junit gate.xml --markdown comment.md --annotations",
        ),
    ),
    exit_codes=((0, "pass"), (1, "fail"), (2, "wrong usage, or an input that cannot be read"), (3, "inconclusive")),
)
@click.argument("baseline", metavar="BASELINE | init")
@click.argument("candidate", metavar="CANDIDATE", required=False)
@click.option("--policy", type=click.Path(dir_okay=False), default=POLICY, help="The policy file.")
@pair_options
@attributes_option
@click.option("--markdown", type=click.Path(dir_okay=False), metavar="FILE", help="Write a table for a pull request.")
@click.option("--junit", type=click.Path(dir_okay=False), metavar="FILE", help="Write JUnit XML.")
@click.option("--annotations", is_flag=True, help="Print GitHub annotations beside the result, on stderr.")
@page_options
@threads_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    baseline: str,
    candidate: str | None,
    policy: str,
    runs: str | None,
    ground_truth: str | None,
    task: Task,
    attributes: str | None,
    markdown: str | None,
    junit: str | None,
    annotations: bool,
    html: str | None,
    images: str | None,
    charts: str | None,
    threads: int,
    as_json: bool,
) -> None:
    """Decide whether a candidate may replace the baseline.

    BASELINE and CANDIDATE are evaluations of one holdout: files as `rapideval evaluate --save` writes them, names of
    runs (`rapideval runs`), or, with --ground-truth, predictions or answers. The policy says what the candidate must
    keep; each rule passes, fails, or is inconclusive where the holdout cannot tell.
    `rapideval gate init` writes a policy (to gate.toml, or to the file named instead of CANDIDATE).
    """
    if baseline == "init":
        _init(candidate or policy)
        return
    if candidate is None:
        raise click.UsageError("two evaluations are needed: BASELINE and CANDIDATE")
    from rapideval.judge import Policy, gate, read_attributes
    from rapideval.report.verdicts import chart_images, gate_markdown, gate_text

    rules = Policy.read(policy)
    pair = load_pair(baseline, candidate, runs=runs, ground_truth=ground_truth, task=task, threads=threads)
    columns = read_attributes(attributes, pair.baseline.images) if attributes else None
    result = gate(pair.baseline, pair.candidate, rules, attributes=columns, source=policy, threads=threads)
    written = []
    if html is not None or charts is not None:
        from rapideval.judge import compare

        settings = rules.settings
        compared = compare(
            *(pair.baseline, pair.candidate),
            level=settings.level,
            draws=settings.draws,
            seed=settings.seed,
            threads=threads,
        )
        written = write_page(pair, compared, result, html, images, charts)
    if markdown is not None:
        _write(markdown, gate_markdown(result, chart_images(written, Path(markdown).parent)))
    if junit is not None:
        from rapideval.report.ci import gate_junit

        _write(junit, gate_junit(result))
    if annotations:
        from rapideval.report.ci import gate_annotations

        click.echo(gate_annotations(result), nl=False, err=True)
    if as_json:
        print_json(result)
    else:
        click.echo(gate_text(result, page()))
        if written:
            click.echo("\nwrote " + ", ".join(written))
    ctx.exit(result.exit_code)


def _init(path: str) -> None:
    from rapideval.judge.policy import TEMPLATE

    if Path(path).exists():
        raise click.UsageError(f"{path} exists already; name another file: rapideval gate init FILE")
    _write(path, TEMPLATE)
    click.echo(f"{path}: a policy with every key explained. Edit it, then: rapideval gate BASELINE CANDIDATE")


def _write(path: str, text: str) -> None:
    from rapideval.formats.files import whole_file

    with whole_file(path) as stream:
        stream.write(text.encode())
