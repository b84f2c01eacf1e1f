"""Reading saved evaluations for the verbs that compare two."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from rapideval.metrics import Evaluation

__all__ = ["attributes_option", "load_pair"]

F = TypeVar("F", bound=Callable[..., Any])

EVALUATION = click.Path(exists=True, dir_okay=False)


def load_pair(baseline: str, candidate: str) -> tuple[Evaluation, Evaluation]:
    """Two saved evaluations."""
    from rapideval.metrics import Evaluation

    return Evaluation.load(baseline), Evaluation.load(candidate)


def attributes_option(function: F) -> F:
    """``--attributes FILE``: columns of image attributes."""
    return click.option(
        "--attributes",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Attributes of images for slices such as light:night: CSV or JSON with a column 'image'.",
    )(function)
