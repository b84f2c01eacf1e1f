"""Answers recorded before, given again: found by the name of the image, as text, byte for byte.

A recording is what ``rapideval predict`` saved, a folder of answers with a ``manifest.json`` or requests beside them,
or a file of JSON Lines. Only the places of the answers are kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from rapideval.errors import InputError, Problem
from rapideval.model import image_tail
from rapideval.payloads.folder import MANIFEST, REQUEST_SUFFIX, answer_files
from rapideval.payloads.redact import unsigned_url

__all__ = ["Replay"]

_LINES = (".jsonl", ".ndjson")


class _Place(NamedTuple):
    """Where an image's item stands: a piece of a file, and which item of the answer it holds."""

    path: Path
    offset: int
    length: int
    item: int


class _Recorded(msgspec.Struct):
    """An envelope, as far as it matters here."""

    images: list[str] | None = None
    request: dict[str, Any] | None = None
    state: str | None = None
    status: str | None = None
    result: msgspec.Raw = msgspec.Raw(b"")
    results: msgspec.Raw = msgspec.Raw(b"")


class Replay:
    """A model that answers what was answered before.

    Parameters
    ----------
    path
        A folder or a file.

    Raises
    ------
    InputError
        Where nothing is recorded there, or two answers speak of one image.
    """

    def __init__(self, path: Path) -> None:
        files = answer_files(path) if path.is_dir() else [path]
        self._places: dict[str, _Place] = {}
        self._files: dict[str, _Place] = {}  # by the name of the file, where nothing else names the image
        for file in files:
            for offset, line in _documents(file):
                self._index(file, offset, line)
        if not self._places and not self._files:
            raise InputError(Problem("replay", str(path), "no recorded answers", "answers that name their images"))
        self._read = lru_cache(maxsize=64)(_read_items)

    def answer(self, reference: Any, where: str) -> msgspec.Raw:
        """The recorded item of an image."""
        if not isinstance(reference, str):
            raise InputError(
                Problem("replay", where, "a raw image, which has no name", "an image by its URL, to find its answer")
            )
        key = unsigned_url(reference)
        tail = image_tail(key)
        place = self._places.get(key) or self._places.get(tail) or self._files.get(Path(tail).stem)
        if place is None:
            raise InputError(Problem("replay", where, "an image without a recorded answer", "one of the recording"))
        return self._read(place.path, place.offset, place.length)[place.item]

    def _index(self, path: Path, offset: int, text: bytes) -> None:
        recorded, items = _items(text)
        if not items:
            return
        keys = recorded.images or _asked(recorded.request) or _named_beside(path)
        if not keys and len(items) == 1:
            self._files[path.stem] = _Place(path, offset, len(text), 0)
            return
        if len(keys) != len(items):
            found = f"{len(items)} results for {len(keys)} images"
            raise InputError(Problem("M23", f"{path}: byte {offset}", found, "one for each"))
        for item, key in enumerate(keys):
            place = _Place(path, offset, len(text), item)
            if self._places.setdefault(key, place) != place:
                raise InputError(Problem("image-duplicate", str(path), f"a second answer for image {key!r}", "one"))
            self._places.setdefault(image_tail(key), place)


def _documents(path: Path) -> Iterator[tuple[int, bytes]]:
    """The answers of a file with the offset of each."""
    if path.suffix.lower() not in _LINES:
        yield 0, path.read_bytes()
        return
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if line.strip():
                yield offset, line
            offset += len(line)


def _read_items(path: Path, offset: int, length: int) -> list[msgspec.Raw]:
    with path.open("rb") as file:
        file.seek(offset)
        return _items(file.read(length))[1]


def _items(text: bytes) -> tuple[_Recorded, list[msgspec.Raw]]:
    """An envelope or bare payload, and its items, one for each image; none where the task did not succeed."""
    text = text.removeprefix(b"\xef\xbb\xbf").strip()
    recorded = msgspec.json.decode(text, type=_Recorded) if text[:1] == b"{" else _Recorded()
    inner = bytes(recorded.result) or bytes(recorded.results)
    if not inner and (recorded.state or recorded.status):
        return recorded, []
    inner = inner or text
    for _ in range(2):  # string layers, and v1's nesting
        if inner[:1] == b'"':
            inner = msgspec.json.decode(inner, type=str).encode()
        if inner[:1] == b"{":
            nested = msgspec.json.decode(inner, type=_Recorded)
            inner = bytes(nested.result) or bytes(nested.results) or inner
    if inner[:1] == b"[":
        return recorded, msgspec.json.decode(inner, type=list[msgspec.Raw])
    return recorded, [msgspec.Raw(inner)] if inner[:1] == b"{" else []


def _asked(request: dict[str, Any] | None) -> list[str]:
    from rapideval.payloads.request import read_requests

    if request is None:
        return []
    return [name.key for name in read_requests(request)[0] if name.key is not None]


def _named_beside(path: Path) -> list[str]:
    """Images that a request beside a file, or its folder's manifest, says it answers."""
    beside = path.with_name(path.stem + REQUEST_SUFFIX)
    if beside.is_file():
        return _asked(msgspec.json.decode(beside.read_bytes()))
    manifest = path.with_name(MANIFEST)
    if not manifest.is_file():
        return []
    entry = msgspec.json.decode(manifest.read_bytes()).get("answers", {}).get(path.name)
    images: list[str] = entry.get("images", []) if isinstance(entry, dict) else entry or []
    return images
