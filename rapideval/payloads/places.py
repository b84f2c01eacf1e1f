"""Where in an answer something stands, and the collecting of what is wrong there.

A place is written ``answer.json: $.result -> $[0].boxes[3][2]``: the document, a colon, and the JSON path. An arrow
means "whose text, read as JSON, at": the value left of it is a string that holds a document of its own. In a file of
JSON Lines the line comes first: ``batch.jsonl: line 7: $.result``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from rapideval.errors import InputError, Problem
from rapideval.payloads.redact import redact

__all__ = ["Notes", "Place", "Problems", "refuse", "show"]

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LONGEST_KEY = 60


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document.

    Attributes
    ----------
    document
        What the document is called: a file name, or ``"answer"``.
    path
        JSON path from its top, with an arrow for each string layer.
    layers
        How many string layers were opened on the way.
    rows
        Where this stands for chosen entries of a list: entry r of them is number ``rows[r]`` of the list.
    """

    document: str
    path: str = "$"
    layers: int = 0
    rows: tuple[int, ...] | None = None

    def __getitem__(self, step: str | int) -> Place:
        if isinstance(step, int):
            number = step if self.rows is None else self.rows[step]
            return replace(self, path=f"{self.path}[{number}]", rows=None)
        shown = step if len(step) <= _LONGEST_KEY else step[: _LONGEST_KEY - 1] + "…"
        if _PLAIN_KEY.match(step):
            return replace(self, path=f"{self.path}.{shown}")
        return replace(self, path=f"{self.path}[{json.dumps(shown, ensure_ascii=False)}]")

    def of_rows(self, rows: Sequence[int]) -> Place:
        """The same list, of which only these entries are meant."""
        return replace(self, rows=tuple(rows if self.rows is None else (self.rows[row] for row in rows)))

    def at(self, *steps: str | int) -> Place:
        """The place some steps further in."""
        place = self
        for step in steps:
            place = place[step]
        return place

    def inside(self) -> Place:
        """The top of the document that the text at this place holds."""
        return replace(self, path=f"{self.path} -> $", layers=self.layers + 1)

    def below(self, path: str) -> Place:
        """The place at a path ``[3].boxes`` (or ``$[3].boxes``) below this one."""
        return replace(self, path=self.path + path.removeprefix("$"))

    def __str__(self) -> str:
        return f"{self.document}: {redact(self.path)}"


def show(value: object, longest: int = 60) -> str:
    """A value as an error message shows it: short, and telling text from number."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        keys = ", ".join(json.dumps(key, ensure_ascii=False) for key in list(value)[:8])
        return f"an object with the keys {keys}{', …' if len(value) > 8 else ''}" if value else "an empty object {}"
    if isinstance(value, list):
        return f"an array of {len(value):,}" if value else "an empty array []"
    if isinstance(value, str):
        text = json.dumps(value[:longest], ensure_ascii=False)
        return f"the text {text}" if len(value) <= longest else f'the text {text[:-1]}…" of {len(value):,} characters'
    if isinstance(value, float):
        return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value), repr(value))
    text = str(value)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _clean(problem: Problem) -> Problem:
    return replace(problem, found=redact(problem.found), expected=redact(problem.expected), hint=redact(problem.hint))


def refuse(rule: str, place: Place | str, found: str, expected: str = "", hint: str = "") -> NoReturn:
    """Raise the InputError of one broken rule."""
    raise InputError(_clean(Problem(rule, str(place), found, expected, hint)))


class Problems:
    """What is wrong with an answer, listed up to a limit and counted beyond it."""

    def __init__(self, limit: int = 100) -> None:
        self.limit = limit
        self.listed: list[Problem] = []
        self.total = 0

    def __bool__(self) -> bool:
        return self.total > 0

    def add(
        self, rule: str, place: Place | str, found: str, expected: str = "", hint: str = "", count: int = 1
    ) -> None:
        """One more."""
        self.total += count
        if len(self.listed) < self.limit:
            self.listed.append(_clean(Problem(rule, str(place), found, expected, hint, count=count)))

    def extend(self, error: InputError) -> None:
        """Those of an error that was raised by a part."""
        self.total += error.total
        self.listed.extend(error.problems[: max(0, self.limit - len(self.listed))])

    def check(self) -> None:
        """Raise them, if there are any."""
        if self.total:
            raise InputError(self.listed, self.total)


class Notes:
    """Warnings and infos; those of one kind are one note, with the first place and their number."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, str], Problem] = {}

    def warn(
        self,
        rule: str,
        place: Place | str,
        found: str,
        expected: str = "",
        hint: str = "",
        count: int = 1,
        kind: str = "",
    ) -> None:
        """Something that is let through, though it is likely not meant. Notes of one rule and `kind` are one."""
        self._add(Problem(rule, str(place), found, expected, hint, "warning", count), kind)

    def tell(self, rule: str, place: Place | str, found: str, hint: str = "", count: int = 1, kind: str = "") -> None:
        """Something worth knowing."""
        self._add(Problem(rule, str(place), found, "", hint, "info", count), kind)

    def _add(self, problem: Problem, kind: str = "") -> None:
        key = (problem.rule, kind)
        first = self._notes.get(key)
        self._notes[key] = _clean(problem) if first is None else replace(first, count=first.count + problem.count)

    @property
    def listed(self) -> tuple[Problem, ...]:
        """The notes, in the order they were first met."""
        return tuple(self._notes.values())
