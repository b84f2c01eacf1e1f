"""From a source to a light tree: bytes, text, files and the strings within that hold documents of their own.

The tree is what `rapideval._core.scan_payload` gives: dictionaries, lists, text and numbers, in which a dense bitmask
is run lengths already (`BitmaskArray`), a bad one an error that was not raised (`CoreError`), and a long string that
holds JSON is not decoded yet (`JsonText`).

A text that is not JSON is an `InputError` with the rules M1 (syntax), M2 (empty), M3 (encoding), M4 (truncated, or text
after the document), M5 (a member twice), M11 (too deep), M28 (NaN, Infinity); within a string layer, M1, M2 and M4
become M10, whose message says which layer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from rapideval import _core
from rapideval.errors import InputError, Problem
from rapideval.payloads.lenient import mended
from rapideval.payloads.objects import BITMASK_KEYS, OTHER_KEYS, take_objects
from rapideval.payloads.pictures import PNG, decode_png
from rapideval.payloads.places import Notes, Place, refuse, show

__all__ = ["Reader", "Text", "Tree", "as_text", "is_text", "load", "shown"]

Tree = Any
Text = bytes | mmap
"""A document's bytes; those of a large file are mapped, not copied."""

MAX_LAYERS = 3
MAX_DEPTH = 64
LONGEST_PATH = 120

_RULES = {
    "json-empty": "M2",
    "json-trailing": "M4",
    "json-encoding": "M3",
    "json-utf8": "M3",
    "json-surrogate": "M3",
    "json-truncated": "M4",
    "json-duplicate-key": "M5",
    "json-syntax": "M1",
    "json-depth": "M11",
    "json-nan": "M28",
}
_LAYER_RULES = {"M1": "M10", "M2": "M10", "M4": "M10"}

_SUFFIXES = (".json", ".jsonl", ".ndjson", ".txt", ".png")
_SMART_QUOTES = "\u2018\u2019\u201c\u201d"


MAPPED = 1 << 20
"""Files from so many bytes on are mapped."""


