"""Image files beside annotations: where they are, and how large, by their heads alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

__all__ = ["picture_beside", "picture_size", "picture_sizes"]


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
    sizes = []
    with ThreadPoolExecutor(threads) as pool:
        for size in pool.map(lambda path: None if path is None else picture_size(path), paths):
            sizes.append(size)
            if advance is not None:
                advance(1)
    return sizes


def picture_beside(stem: Path, suffixes: Iterable[str]) -> Path | None:
    """The image file of a path without suffix, whatever suffix it has."""
    for suffix in suffixes:
        for written in (suffix, suffix.upper()):
            path = stem.with_name(stem.name + written)
            if path.is_file():
                return path
    return None
