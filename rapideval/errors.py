"""Every error a user can meet.

An error says *where* (file, JSON path or line), what was *found*, what was *expected* and, where a likely
cause is known, a *hint*. Each kind of problem has a stable rule id. All problems of an input are collected
up to a limit and raised together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "EndpointError",
    "EvaluationError",
    "FormatError",
    "InputError",
    "Problem",
    "RapidevalError",
    "StorageError",
    "UsageError",
]

Severity = Literal["error", "warning", "info"]

SHOWN_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, or worth knowing, about an input.

    Attributes
    ----------
    rule
        Stable id of the rule that was broken, such as ``"M24"`` or ``"box-corners"``.
    where
        The place: ``"predictions.json: $[3].bbox[2]"``, ``"labels.txt: line 14"``.
    found, expected
        What stands there, and what should.
    hint
        A likely cause and its remedy, or ``""``.
    severity
        ``"error"`` refuses the input, ``"warning"`` lets it through and says so, ``"info"`` only tells.
    count
        How many times it was met; ``where`` is the first of them.
    """

    rule: str
    where: str
    found: str
    expected: str = ""
    hint: str = ""
    severity: Severity = "error"
    count: int = 1

    def __str__(self) -> str:
        text = f"{self.where}: " if self.where else ""
        text += f"found {self.found}"
        if self.expected:
            text += f", expected {self.expected}"
        if self.count > 1:
            text += f" ({self.count:,} times, this is the first)"
        if self.hint:
            text += f"; hint: {self.hint}"
        return f"{text} [{self.rule}]"


class RapidevalError(Exception):
    """Root of every error raised on purpose; the command line prints its message without a traceback."""


class UsageError(RapidevalError, ValueError):
    """A call that cannot be carried out as asked: contradictory or unknown options."""


class InputError(RapidevalError, ValueError):
    """An input that cannot be trusted: malformed, out of range, inconsistent.

    Parameters
    ----------
    problems
        What is wrong, at least one, in the order of the input. More than ``total`` are not listed.
    total
        How many problems there are, where the list was cut.
    """

    def __init__(self, problems: Problem | Iterable[Problem], total: int | None = None) -> None:
        listed = (problems,) if isinstance(problems, Problem) else tuple(problems)
        if not listed:
            raise ValueError("an InputError needs at least one problem")
        self.problems: tuple[Problem, ...] = listed
        self.total = max(total or 0, sum(p.count for p in listed))
        super().__init__(describe(listed, self.total))

    def __reduce__(self) -> tuple[type[InputError], tuple[tuple[Problem, ...], int]]:
        return type(self), (self.problems, self.total)

    @property
    def rule(self) -> str:
        """Rule id of the first problem."""
        return self.problems[0].rule


class FormatError(InputError):
    """A file that is not what its format says."""


class EvaluationError(InputError):
    """Ground truth and predictions that would give a plausible wrong number, or cannot be scored."""


class EndpointError(RapidevalError):
    """A hosted endpoint that refused, failed or did not answer."""


class StorageError(RapidevalError, OSError):
    """A file of the project's own that cannot be kept: the disk is full, it is in use, or it is damaged."""


def describe(problems: Sequence[Problem], total: int | None = None) -> str:
    """Text of several problems: the first ones in full, the rest counted by rule."""
    total = total if total is not None else sum(p.count for p in problems)
    if len(problems) == 1:
        return str(problems[0])
    lines = [f"{total:,} problems"]
    lines += [f"  {problem}" for problem in problems[:SHOWN_PROBLEMS]]
    hidden = Counter[str]()
    for problem in problems[SHOWN_PROBLEMS:]:
        hidden[problem.rule] += problem.count
    if hidden:
        lines.append("  and " + ", ".join(f"{n:,} × {rule}" for rule, n in sorted(hidden.items())))
    return "\n".join(lines)
