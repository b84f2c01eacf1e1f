"""Problems as annotations of GitHub Actions (workflow commands)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rapideval.errors import Problem
from rapideval.report.text import clean

__all__ = ["github_annotations", "workflow_command"]

_LINE = re.compile(r"\bline ([0-9]+)")
_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def github_annotations(problems: Iterable[tuple[str, Problem]]) -> str:
    """One line for each problem, with the file it is in, and the line where the problem tells it.

    Examples
    --------
    >>> print(github_annotations([("a.txt", Problem("label-name", "a.txt: line 3", "''", "a name"))]), end="")
    ::error file=a.txt,line=3,title=label-name::a.txt: line 3: found '', expected a name
    """
    lines = []
    for name, problem in problems:
        line = _LINE.search(problem.where)
        place = {"file": name, "line": line[1]} if line else {"file": name}
        text = str(problem).removesuffix(f" [{problem.rule}]")
        lines.append(workflow_command(_COMMANDS[problem.severity], text, **place, title=problem.rule))
    return "".join(lines)


def workflow_command(level: str, text: str, **properties: str) -> str:
    """One annotation, as a line: ``level`` is error, warning or notice.

    See https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands.
    """
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {listed}::{_data(text)}\n"


def _data(text: str) -> str:
    """Text of a command: what would end it, or begin an escape, is escaped."""
    return clean(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
