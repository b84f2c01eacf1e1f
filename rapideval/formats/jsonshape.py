"""The shape of a JSON document from its first bytes, to tell formats apart without reading them."""

from __future__ import annotations

import re

from rapideval.formats.files import Source

__all__ = ["json_shape", "mentions"]

# Names with their colon, other strings, and brackets: numbers and commas say nothing of a shape.
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*(?:"(?:\s*:)?|\Z)|[{}\[\]:]', re.DOTALL)
LENGTH, DEPTH = 16384, 4
_BOM = b"\xef\xbb\xbf"


def json_shape(source: Source) -> dict[str, set[str]]:
    """Keys of the objects that the first bytes of a document show, by path; {} where it is not JSON.

    Paths are as in error messages, but for ``[]``, which stands for any place. An array is there with the empty key.

    Examples
    --------
    >>> shape = json_shape(Source(b'{"images": [{"id": 1, "width"'))
    >>> {path: sorted(keys) for path, keys in shape.items()}
    {'$': ['images'], '$.images': [''], '$.images[]': ['id']}
    """
    if source.shape is None:  # every format that sniffs asks for it
        source.shape = {} if source.is_folder else _shape_of(source.head(LENGTH).removeprefix(_BOM))
    return source.shape


def mentions(source: Source, word: bytes, length: int = 65536) -> bool:
    """Whether a word stands in the beginning, the middle or the end of a document, of which large ones are not read."""
    if source.path is None or source.compression or not source.path.is_file():
        return word in source.data()
    size = source.path.stat().st_size
    with source.path.open("rb") as file:
        for start in (0, max(0, size // 2 - length // 2), max(0, size - length)):
            file.seek(start)
            if word in file.read(length):
                return True
    return False


def _shape_of(text: bytes) -> dict[str, set[str]]:
    shape: dict[str, set[str]] = {}
    stack: list[str] = []  # paths of the open containers
    path = "$"  # of the value that comes next; in an array, of all its values
    if text.lstrip()[:1] not in (b"{", b"["):
        return {}
    for token in _TOKENS.findall(text):
        if token in b"{[":
            if len(stack) < DEPTH:
                shape.setdefault(path, set()).update([""] if token == b"[" else [])
            stack.append(path)
            path = f"{path}[]" if token == b"[" else path
        elif token in b"}]":
            if not stack:
                return {}
            path = stack.pop()
        elif token.endswith(b":"):
            if not stack or token == b":":
                return {}
            name = _decoded(token[:-1].rstrip())
            if len(stack) <= DEPTH:
                shape.setdefault(stack[-1], set()).add(name)
            path = f"{stack[-1]}.{name}"
    return shape


def _decoded(text: bytes) -> str:
    if b"\\" not in text:
        return text[1:-1].decode("utf-8", "replace")
    import json

    try:
        return str(json.loads(text))
    except ValueError:
        return text.decode("utf-8", "replace")
