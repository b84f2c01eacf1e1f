"""What a reader mends, derives or skips, for `Dataset.notes`, and what it refuses, for the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from rapideval._core import CoreError
from rapideval.errors import FormatError, Problem

__all__ = ["Report", "core_problem"]

MOST = 100

# rules of the COCO kernels that reading with lenient=True may mend
_MENDABLE = {"coco-id", "coco-id-mixed", "coco-iscrowd", "coco-number", "coco-bbox"}


class Report:
    """Problems of one document.

    Parameters
    ----------
    name
        What messages call the document.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: list[Problem] = []
        self.errors: list[Problem] = []
        self._total = 0

    def note(
        self,
        rule: str,
        found: str,
        where: str = "",
        *,
        expected: str = "",
        hint: str = "",
        severity: Literal["warning", "info"] = "info",
        count: int = 1,
    ) -> None:
        """Something that was mended, derived or skipped."""
        place = f"{self.name}: {where}" if where else self.name
        self.notes.append(Problem(rule, place, found, expected, hint, severity, count))

    def refuse(self, rule: str, where: str, found: str, expected: str, hint: str = "", count: int = 1) -> None:
        """Something that cannot be trusted; `close` raises."""
        self._total += count
        if len(self.errors) < MOST:
            self.errors.append(
                Problem(rule, f"{self.name}: {where}" if where else self.name, found, expected, hint, "error", count)
            )

    def refuse_rows(
        self,
        rule: str,
        rows: npt.NDArray[np.int64],
        where: Callable[[int], str],
        found: Callable[[int], str],
        expected: str,
        hint: str = "",
    ) -> None:
        """Refuse several rows for one reason: the first is named, all are counted."""
        if len(rows):
            first = int(rows[0])
            self.refuse(rule, where(first), found(first), expected, hint, len(rows))

    def add(self, problems: list[CoreError], total: int) -> None:
        """Take over what a kernel collected."""
        for problem in problems:
            if not problem.hint and problem.rule in _MENDABLE and problem.found.startswith('"'):
                problem.hint = "lenient=True (--lenient) reads numbers and flags that are written as text"
            self.errors.append(core_problem(problem, self.name))
        self._total += max(total, len(problems))

    def close(self) -> None:
        """Raise all that was refused, if anything was."""
        if self.errors:
            raise FormatError(self.errors, self._total)


def core_problem(error: CoreError, name: str) -> Problem:
    """Turn the error of a kernel into what a user reads."""
    where = f"{name}: {error.path}" if error.path else name
    if error.line is not None:
        where += f" (line {error.line})" if error.path else f": line {error.line}"
    return Problem(error.rule, where, error.found, error.expected, error.hint)
