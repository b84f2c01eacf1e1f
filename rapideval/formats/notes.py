"""What a reader mends, derives or skips, for `Dataset.notes`, and what it refuses, for the error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from rapideval._core import CoreError
from rapideval.errors import FormatError, Problem

__all__ = ["Place", "Report", "core_problem"]

MOST = 100

# rules of the COCO kernels that reading with lenient=True may mend
_MENDABLE = {"coco-id", "coco-id-mixed", "coco-iscrowd", "coco-number", "coco-bbox"}


class Place(NamedTuple):
    """Where something stands: a document, and a template whose ``{row}`` is a number.

    Many places of a document share the first two.

    Examples
    --------
    >>> str(Place("a.json", "$.shapes[{row}]", 3))
    'a.json: $.shapes[3]'
    """

    document: str
    template: str = ""
    row: int = 0

    def __str__(self) -> str:
        inside = self.template.replace("{row}", str(self.row))
        return f"{self.document}: {inside}" if inside else self.document


class Report:
    """Problems of one document, or of the documents of a folder.

    Parameters
    ----------
    name
        What messages call the document.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.notes: list[Problem] = []
        self.errors: list[Problem] = []
        self._total = [0]  # a list, as reports of a folder's documents share it

    def within(self, name: str) -> Report:
        """The same report for one document of a folder: only the name in messages is another."""
        report = Report(name)
        report.notes, report.errors, report._total = self.notes, self.errors, self._total
        return report

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
        self._total[0] += count
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
        self._total[0] += max(total, len(problems))

    def close(self) -> None:
        """Raise all that was refused, if anything was."""
        if self.errors:
            raise FormatError(self.errors, self._total[0])


def core_problem(error: CoreError, name: str) -> Problem:
    """Turn the error of a kernel into what a user reads."""
    where = f"{name}: {error.path}" if error.path else name
    if error.line is not None:
        where += f" (line {error.line})" if error.path else f": line {error.line}"
    return Problem(error.rule, where, error.found, error.expected, error.hint)
