"""Image files beside annotations: where they are, and how large, by their heads alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

__all__ = ["picture_beside", "picture_size", "picture_sizes"]

T = TypeVar("T")


def picture_size(path: Path) -> tuple[int, int] | None:
    """Height and width of an image file, as stored; None where it is none, or is not there.

    Only the head of the file is read.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # nothing is decoded
            with Image.open(path) as picture:
                return picture.height, picture.width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def picture_sizes(
    paths: Sequence[Path | None], threads: int = 8, advance: Callable[[int], None] | None = None
) -> list[tuple[int, int] | None]:
    """Heights and widths of image files, several at once: waiting for the disk is most of it.

    `advance` is told of each that is read.
    """
    sizes: list[tuple[int, int] | None] = []
    with ThreadPoolExecutor(threads) as pool:
        for some in pool.map(lambda some: [path and picture_size(path) for path in some], batched(paths)):
            sizes += some
            if advance is not None:
                advance(len(some))
    return sizes


def batched(items: Sequence[T], length: int = 32) -> Iterator[Sequence[T]]:
    """Items in parts of some length: work of a few microseconds is not worth a hand-over of its own."""
    return (items[start : start + length] for start in range(0, len(items), length))


def picture_beside(stem: Path, suffixes: Iterable[str]) -> Path | None:
    """The image file of a path without suffix, whatever suffix it has."""
    for suffix in suffixes:
        for written in (suffix, suffix.upper()):
            path = stem.with_name(stem.name + written)
            if path.is_file():
                return path
    return None
