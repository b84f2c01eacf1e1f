"""WIDER FACE: one text file for all images: a path, a count, and as many lines of a box and six attributes.

``x y width height`` in pixels from the top-left corner, then ``blur expression illumination invalid occlusion pose``,
kept as further fields where they are not 0. The label is ``face``. An image without faces has a count of 0 and, as the
published files have it, one line of zeros. It is read, not written.
"""

from __future__ import annotations

import re

from rapideval.errors import FormatError, Problem
from rapideval.formats.capabilities import Capabilities
from rapideval.formats.files import Source
from rapideval.formats.gather import Gathered
from rapideval.formats.notes import Place, Report
from rapideval.formats.registry import Format, Guess
from rapideval.model import Dataset, Images, Labels

__all__ = ["FORMATS"]

_ATTRIBUTES = ("blur", "expression", "illumination", "invalid", "occlusion", "pose")
_PATH = re.compile(r".*\.(?:jpe?g|png)\s*$", re.IGNORECASE)
_WORDS = (4, 4 + len(_ATTRIBUTES))


def _sniff(source: Source) -> Guess | None:
    if source.is_folder or source.suffix not in ("", ".txt"):
        return None
    lines = source.head(2000).decode("utf-8", "replace").splitlines()
    if len(lines) >= 3 and _PATH.match(lines[0]) and lines[1].strip().isdigit() and len(lines[2].split()) in _WORDS:
        return Guess(1, "a path, a count, and boxes with attributes")
    return None


def _read(source: Source, *, images: Images | None = None, labels: Labels | None = None) -> Dataset:
    """Read the file; images and labels given stand before its own."""
    report = Report(source.name)
    found = Gathered(report, images, labels)
    label = found.label("face")
    try:
        lines = source.data().decode("utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise FormatError(Problem("text-utf8", source.name, "bytes that are not UTF-8", "UTF-8")) from None
    number = 0
    while number < len(lines):
        if not lines[number].strip():
            number += 1
            continue
        image = found.image(lines[number].strip())
        count = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if not count.isdigit() or number + 2 + int(count) > len(lines):
            rest = len(lines) - number - 2
            what = f"{count!r}, with {max(rest, 0):,} lines behind it" if count else "the end"
            report.refuse("wider-count", f"line {number + 2}", what, "the count of the boxes that follow")
            break
        number += 2
        for _ in range(int(count)):
            _face(lines[number], number + 1, image, label, found)
            number += 1
        if count == "0" and number < len(lines) and set(lines[number].split()) == {"0"}:
            number += 1
    return found.dataset()


def _face(line: str, number: int, image: int, label: int, found: Gathered) -> None:
    words = line.split()
    if len(words) not in _WORDS or not all(re.fullmatch(r"-?\d+(?:\.\d+)?", word) for word in words):
        expected = "x, y, width and height, and six attributes or none"
        found.report.refuse("wider-box", f"line {number}", repr(line[:60]), expected)
        return
    x, y, width, height = map(float, words[:4])
    if width < 0 or height < 0:
        found.report.refuse("wider-box", f"line {number}", repr(line[:60]), "a width and height of 0 or more")
        return
    extras = {name: int(float(word)) for name, word in zip(_ATTRIBUTES, words[4:], strict=False) if float(word)}
    place = Place(found.report.name, "line {row}", number)
    found.add(image, label, box=(x, y, width, height), extras=extras, at=place)


FORMATS = {
    "widerface": Format(
        name="widerface",
        title="WIDER FACE: boxes of faces as text",
        suffixes=(".txt",),
        sniff=_sniff,
        reader=_read,
        writer=None,
        capabilities=Capabilities(
            empty_images=True,
            convention="x, y, width, height in pixels, origin at the top-left corner of the image",
            specification="http://shuoyang1213.me/WIDERFACE/",
        ),
    ),
}
"""Formats of this module."""
