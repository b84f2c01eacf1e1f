"""``rapideval validate``: a check for scripts and hooks, with an exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rapideval.cli.help import Verb
from rapideval.cli.options import INPUT, FormatName, answer_options, json_option, reading, reading_options
from rapideval.cli.output import page, print_json, print_notes
from rapideval.errors import InputError, Problem

if TYPE_CHECKING:
    from rapideval.cli.documents import CheckedFile
    from rapideval.loading import Loaded
    from rapideval.model import Dataset
    from rapideval.report.text import Page

__all__ = ["command"]

# Not the content is at fault: there is nothing that could be checked.
UNREADABLE = {"file", "file-missing", "file-folder", "file-unreadable"}


@click.command(
    "validate",
    cls=Verb,
    examples=(
        ("Check a file", "rapideval validate truth.json"),
        ("Would these be scored?", "rapideval validate predictions.json --ground-truth truth.json"),
        ("In GitHub's CI: problems as annotations of the files", "rapideval validate labels/*.json --github"),
    ),
    exit_codes=(
        (0, "no errors; with --strict: no warnings either"),
        (1, "problems found"),
        (2, "wrong usage, or a file that cannot be read"),
    ),
)
@click.argument("sources", metavar="FILE...", type=INPUT, nargs=-1, required=True)
@click.option("--from", "--payload", "source_format", type=FormatName(), help="What they are; found from the content.")
@click.option("--ground-truth", metavar="FILE", help="Check predictions against it, as evaluate does before it scores.")
@click.option(
    "--task",
    type=click.Choice(["detection", "instance", "semantic"]),
    default="detection",
    help="What they are to be scored by; with --ground-truth.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--allow", metavar="RULE", multiple=True, help="Let a rule of the pre-flight pass; repeatable.")
@click.option("--github", is_flag=True, help="Print problems as annotations of GitHub Actions.")
@reading_options
@json_option
@answer_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    sources: tuple[str, ...],
    source_format: str | None,
    ground_truth: str | None,
    task: str,
    strict: bool,
    allow: tuple[str, ...],
    github: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Check files and answers, and say all that is wrong.

    Each FILE is a file of any format that is read, a recorded answer or a folder of answers. Problems are told with
    their place, what was found, what was expected, and the id of the rule.

    Errors are what reading refuses, and what would give a plausible wrong number; warnings are what looks suspicious.
    What was mended or derived is only noted.
    """
    from rapideval.cli.documents import Validation
    from rapideval.loading import load

    if github and as_json:
        raise click.UsageError("--github and --json: one or the other")
    truth = load(ground_truth).dataset if ground_truth else None
    chosen = reading(options)
    files = [_check(source, source_format, truth, task, allow, chosen) for source in sources]
    document = Validation.of(files, strict)
    if as_json:
        print_json(document)
    elif github:
        from rapideval.report.github import github_annotations

        problems = [(file.source, problem) for file in files for problem in file.problems]
        click.echo(github_annotations(problems), nl=False)
    else:
        _print(document.files, page())
    if not document.valid:
        ctx.exit(1)


def _check(
    source: str,
    source_format: str | None,
    truth: Dataset | None,
    task: str,
    allow: tuple[str, ...],
    options: dict[str, Any],
) -> CheckedFile:
    from rapideval.cli.documents import CheckedFile
    from rapideval.loading import load

    try:
        loaded = load(source, source_format, ground_truth=truth, **options)
    except InputError as error:
        if error.rule in UNREADABLE:
            raise
        return CheckedFile.of(source, None, error.problems, error.total)
    try:
        found = _preflight(loaded, truth, source, task, allow)
        return CheckedFile.of(source, loaded.source.name, [*found, *loaded.dataset.notes])
    except InputError as error:
        total = error.total + sum(note.count for note in loaded.dataset.notes)
        return CheckedFile.of(source, loaded.source.name, [*error.problems, *loaded.dataset.notes], total)


def _preflight(
    loaded: Loaded, truth: Dataset | None, source: str, task: str, allow: tuple[str, ...]
) -> tuple[Problem, ...]:
    from rapideval.metrics import guards
    from rapideval.model import align

    if truth is None:
        return guards.check_alone(loaded.dataset, source, allow)
    return guards.check(truth, loaded.dataset, align(truth, loaded.dataset), task, allow)


def _print(files: list[CheckedFile], paper: Page) -> None:
    for place, file in enumerate(files):
        if place:
            click.echo()
        verdict = paper.mark("valid", "good")
        if file.errors:
            verdict = paper.mark(f"{file.errors:,} error{'' if file.errors == 1 else 's'}", "error")
        elif file.warnings:
            verdict = paper.mark(f"{file.warnings:,} warning{'' if file.warnings == 1 else 's'}", "warning")
        click.echo(paper.heading(file.source, file.format or "not read") + f"  {verdict}")
        if file.problems:
            print_notes(file.problems, paper, file.problem_count)
