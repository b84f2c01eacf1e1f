"""Where output goes: documents to stdout for machines, text for people, news of progress to a terminal's stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any, Protocol

import click

from rapideval.report.text import Page

__all__ = ["Advance", "announce", "page", "print_json", "progress"]


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
