"""Text that is nearly JSON, mended: printed Python objects, typographic quotes, trailing commas.

Each mend rewrites the text and nothing else, so that what is mended is read by the same strict reader. Strings are
left as they are, save for the quotes around them. Nothing is evaluated but single string literals.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

__all__ = ["mended"]

_SMART = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'})

# A string literal, of either quote; or one of the words that Python writes otherwise than JSON; or a tuple's bracket.
_PYTHON = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\b(?:True|False|None)\b|[()]""", re.DOTALL)
# Python would keep the backslash of these and warn; what was meant is anybody's guess.
_UNKNOWN_ESCAPE = re.compile(r"(?<!\\)(?:\\\\)*\\[^\n\\'\"abfnrtvxNuU0-7]")
_WORDS = {"True": "true", "False": "false", "None": "null", "(": "[", ")": "]"}

_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[]}])', re.DOTALL)
_STRING_OR_SMART = re.compile(r'"(?:[^"\\]|\\.)*"|[\u2018\u2019\u201c\u201d]', re.DOTALL)


def mended(data: bytes) -> Iterator[tuple[bytes, list[str]]]:
    """Texts that these mends make of it, the gentlest first, each with what was mended; none if nothing was.

    Examples
    --------
    >>> next(mended(b"{'state': 'SUCCESS', 'result': None,}"))
    (b'{"state": "SUCCESS", "result": null}', ['a printed Python object', 'trailing commas'])
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return
    previous = text
    # Typographic quotes within straight-quoted strings are meant, so they are replaced in the second attempt only.
    for replace_quotes in (False, True):
        mends, changed = [], text
        if replace_quotes:
            changed = _straight_quotes(text)
            mends = ["typographic quotes"]
        for mend, name in ((_from_python, "a printed Python object"), (_without_trailing_commas, "trailing commas")):
            before, changed = changed, mend(changed)
            if changed != before:
                mends.append(name)
        if changed != previous:
            yield changed.encode("utf-8", "surrogatepass"), mends
        previous = changed


def _straight_quotes(text: str) -> str:
    if not any(quote in text for quote in "\u2018\u2019\u201c\u201d"):
        return text
    return _STRING_OR_SMART.sub(lambda m: m[0] if m[0][0] == '"' else m[0].translate(_SMART), text)


def _from_python(text: str) -> str:
    def replacement(match: re.Match[str]) -> str:
        token = match[0]
        if token in _WORDS:
            return _WORDS[token]
        if token[0] == '"' and "'" not in token and not re.search(r"\\[^\"\\/bfnrtu]", token):
            return token
        if _UNKNOWN_ESCAPE.search(token):
            return token
        try:
            value = ast.literal_eval(token)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return token
        return json.dumps(value, ensure_ascii=False)

    return _PYTHON.sub(replacement, text)


def _without_trailing_commas(text: str) -> str:
    return _COMMA.sub(lambda match: match[1] or "", text)
