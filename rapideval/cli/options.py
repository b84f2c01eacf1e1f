"""Options that several verbs share: one name, one meaning, one help text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

__all__ = ["json_option"]

F = TypeVar("F", bound=Callable[..., Any])


def _note_json(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:
    # Errors are told where the group catches them, which knows this by the context alone.
    ctx.meta["rapideval.json"] = value
    return value


def json_option(function: F) -> F:
    """``--json``: one JSON document on stdout instead of tables."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=_note_json,
        help="Print one JSON document; its schema: rapideval schema.",
    )(function)
