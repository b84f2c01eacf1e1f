"""The command line: one module a verb, imported when that verb is used."""

from rapideval.cli.group import rapideval as main

__all__ = ["main"]
