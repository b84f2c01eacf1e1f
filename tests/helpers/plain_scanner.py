"""The scanner of answers in plain Python: the measure of the compiled one.

RFC 8259, no duplicate members, no NaN, a limit on depth; every error has its JSON path. Numbers are exact integers or
floats; 1e400 is infinite, which the caller refuses where it stands.
"""

from __future__ import annotations

import json
import re
from json.decoder import JSONDecodeError, scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn

from rapideval.payloads.objects import core_error, take_objects
from rapideval.payloads.places import Place

__all__ = ["plain_scan", "strict_json"]

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORD = re.compile(r"[-+]?[A-Za-z0-9_.$+-]+")
_CUT_NUMBER = re.compile(r"-|-?[0-9]+[.eE+-]*")
_CONSTANTS = {"true": True, "false": False, "null": None}
_NOT_FINITE = {"NaN", "Infinity", "-Infinity", "nan", "inf", "-inf", "-NaN", "+Infinity"}


def strict_json(data: bytes, max_depth: int = 64) -> Any:
    """The document as Python objects, or a CoreError with rule, path, byte offset and line."""
    return _Decoder(data, max_depth).document()


def plain_scan(data: bytes, max_depth: int = 64, root_is_bitmask: bool = False, **options: Any) -> Any:
    """What `rapideval._core.scan_payload` gives, without its deferred strings."""
    tree = strict_json(data, max_depth)
    if root_is_bitmask:
        return take_objects({"masks": tree}, Place("text"), **options)["masks"]
    return take_objects(tree, Place("text"), **options)


class _Decoder:
    def __init__(self, data: bytes, max_depth: int) -> None:
        if data.startswith(b"\xef\xbb\xbf"):
            data = data[3:]
        if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4]:
            raise core_error("json-encoding", "UTF-16 or UTF-32 text", "UTF-8", "$", offset=0, line=1)
        if data[:1] == b"\x80":
            raise core_error("json-encoding", "a Python pickle", "JSON", "$", offset=0, line=1)
        if data[:2] == b"\x1f\x8b":
            raise core_error("json-encoding", "gzip data", "JSON", "$", offset=0, line=1)
        try:
            self.text = data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            found = f"the byte 0x{data[error.start]:02x}"
            raise core_error("json-utf8", found, "UTF-8", "$", offset=error.start, line=line) from None
        self.max_depth = max_depth
        self.path: list[str | int] = []

    def fail(self, rule: str, found: str, expected: str, at: int) -> NoReturn:
        path = "$" + "".join(
            f"[{step}]"
            if isinstance(step, int)
            else f".{step}"
            if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", step)
            else f"[{json.dumps(step)}]"
            for step in self.path
        )
        if rule == "json-syntax" and at >= len(self.text):
            rule, found = "json-truncated", "the end of the text"
        before = self.text[:at]
        offset = len(before.encode())
        raise core_error(rule, found, expected, path, offset=offset, line=before.count("\n") + 1)

    def space(self, at: int) -> int:
        match = _SPACE.match(self.text, at)
        assert match is not None
        return match.end()

    def document(self) -> Any:
        at = self.space(0)
        if at == len(self.text):
            self.fail("json-empty", "nothing" if not self.text else "nothing but white space", "JSON", at)
        value, at = self.value(at)
        at = self.space(at)
        if at != len(self.text):
            self.path = []
            self.fail("json-trailing", f"{self.text[at : at + 12]!r} after the document", "its end", at)
        return value

    def value(self, at: int) -> tuple[Any, int]:
        char = self.text[at : at + 1]
        if char == '"':
            return self.string(at)
        if char in ("{", "["):
            if len(self.path) >= self.max_depth:
                self.fail("json-depth", f"more than {self.max_depth} levels", f"at most {self.max_depth}", at)
            return self.members(at) if char == "{" else self.items(at)
        match = _NUMBER.match(self.text, at)
        word = _WORD.match(self.text, at)
        if match and word and match.end() == word.end():
            is_float = match[1] or match[2]
            if not is_float and len(match[0]) > 4300:
                self.fail("json-syntax", f"an integer of {len(match[0])} digits", "a number", at)
            return (float(match[0]) if is_float else int(match[0])), match.end()
        if word and word[0] in _CONSTANTS:
            return _CONSTANTS[word[0]], word.end()
        if word and word[0] in _NOT_FINITE:
            self.fail("json-nan", word[0], "a finite number", at)
        cut = word and (any(name.startswith(word[0]) for name in _CONSTANTS) or _CUT_NUMBER.fullmatch(word[0]))
        if word and cut and word.end() == len(self.text):
            self.fail("json-truncated", "the end of the text", "a value", word.end())
        return self.fail("json-syntax", repr(self.text[at : at + 12]), "a value", at)

    def string(self, at: int) -> tuple[str, int]:
        try:
            text, end = scanstring(self.text, at + 1, True)
        except JSONDecodeError as error:
            if "Unterminated" in error.msg or error.pos + 6 >= len(self.text):
                self.fail("json-truncated", "the end of the text", 'a closing "', len(self.text))
            self.fail("json-syntax", error.msg.removesuffix(" at").lower(), "a string", error.pos)
        if any("\ud800" <= char <= "\udfff" for char in text):
            self.fail("json-surrogate", "half a surrogate pair", "a whole character", at)
        return text, end

    def members(self, at: int) -> tuple[dict[str, Any], int]:
        result: dict[str, Any] = {}
        at = self.space(at + 1)
        if self.text[at : at + 1] == "}":
            return result, at + 1
        while True:
            if self.text[at : at + 1] != '"':
                self.fail("json-syntax", repr(self.text[at : at + 12]), 'a member name in "..."', at)
            key_at = at
            key, at = self.string(at)
            self.path.append(key)
            if key in result:
                self.fail("json-duplicate-key", f"the member {json.dumps(key)} twice", "each member once", key_at)
            at = self.space(at)
            if self.text[at : at + 1] != ":":
                self.fail("json-syntax", repr(self.text[at : at + 12]), "':'", at)
            result[key], at = self.value(self.space(at + 1))
            self.path.pop()
            at = self.space(at)
            if self.text[at : at + 1] == "}":
                return result, at + 1
            if self.text[at : at + 1] != ",":
                self.fail("json-syntax", repr(self.text[at : at + 12]), "',' or '}'", at)
            at = self.space(at + 1)

    def items(self, at: int) -> tuple[list[Any], int]:
        result: list[Any] = []
        at = self.space(at + 1)
        if self.text[at : at + 1] == "]":
            return result, at + 1
        while True:
            self.path.append(len(result))
            value, at = self.value(at)
            self.path.pop()
            result.append(value)
            at = self.space(at)
            if self.text[at : at + 1] == "]":
                return result, at + 1
            if self.text[at : at + 1] != ",":
                self.fail("json-syntax", repr(self.text[at : at + 12]), "',' or ']'", at)
            at = self.space(at + 1)
