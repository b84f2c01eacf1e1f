"""XML documents walked element by element, with the place of each in every message; how writers make them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn
from xml.etree import ElementTree  # to write; what is read goes through defusedxml

from rapideval.errors import FormatError, Problem, UsageError
from rapideval.formats.common.nodes import Refused
from rapideval.formats.files import Source
from rapideval.formats.notes import Place, Report

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element as Tree

__all__ = ["Element", "Text", "add", "parsed", "xml_of"]

_UNSAYABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parsed(source: Source, report: Report | None = None) -> Element:
    """The root of an XML document. Entities, which can grow without bound or fetch files, are refused.

    Raises
    ------
    FormatError
        ``xml-empty``, ``xml-syntax``, ``xml-entities``.
    """
    import defusedxml
    import defusedxml.ElementTree

    report = report or Report(source.name)
    data = source.data()
    try:
        root = defusedxml.ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        if isinstance(error, defusedxml.DefusedXmlException):
            problem = Problem("xml-entities", report.name, "a document that declares entities", "plain XML")
        else:
            problem = Problem("xml-syntax" if data.strip() else "xml-empty", report.name, str(error), "an XML document")
        raise FormatError(problem) from None
    return Element(root, str(root.tag), report)


class Text:
    """A text of a document: of an element, or of an attribute."""

    __slots__ = ("path", "report", "value")

    def __init__(self, value: str, path: str, report: Report) -> None:
        self.value, self.path, self.report = value, path, report

    def refuse(self, rule: str, expected: str, hint: str = "") -> NoReturn:
        """Refuse it."""
        self.report.refuse(rule, self.path, repr(self.value[:60]), expected, hint)
        raise Refused

    def number(self, low: float | None = None) -> float:
        """It as a number."""
        try:
            number = math.nan if "_" in self.value else float(self.value)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            self.refuse("xml-number", "a number")
        if low is not None and number < low:
            self.refuse("xml-number", f"a number of {low:g} or more")
        return number

    def whole(self, low: int | None = None) -> int:
        """It as a whole number; 3.0 is one."""
        number = self.number(low)
        if not number.is_integer() or abs(number) >= 2**31:
            self.refuse("xml-number", "a whole number below 2^31")
        return int(number)

    def flag(self) -> bool:
        """It as yes or no: 1 and 0, true and false, yes and no."""
        known = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}
        if self.value.lower() not in known:
            self.refuse("xml-flag", "1 or 0")
        return known[self.value.lower()]


class Element:
    """An element.

    Attributes
    ----------
    node
        As parsed.
    path
        Its place, ``annotation.object[2].bndbox``.
    report
        Where problems go.
    """

    __slots__ = ("node", "path", "report")

    def __init__(self, node: Tree, path: str, report: Report) -> None:
        self.node, self.path, self.report = node, path, report

    @property
    def tag(self) -> str:
        """Its name."""
        return str(self.node.tag)

    @property
    def place(self) -> Place:
        """Where it stands; its last place among its like is the row."""
        before, bracket, rest = self.path.rpartition("[")
        row, _, after = rest.partition("]")
        if not bracket:
            return Place(self.report.name, self.path)
        return Place(self.report.name, f"{before}[{{row}}]{after}", int(row))

    def refuse(self, rule: str, found: str, expected: str, hint: str = "") -> NoReturn:
        """Refuse it."""
        self.report.refuse(rule, self.path, found, expected, hint)
        raise Refused

    def find(self, name: str) -> Element | None:
        """The first element of a name in it."""
        node = self.node.find(name)
        return None if node is None else Element(node, f"{self.path}.{name}", self.report)

    def child(self, name: str) -> Element:
        """The first element of a name in it, which must be there."""
        found = self.find(name)
        if found is None:
            self.refuse("xml-element", f"no <{name}>", f"an element <{name}>")
        return found

    def all(self, *names: str) -> Iterator[Element]:
        """Elements of these names in it, or all, in order; numbered from 0 among their like."""
        counts: dict[str, int] = {}
        for node in self.node:
            tag = str(node.tag)
            if not names or tag in names:
                number = counts[tag] = counts.get(tag, -1) + 1
                yield Element(node, f"{self.path}.{tag}[{number}]", self.report)

    @property
    def text(self) -> Text:
        """What stands in it, without white space around."""
        return Text((self.node.text or "").strip(), self.path, self.report)

    def text_of(self, name: str) -> Text:
        """What stands in the first element of a name, which must be there."""
        return self.child(name).text

    def word(self, name: str) -> str:
        """What stands in the first element of a name, ``""`` where there is none."""
        found = self.find(name)
        return "" if found is None else found.text.value

    def has(self, name: str) -> bool:
        """Whether it has an attribute."""
        return name in self.node.attrib

    def attribute(self, name: str) -> Text:
        """An attribute, which must be there."""
        value = self.node.get(name)
        if value is None:
            self.refuse("xml-attribute", f"no attribute {name}", f"the attribute {name}")
        return Text(value, f"{self.path}@{name}", self.report)

    def get(self, name: str, default: str = "") -> str:
        """An attribute, or what stands for it."""
        return self.node.get(name, default)


# --- writing -----------------------------------------------------------------------------------------


def add(parent: Tree, tag: str, text: str | float | None = None, **attributes: str | float) -> Tree:
    """Append an element; numbers are written so that reading gives the same."""
    node = ElementTree.SubElement(parent, tag, {name: _said(value) for name, value in attributes.items()})
    if text is not None:
        node.text = _said(text)
    return node


def _said(value: str | float) -> str:
    if isinstance(value, str):
        found = _UNSAYABLE.search(value)
        if found:
            raise UsageError(f"{value!r} has the character {found[0]!r}, which XML cannot hold")
        return value
    return repr(int(value)) if float(value).is_integer() and abs(value) < 2**53 else repr(float(value))


def xml_of(root: Tree) -> bytes:
    """The document, laid out to be read."""
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, "utf-8")
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + text + b"\n"
