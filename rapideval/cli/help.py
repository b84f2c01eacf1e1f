"""How help is laid out: sections, examples, exit codes."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import click

__all__ = ["Formatted", "Option", "Verb"]

Example = tuple[str, str]
"""What it does, and the command line."""


OTHER = "Options"


class Option(click.Option):
    """An option that help lists under a section."""

    def __init__(self, *args: Any, section: str = OTHER, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Formatter(click.HelpFormatter):
    """Headings in bold; click takes the codes out where the output is not a terminal."""

    def write_heading(self, heading: str) -> None:
        """Write the heading of a section."""
        self.write(f"{'':>{self.current_indent}}{click.style(heading, bold=True)}\n")

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """Write how the command is called."""
        super().write_usage(prog, args, click.style("Usage:", bold=True) + " " if prefix is None else prefix)


class Context(click.Context):
    """The context of every command here."""

    formatter_class = Formatter


class Formatted(click.Command):
    """A command whose help ends with examples and exit codes.

    Parameters
    ----------
    examples
        What each does, and its command line.
    exit_codes
        Codes and what they mean; for a verb only those that say more than those of the group.
    """

    context_class = Context

    def __init__(
        self,
        *args: Any,
        examples: Sequence[Example] = (),
        exit_codes: Sequence[tuple[int, str]] = (),
        **kwargs: Any,
    ) -> None:
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 100, "show_default": True}
        kwargs["context_settings"] = settings | (kwargs.get("context_settings") or {})
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.exit_codes = exit_codes

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by section, those without one first; in a group also the commands."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                sections.setdefault(getattr(parameter, "section", OTHER), []).append(record)
        for name in sorted(sections, key=lambda name: name != OTHER):
            with formatter.section(name):
                formatter.write_dl(sections[name])
        if isinstance(self, click.Group):
            self.format_commands(ctx, formatter)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the examples and the exit codes."""
        if self.examples:
            with formatter.section("Examples"):
                for place, (what, line) in enumerate(self.examples):
                    if place:
                        formatter.write_paragraph()
                    formatter.write_text(what)
                    indent = " " * formatter.current_indent
                    formatter.write("".join(f"{indent}{part}\n" for part in _prompt(line)))
        if self.exit_codes:
            with formatter.section("Exit codes"):
                formatter.write_dl([(str(code), meaning) for code, meaning in self.exit_codes])
        super().format_epilog(ctx, formatter)


def _prompt(line: str) -> list[str]:
    """The lines of an example, commands marked with a dollar sign."""
    return [click.style(f"$ {part}", fg="cyan") for part in inspect.cleandoc(line).split("\n")]


class Verb(Formatted):
    """One verb."""
