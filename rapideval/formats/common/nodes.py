"""JSON documents walked value by value, with the place of each in every message."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any, NoReturn

import msgspec

from rapideval.errors import FormatError, Problem
from rapideval.formats.files import Source
from rapideval.formats.notes import Place, Report

__all__ = ["Node", "Refused", "decoded", "decoded_lines", "guarded", "shown"]


class Refused(Exception):
    """A value that its report has refused; what it belongs to is left out, and reading goes on to find the rest."""


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    """Go on behind the block where something in it was refused: `Report.close` raises at the end."""
    with contextlib.suppress(Refused):
        yield


def decoded(source: Source, report: Report | None = None) -> Node:
    """The JSON document of a source.

    Raises
    ------
    FormatError
        ``json-empty``, ``json-syntax``, ``json-utf8``.
    """
    report = report or Report(source.name)
    data = source.data().removeprefix(b"\xef\xbb\xbf")
    try:
        return Node(msgspec.json.decode(data), "$", report)
    except UnicodeDecodeError:
        problem = Problem("json-utf8", report.name, "bytes that are not UTF-8", "UTF-8")
    except (msgspec.MsgspecError, RecursionError) as error:
        problem = Problem("json-syntax" if data.strip() else "json-empty", report.name, str(error), "a JSON document")
    raise FormatError(problem)


def decoded_lines(source: Source, report: Report) -> Iterator[Node]:
    """JSON documents of a source that has one a line; a line that is none is refused, and those behind it are read.

    Raises
    ------
    FormatError
        ``json-empty`` for a source without any.
    """
    data = source.data().removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise FormatError(Problem("json-empty", report.name, "an empty file", "JSON lines"))
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.strip():
            try:
                yield Node(msgspec.json.decode(line), f"line[{number}]", report)
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                report.refuse("json-syntax", f"line[{number}]", str(error), "a JSON document")


def shown(value: Any, longest: int = 60) -> str:
    """How a message shows a JSON value."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    text = msgspec.json.encode(value).decode() if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= longest else text[:longest] + "..."


class Node:
    """A value of a JSON document.

    Attributes
    ----------
    value
        As decoded.
    path
        Its place, ``$.images[3].name``.
    report
        Where problems go.

    Examples
    --------
    >>> node = Node({"a": [1.5, "x"]}, "$", Report("a.json"))
    >>> [item.path for item in node["a"]], next(iter(node["a"])).number()
    (['$.a[0]', '$.a[1]'], 1.5)
    """

    __slots__ = ("path", "report", "value")

    def __init__(self, value: Any, path: str, report: Report) -> None:
        self.value, self.path, self.report = value, path, report

    def refuse(self, rule: str, found: str, expected: str, hint: str = "") -> NoReturn:
        """Refuse this value."""
        self.report.refuse(rule, self.path, found, expected, hint)
        raise Refused

    @property
    def place(self) -> Place:
        """Where it stands; its last place in an array is the row."""
        before, bracket, rest = self.path.rpartition("[")
        row, _, after = rest.partition("]")
        if not bracket:
            return Place(self.report.name, self.path)
        return Place(self.report.name, f"{before}[{{row}}]{after}", int(row))

    # --- what is in it -------------------------------------------------------------------------

    def __contains__(self, key: str) -> bool:
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def __getitem__(self, key: str) -> Node:
        members = self.members()
        if key not in members:
            self.refuse("json-key", "no such key" if members else "an empty object", f"the key {key!r}")
        return Node(members[key], f"{self.path}.{key}", self.report)

    def get(self, key: str) -> Node | None:
        """The value of a key; None where it is not there, or null."""
        value = self.members().get(key)
        return None if value is None else Node(value, f"{self.path}.{key}", self.report)

    def __iter__(self) -> Iterator[Node]:
        for place, value in enumerate(self.items()):
            yield Node(value, f"{self.path}[{place}]", self.report)

    def entries(self) -> Iterator[tuple[str, Node]]:
        """Keys and values of an object."""
        for key, value in self.members().items():
            yield key, Node(value, f"{self.path}.{key}", self.report)

    def rest(self, *known: str) -> dict[str, Any]:
        """Members of an object besides those that are known."""
        return {key: value for key, value in self.members().items() if key not in known}

    # --- what it is ----------------------------------------------------------------------------

    def members(self) -> dict[str, Any]:
        """It as an object."""
        if not isinstance(self.value, dict):
            self.refuse("json-type", shown(self.value), "an object")
        return self.value

    def items(self) -> list[Any]:
        """It as an array."""
        if not isinstance(self.value, list):
            self.refuse("json-type", shown(self.value), "an array")
        return self.value

    def text(self) -> str:
        """It as a text."""
        if not isinstance(self.value, str):
            self.refuse("json-type", shown(self.value), "a text")
        return self.value

    def number(self, low: float | None = None, high: float | None = None) -> float:
        """It as a number, within bounds where there are such."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.refuse("json-type", shown(value), "a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            self.refuse("json-number", shown(value), "a number that a double holds")
        if (low is not None and number < low) or (high is not None and number > high):
            bounds = f"from {low:g} to {high:g}" if low is not None and high is not None else f"{low:g} or more"
            self.refuse("json-number", shown(value), f"a number {bounds}")
        return number

    def numbers(self, count: int | None = None) -> list[float]:
        """It as an array of numbers, so many where a count is given."""
        items = self.items()
        if count is not None and len(items) != count:
            self.refuse("json-type", shown(items), f"{count} numbers")
        if all(type(item) is float and math.isfinite(item) for item in items):  # the common case, without nodes
            return items
        return [item.number() for item in self]

    def whole(self, low: int | None = None) -> int:
        """It as a whole number; 3.0 is one."""
        number = self.value
        if isinstance(number, float) and number.is_integer():
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int) or abs(number) >= 2**63:
            self.refuse("json-type", shown(self.value), "a whole number")
        if low is not None and number < low:
            self.refuse("json-number", shown(self.value), f"a whole number of {low} or more")
        return number

    def size(self) -> int:
        """It as a width or height in pixels."""
        number = self.whole(1)
        if number >= 2**31:
            self.refuse("image-size", shown(self.value), "a size below 2^31")
        return number

    def flag(self) -> bool:
        """It as true or false; 1 and 0 are taken for them."""
        if self.value not in (True, False, 1, 0):
            self.refuse("json-type", shown(self.value), "true or false")
        return bool(self.value)

    def score(self) -> float:
        """It as a confidence from 0 to 1."""
        value = self.number()
        if not 0 <= value <= 1:
            hint = "scores in percent?" if 1 < value <= 100 else ""
            self.refuse("score-range", shown(self.value), "a score from 0 to 1", hint)
        return value

    def points(self) -> list[list[float]]:
        """It as an array of pairs x, y."""
        return [pair.numbers(2) for pair in self]