def load(source: Any, name: str | None = None) -> tuple[str, Text | None, Any]:
    """Name of the document, its text, or (where it is not text) its Python object.

    A `str` is the text itself when it begins as JSON does (``{``, ``[``, ``"``) or names no file, else a path.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return name or "answer", bytes(source), None
    if isinstance(source, str):
        if not _is_path(source):
            return name or "answer", source.encode("utf-8", "surrogatepass"), None
        source = Path(source)
    if isinstance(source, os.PathLike):
        return name or os.fspath(source), _bytes_of(Path(source)), None
    if hasattr(source, "read"):
        data = source.read()
        called = getattr(source, "name", None)
        given = name or (called if isinstance(called, str) else "answer")
        return given, data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data), None
    return name or "answer", None, source


def _bytes_of(path: Path) -> Text:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size < MAPPED:
                return file.read()
            return mmap(file.fileno(), 0, access=ACCESS_READ)
    except OSError as error:
        hint = "read_answers reads a folder of answers" if isinstance(error, IsADirectoryError) else ""
        found = error.strerror or str(error)
        raise InputError(Problem("file", str(path), found, "a file that can be read", hint)) from None


def _is_path(text: str) -> bool:
    """Whether a text is meant as the path of a file: it is one, or it looks like one and like nothing else."""
    if text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[", '"', "<", "'") or len(text) > 4096:
        return False
    if "\n" in text or "\0" in text:
        return False
    try:
        return Path(text).exists() or Path(text).suffix.lower() in _SUFFIXES
    except (OSError, ValueError):
        return False


@dataclass(slots=True)
class Reader:
    """Reads documents and the string layers within them.

    Attributes
    ----------
    notes
        Where what was mended is told.
    class_masks
        Bitmasks are looked for under every key.
    lenient
        A text that is not JSON is mended where that is possible.
    """

    notes: Notes = field(default_factory=Notes)
    class_masks: bool = False
    lenient: bool = False
    max_depth: int = MAX_DEPTH

    def document(self, data: Text, place: Place) -> Tree:
        """The tree of a whole document; a PNG is a `Picture`."""
        if data[: len(PNG)] == PNG:
            return decode_png(bytes(data), place)
        return self._decode(data, place, False, "this text")

    def objects(self, value: Any, place: Place) -> Tree:
        """The tree of Python objects."""
        return self._with_255(
            lambda values_255: take_objects(value, place, any_key=self.class_masks, values_255=values_255), place
        )

    def layer(self, text: str | _core.JsonText, place: Place, root_is_bitmask: bool = False) -> tuple[Tree, Place]:
        """The tree of the document that the text at `place` holds, and its place."""
        inside = place.inside()
        if inside.layers > MAX_LAYERS:
            refuse("M10", place, f"text within text, {inside.layers} layers deep", f"at most {MAX_LAYERS} layers")
        called = f"the text of {place.path}"
        if isinstance(text, _core.JsonText):
            options = self._options(root_is_bitmask)
            try:
                return self._with_255(lambda values_255: text.scan(values_255=values_255, **options), inside), inside
            except _core.CoreError as error:
                try:
                    decoded = str(text)
                except _core.CoreError:
                    raise InputError(_problem(error, b"", inside, called)) from None
                # Read once more as a text of its own, so that the error counts its bytes from where it begins.
                return self._decode(decoded.encode(), inside, root_is_bitmask, called), inside
        return self._decode(text.encode("utf-8", "surrogatepass"), inside, root_is_bitmask, called), inside

    def _options(self, root_is_bitmask: bool) -> dict[str, Any]:
        return {
            "bitmask_keys": BITMASK_KEYS,
            "other_keys": OTHER_KEYS,
            "root_is_bitmask": root_is_bitmask,
            "any_key": self.class_masks,
            "max_depth": self.max_depth,
        }

    def _decode(self, data: Text, place: Place, root_is_bitmask: bool, called: str) -> Tree:
        def scan(text: Text) -> Tree:
            options = self._options(root_is_bitmask)
            return self._with_255(lambda values_255: _core.scan_payload(text, values_255=values_255, **options), place)

        try:
            return scan(data)
        except _core.CoreError as error:
            data = bytes(data)
            problem = _problem(error, data, place, called)
        if self.lenient and problem.rule in ("M1", "M4", "M10"):
            for text, mends in mended(data):
                try:
                    tree = scan(text)
                except _core.CoreError:
                    continue
                for mend in mends:
                    self.notes.warn("lenient", place, mend, "JSON", kind=mend)
                return tree
        raise InputError(problem)

    def _with_255(self, scan: Callable[[bool], Tree], place: Place) -> Tree:
        tree = scan(False)
        if self.lenient:
            fault, count = _masks_of_255(tree)
            if fault is not None:
                again = scan(True)
                _, left = _masks_of_255(again)
                if left < count:
                    self.notes.warn(
                        "lenient", place, "masks of 0 and 255, read as 0 and 1", "masks of 0 and 1", kind="255"
                    )
                    return again
        return tree


def _masks_of_255(tree: Tree) -> tuple[_core.CoreError | None, int]:
    """The first mask refused for a value of 255, and how many masks are refused for a value."""
    first, count, pending = None, 0, [tree]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(part for part in item if isinstance(part, (list, dict, _core.CoreError)))
        elif isinstance(item, _core.CoreError) and item.rule == "M33":
            count += 1
            if item.found.startswith("255"):
                first = item
    return first, count


def _problem(error: _core.CoreError, data: bytes, place: Place, called: str) -> Problem:
    rule = _RULES.get(error.rule, "M1")
    found, hint = error.found, error.hint
    if rule in ("M1", "M2", "M3", "M4"):
        likely_rule, likely_found, likely_hint = _likely(data, error.offset or 0)
        rule, found, hint = likely_rule or rule, likely_found or found, likely_hint or hint
    if place.layers and rule in _LAYER_RULES:
        rule = _LAYER_RULES[rule]
        hint = hint or "the string holds a document of its own, which must be JSON too"
    path = error.path if len(error.path) <= LONGEST_PATH else f"{error.path[:LONGEST_PATH]}…"
    where = place.below(path) if path else place
    if error.offset is not None:
        found += f" at byte {error.offset:,}"
        if error.line is not None and error.line > 1:
            found += f" (line {error.line:,})"
        found += f" of {called}"
    return Problem(rule, str(where), found, error.expected, hint)


_LENIENT = "lenient mode (lenient=True, --lenient) reads it, and says so"


def _likely(data: bytes, offset: int) -> tuple[str, str, str]:
    """Rule, found and hint for the usual things that are not JSON."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if data[:1] == b"\x80" and data[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "M1", "a Python pickle", "submit with return_pickled=false; a pickle is never opened, it can run code"
    for magic, kind in ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip")):
        if data.startswith(magic):
            return "M1", f"{kind} data", f"unpack it first ({kind})"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "M3", "UTF-16 text", "save it as UTF-8"
    if head[:1] == b"<":
        kind = "an HTML page" if re.match(rb"<(!doctype html|html|head|body)", head, re.IGNORECASE) else "XML or HTML"
        return "M1", kind, "an error page or a sign-in page instead of an answer?"
    near = data[max(0, offset - 8) : offset + 24]
    if any(quote.encode() in near for quote in _SMART_QUOTES):
        return "M1", "typographic quotes", f'JSON has only the straight quote "; {_LENIENT}'
    at = data[offset : offset + 5]
    if head[:2] in (b"b'", b'b"'):
        return "M1", "printed Python bytes", "save the bytes themselves, not what print() shows of them"
    if at[:1] == b"'" or at.startswith((b"True", b"False", b"None")):
        return "M1", "", f"looks like a printed Python object, not JSON: save json.dumps(answer); {_LENIENT}"
    if at[:1] in (b"]", b"}") and data[:offset].rstrip()[-1:] == b",":
        return "M1", "a comma before a closing bracket", f"JSON has no trailing commas; {_LENIENT}"
    if at[:1] in (b"{", b"[") and b"\n" in data[:offset][-2:] and data[:offset].strip():
        return "", "", "JSON Lines, a document on each line? Name the file .jsonl, or put the documents in one list"
    if at.startswith(b"array"):
        return "M1", "a printed NumPy array", "call .tolist() before json.dumps"
    if at[:1].isalpha() and data[:offset].rstrip()[-1:] in (b"{", b","):
        return "", "", 'names of members stand in double quotes: {"args": ...}'
    return "", "", ""


def is_text(value: Any) -> bool:
    """Whether the value is text, without decoding what is long."""
    return isinstance(value, (str, _core.JsonText))


def as_text(value: Any) -> str | None:
    """The text, where the value is text (long JSON text included)."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, _core.JsonText) else None


def shown(value: Any) -> str:
    """A tree's value as a message shows it."""
    if isinstance(value, _core.CoreError):
        return value.found
    if hasattr(value, "counts"):
        return f"{len(value):,} bitmask{'' if len(value) == 1 else 's'}"
    text = as_text(value)
    return show(value if text is None else text)
