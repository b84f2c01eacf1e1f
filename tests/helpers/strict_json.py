"""RFC 8259 as Python's own json sees it, with what it lets through refused: the judge of the readers."""

from __future__ import annotations

import json
from typing import Any

from rapideval import _core


def judge(text: bytes) -> Any:
    """The document, or ValueError: NaN, a member that stands twice, and text that is not UTF-8 are refused too."""

    def refuse(name: str) -> None:
        raise ValueError(name)

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ValueError("a member stands twice")
        return result

    decoded = text.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    return json.loads(decoded, parse_constant=refuse, object_pairs_hook=members)


def is_json(text: bytes) -> bool:
    """Whether the judge takes it."""
    try:
        judge(text)
    except ValueError:
        return False
    return True


def core_takes(text: bytes, **options: Any) -> bool:
    """Whether the readers of COCO files take it as JSON, whatever they think of its shape."""
    first = text.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")[:1]
    read = _core.read_coco_dataset if first == b"{" else _core.read_coco_results
    try:
        read(text, **options)
    except _core.CoreError as error:
        return error.rule == "coco-shape"
    return True
