"""Documents of a dataset that is one file or a folder of them, and how a writer lays them down."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from rapideval.errors import FormatError, Problem, UsageError
from rapideval.formats.files import Source, Writable

__all__ = ["documents", "first_of", "inside", "json_lines_of", "json_of", "laid", "lay_many"]


def documents(source: Source, suffixes: Sequence[str], expected: str = "") -> list[Source]:
    """Documents of a source: itself, or those in its folder with one of the suffixes, in order of their paths.

    Parameters
    ----------
    source
        A file, or a folder that is searched with all folders in it; hidden ones are passed over.
    suffixes
        In lower case, ``.xml``.
    expected
        What a message calls them where there are none.

    Raises
    ------
    FormatError
        ``folder-empty`` for a folder without any.
    """
    if not source.is_folder:
        return [source]
    assert source.path is not None
    found = [Source(path) for path in paths_of(source, suffixes)]
    if not found:
        raise FormatError(
            Problem("folder-empty", source.name, "a folder without such files", expected or f"files {suffixes[0]}")
        )
    return found


def paths_of(folder: Path | Source, suffixes: Sequence[str], limit: int | None = None) -> list[Path]:
    """Files under a folder with one of the suffixes, in order; at most `limit`. A source remembers what it has."""
    listed = (folder if isinstance(folder, Source) else Source(folder)).listed()
    chosen = (Path(path) for path, suffix in listed if suffix in suffixes)
    return list(chosen if limit is None else itertools.islice(chosen, limit))


def first_of(source: Source, suffixes: Sequence[str]) -> Source | None:
    """The document that tells what a source is: itself, or the first of its folder."""
    if not source.is_folder:
        return source
    assert source.path is not None
    found = paths_of(source, suffixes, 1)
    return Source(found[0]) if found else None


@contextlib.contextmanager
def laid(folder: Path, name: str) -> Iterator[Writable]:
    """A file of a folder that is being written; folders on the way are made.

    The folder appears whole or not at all (`whole_folder`), so that its files need no such care of their own.
    """
    path = inside(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        yield stream


def inside(folder: Path, name: str) -> Path:
    """The path of a name in a folder; UsageError where it leads out of it."""
    path = os.path.normpath(name)
    if os.path.isabs(path) or path.split(os.sep, 1)[0] in ("..", "."):
        raise UsageError(f"{name!r} would be written outside of its folder")
    return folder / path


def lay_many(folder: Path, files: Iterable[tuple[str, bytes | memoryview]]) -> None:
    """Many small files of a folder that is being written, by their names in it; folders on the way are made once."""
    root = str(folder)
    made: set[str] = set()
    for name, content in files:
        path = os.path.join(root, name)
        parent = os.path.dirname(path)
        if parent not in made:
            inside(folder, name)
            os.makedirs(parent, exist_ok=True)
            made.add(parent)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(handle, view) :]
        finally:
            os.close(handle)


def json_of(document: Any, indent: int = 2) -> bytes:
    """A JSON document, laid out to be read."""
    return msgspec.json.format(msgspec.json.encode(document), indent=indent) + b"\n"


def json_lines_of(rows: Sequence[Any]) -> bytes:
    """JSON documents, one a line."""
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
