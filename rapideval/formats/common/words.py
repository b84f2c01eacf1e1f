"""JSON values as words, for formats whose attributes are text alone."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["value_of", "word_of"]


def word_of(value: Any) -> str:
    """Text that `value_of` makes the same value of; a text stays as it is wherever that is possible.

    Examples
    --------
    >>> word_of("red"), word_of(2), word_of("2"), word_of([1, None])
    ('red', '2', '"2"', '[1,null]')
    """
    if isinstance(value, str) and value == value.strip() and value_of(value) == value:
        return value
    return msgspec.json.encode(value).decode()


def value_of(word: str) -> Any:
    """A word's value: what is JSON is that, all else text.

    Examples
    --------
    >>> value_of("red"), value_of("0.5"), value_of("true")
    ('red', 0.5, True)
    """
    try:
        return msgspec.json.decode(word.encode("utf-8", "surrogatepass"))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return word
