"""Where output goes: documents to stdout for machines, text for people, news of progress to a terminal's stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import click

from rapideval.errors import Problem
from rapideval.report.text import Page

__all__ = ["Advance", "announce", "page", "print_json", "print_notes", "progress"]


class Advance(Protocol):
    """Says that some of the work is done."""

    def __call__(self, steps: int = 1) -> None:
        """Count so many steps as done."""


def _color() -> bool | None:
    context = click.get_current_context(silent=True)
    return None if context is None else context.color


def page() -> Page:
    """The page that people read: stdout."""
    return Page.of(sys.stdout, _color())


def announce(text: str) -> None:
    """Say something beside the result: on stderr."""
    click.echo(text, err=True)


def error_page() -> Page:
    """The page of what is said beside the result: stderr."""
    return Page.of(sys.stderr, _color())


def print_json(document: Any) -> None:
    """Print a document as JSON; NaN becomes null, keys keep the order of the type."""
    import msgspec

    click.echo(msgspec.json.format(msgspec.json.encode(document), indent=2))


def print_notes(problems: Sequence[Problem], paper: Page, total: int | None = None, err: bool = False) -> None:
    """Print what is worth knowing: errors and warnings in full, what was only noted in a line each."""
    loud = [problem for problem in problems if problem.severity != "info"]
    quiet = [problem for problem in problems if problem.severity == "info"]
    if loud:
        unlisted = 0 if total is None else total - sum(problem.count for problem in problems)
        listed = sum(problem.count for problem in loud)
        ordered = sorted(loud, key=lambda problem: problem.severity != "error")
        click.echo("\n" + paper.problems(ordered, listed + unlisted), err=err)
    if quiet:
        click.echo("\n" + paper.notes(quiet), err=err)


@contextlib.contextmanager
def progress(what: str, steps: int, least: int = 32) -> Iterator[Advance]:
    """Show a bar on stderr while work goes on, if that is a terminal and there are at least so many steps."""
    if steps < least or not sys.stderr.isatty():
        yield lambda steps=1: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=steps)

        def advance(steps: int = 1) -> None:
            bar.advance(task, steps)

        yield advance
