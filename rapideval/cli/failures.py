"""What a user sees of an error, and the exit code that follows from it. Imported only when there is one."""

from __future__ import annotations

import contextlib
import os
import sys

import click

from rapideval.errors import InputError, RapidevalError
from rapideval.payloads import redact
from rapideval.report.text import Page, clean

__all__ = ["report", "report_usage"]

REFUSED, FAULT, INTERRUPTED, PIPE_CLOSED = 2, 70, 130, 141

# package -> the extra that brings it
_EXTRAS = {
    "altair": "report",
    "dask": "distributed",
    "fsspec": "distributed",
    "multipart": "server",
    "starlette": "server",
    "uvicorn": "server",
    "vl_convert": "report",
}


def report(error: BaseException, *, debug: bool, as_json: bool) -> int:
    """Say on stderr what went wrong and give the exit code.

    Parameters
    ----------
    error
        What was raised.
    debug
        Show the traceback too.
    as_json
        The command was asked for JSON: the problems of an input go to stdout as a document (schema ``refusal``).
    """
    if isinstance(error, BrokenPipeError):
        # Who read the output has gone (`| head`); nothing more may be flushed into the closed pipe.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    if debug:
        import traceback

        click.echo(redact("".join(traceback.format_exception(error))), err=True, nl=False)
    if isinstance(error, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    page = Page.of(sys.stderr, click.get_current_context().color)
    if isinstance(error, InputError):
        click.echo(redact(page.problems(error.problems, error.total)), err=True)
        if as_json:
            from rapideval.cli.documents import print_refusal

            print_refusal(error)
        return REFUSED
    text, code = _message(error)
    _print_error(page, text)
    if code == FAULT and not debug:
        click.echo("This is a fault of rapideval: rapideval --debug ... shows where it happened.", err=True)
    return code


def report_usage(error: click.ClickException | click.Abort) -> int:
    """Say on stderr what was wrong with a command line and give the exit code."""
    if isinstance(error, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    if type(error).__name__ == "NoArgsIsHelpError":  # of click from 8.2 on
        error.show()
        return REFUSED
    context = error.ctx if isinstance(error, click.UsageError) else None
    _print_error(Page.of(sys.stderr, context.color if context else None), error.format_message())
    if context is not None:
        click.echo(f"{context.get_usage().strip()}\nTry: {context.command_path} --help", err=True)
    return REFUSED


def _print_error(page: Page, text: str) -> None:
    lines = [clean(line) for line in redact(text).split("\n")]
    click.echo("\n".join([f"{page.mark('error:', 'error')} {lines[0]}", *lines[1:]]), err=True)


def _message(error: BaseException) -> tuple[str, int]:
    """Text of an error that has no problems to list, and its exit code."""
    if isinstance(error, RapidevalError):
        return str(error), REFUSED
    if isinstance(error, OSError):
        reason = error.strerror or str(error)
        return f"{os.fsdecode(error.filename)}: {reason}" if error.filename is not None else reason, REFUSED
    if isinstance(error, MemoryError):
        return "there is not enough memory for this", REFUSED
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        extra = _EXTRAS.get(package)
        if extra:
            return f"this needs {package}, which is not installed: pip install 'rapideval[{extra}]'", REFUSED
        return f"the package {package} is not installed: pip install {package}", REFUSED
    return f"{type(error).__name__}: {error}", FAULT
